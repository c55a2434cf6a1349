"""`fleet-bot trace export`: a trace in the formats of other tools."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from bot.base.errors import WorldError
from bot.cli.trace_files import FILE, run_trace
from bot.trace.reader import read


@click.command("export")
@click.argument("file", type=FILE)
@click.option("--to", "kind", type=click.Choice(["otel", "perfetto"]), required=True, help="Which format.")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to (stdout).")
@click.option("--content", is_flag=True, help="otel: also arguments, answers and what was printed.")
def export(file: Path, kind: str, out: Path | None, content: bool) -> int:
    """Write a trace as OpenTelemetry spans (OTLP JSON) or for ui.perfetto.dev (trace event JSON)."""
    from bot.trace.otel import otel
    from bot.trace.perfetto import perfetto

    lines = read(run_trace(file))
    data = msgspec.json.encode(otel(lines, content=content) if kind == "otel" else perfetto(lines)) + b"\n"
    if out is None:
        sys.stdout.write(data.decode())
        return 0
    try:
        out.write_bytes(data)
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror or error}."
        raise WorldError(msg, "Choose another file with -o.") from error
    return 0
