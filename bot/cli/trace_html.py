"""`fleet-bot trace html`: a trace as one page."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.base.errors import WorldError
from bot.cli.trace_files import FILE, TRACES, run_trace, seal_of


@click.command("html")
@click.argument("file", type=FILE)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to (beside the trace).")
def html(file: Path, out: Path | None) -> int:
    """Write a trace as one page that needs nothing else, and print where it is.

    The page needs no network and lets nothing in the trace run or load. `-o -` prints it.
    """
    from bot.trace.page.page import render

    path = run_trace(file)
    beside = path.parent
    journal = beside / TRACES[1]
    patch = beside / "changes.patch"
    whole = path.name == TRACES[0]
    page = render(
        path,
        published=journal if whole and journal.is_file() else None,
        patch=patch.read_bytes() if whole and patch.is_file() else b"",
        seal=seal_of(path),
    )
    if out is not None and str(out) == "-":
        sys.stdout.write(page)
        return 0
    target = out or path.with_suffix(".html")
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        msg = f"{target} cannot be written: {error.strerror or error}."
        raise WorldError(msg, "Choose another file with -o.") from error
    sys.stdout.write(f"{target.resolve()}\n")
    return 0
