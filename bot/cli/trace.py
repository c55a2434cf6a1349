"""`fleet-bot trace`: show and verify execution traces."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from bot.cli.output import emit_json
from bot.cli.trace_diff import diff
from bot.cli.trace_export import export
from bot.cli.trace_files import FILE, TRACES, beside, paint_for, run_trace, traces
from bot.cli.trace_html import html
from bot.cli.trace_replay import replay
from bot.trace.reader import Verdict, read, verify
from bot.trace.render import told
from bot.trace.steps import steps


@click.group()
def trace() -> None:
    """Show, verify, compare, replay and export execution traces.

    FILE is a trace, or a folder with a proposal in it.
    """


@trace.command()
@click.argument("file", type=FILE)
@click.option("--only", type=click.Choice(["failed"]), help="Only what failed, was refused, or deviated.")
@click.option("--turn", type=click.IntRange(min=0), help="Only this turn of the model.")
@click.option("--full", is_flag=True, help="Unfold all output.")
@click.option("--json", "as_json", is_flag=True, help="The steps as one JSON document.")
def show(file: Path, only: str | None, turn: int | None, full: bool, as_json: bool) -> int:
    """Tell what happened in a run, step by step."""
    path = run_trace(file)
    if as_json:
        return _steps_as_json(path, only_failed=only == "failed", turn=turn)
    write = sys.stdout.write
    for line in told(read(path), paint_for(sys.stdout), only_failed=only == "failed", turn=turn, full=full):
        write(line + "\n")
    return 0


@trace.command("verify")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify_command(files: tuple[Path, ...], as_json: bool) -> int:
    """Check that a trace is whole and unchanged, against the seal in the proposal beside it where there is one.

    Ends with 1 when a trace is broken or unfinished.
    """
    found = [(path, *_verdict(path)) for file in files for path in traces(file)]
    if as_json:
        emit_json([_as_json(path, verdict, sealed) for path, verdict, sealed in found])
    else:
        for path, verdict, sealed in found:
            _tell(path, verdict, sealed)
    return 0 if all(verdict.ok and verdict.finished for _, verdict, _ in found) else 1


def _verdict(path: Path) -> tuple[Verdict, bool]:
    """The verdict, and whether a seal was there to hold it against."""
    seal = beside(path)
    if seal is None:
        return verify(path), False
    if path.name == seal.file:
        return verify(path, seal), True
    return verify(path, previous=seal.head if path.name == TRACES[1] else None), False


def _tell(path: Path, verdict: Verdict, sealed: bool) -> None:
    good = verdict.ok and verdict.finished
    paint = paint_for(sys.stdout)
    mark = paint("✓", fg="green", bold=True) if good else paint("✗", fg="red", bold=True)
    sys.stdout.write(f"{mark} {path}: {verdict.reason}\n")
    held = "held against the seal of the proposal beside it" if sealed else "no seal to hold it against"
    sys.stdout.write(paint(f"  {verdict.events} events, head {verdict.head[:16]}, {held}", dim=True) + "\n")


def _as_json(path: Path, verdict: Verdict, sealed: bool) -> dict[str, object]:
    return {"file": str(path.resolve()), "sealed": sealed, **msgspec.to_builtins(verdict)}


def _steps_as_json(path: Path, *, only_failed: bool, turn: int | None) -> int:
    """Streamed, so that a long trace needs no more memory than a short one."""
    encode = msgspec.json.Encoder().encode
    sys.stdout.write('{"file":' + encode(str(path.resolve())).decode() + ',"steps":[')
    separator = "\n"
    for step in steps(read(path)):
        if (only_failed and step.good and not step.deviation) or (turn is not None and step.turn != turn):
            continue
        sys.stdout.write(separator + encode(step).decode())
        separator = ",\n"
    sys.stdout.write("\n]}\n")
    return 0


trace.add_command(replay)
trace.add_command(html)
trace.add_command(diff)
trace.add_command(export)
