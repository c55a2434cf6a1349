"""`fleet-bot trace diff`: two runs side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bot.cli.output import emit_json
from bot.cli.trace_files import FILE, paint_for, run_trace
from bot.trace.align import Alignment, Deed, Move, align
from bot.trace.inert import visible
from bot.trace.reader import read
from bot.trace.render import Paint

_AROUND = 1
_WIDTH = 150


@click.command("diff")
@click.argument("first", type=FILE, metavar="A")
@click.argument("second", type=FILE, metavar="B")
@click.option("--full", is_flag=True, help="Also what both did alike.")
@click.option("--exit-code", is_flag=True, help="End with 1 when the runs differ.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def diff(first: Path, second: Path, full: bool, exit_code: bool, as_json: bool) -> int:
    """Say what only A did (-), what only B did (+), and what went differently (~).

    Times, temporary paths, process ids and the like count for nothing.
    """
    a, b = run_trace(first), run_trace(second)
    found = align(read(a), read(b))
    if as_json:
        emit_json(
            {
                "a": str(a.resolve()),
                "b": str(b.resolve()),
                "same": found.same,
                "settings": found.settings,
                "moves": found.moves,
            }
        )
    else:
        for line in _told(found, paint_for(sys.stdout), full=full):
            sys.stdout.write(line + "\n")
    return 1 if exit_code and not found.same else 0


def _told(found: Alignment, paint: Paint, *, full: bool) -> Iterator[str]:
    for name, (a, b) in found.settings.items():
        yield f"{name}: " + paint(_cut(a or "nothing"), fg="red") + " → " + paint(_cut(b or "nothing"), fg="green")
    hidden = 0
    near = {
        at + step for at, move in enumerate(found.moves) if move.kind != "same" for step in range(-_AROUND, _AROUND + 1)
    }
    for at, move in enumerate(found.moves):
        if not full and at not in near:
            hidden += 1
            continue
        if hidden:
            yield paint(f"        … {hidden} steps alike", dim=True)
        hidden = 0
        yield from _move(move, paint)
    if hidden:
        yield paint(f"        … {hidden} steps alike", dim=True)
    counted = [("alike", "same"), ("different", "differs"), ("only in A", "only_a"), ("only in B", "only_b")]
    yield paint(", ".join(f"{found.count(kind)} {name}" for name, kind in counted), bold=True)


def _move(move: Move, paint: Paint) -> Iterator[str]:
    a, b = move.a, move.b
    if a is not None and b is not None and move.kind == "differs" and move.how != "target":
        yield paint("~", fg="yellow", bold=True) + f" {a.seq:>5} {b.seq:>5}  {_cut(f'{a.what} {a.target}')}"
        if move.how == "output":
            yield paint("               printed something else", dim=True)
        else:
            yield "               " + paint(_cut(a.result or "nothing"), fg="red")
            yield "               " + paint(_cut(b.result or "nothing"), fg="green")
    elif move.kind == "same" and a is not None and b is not None:
        yield paint(f"  {a.seq:>5} {b.seq:>5}  {_cut(f'{a.what} {a.target}')}", dim=True)
    else:
        if a is not None:
            yield paint(f"- {a.seq:>5}        {_deed(a)}", fg="red")
        if b is not None:
            yield paint(f"+       {b.seq:>5}  {_deed(b)}", fg="green")


def _deed(deed: Deed) -> str:
    return _cut(f"{deed.what} {deed.target}" + (f" → {deed.result}" if deed.result else ""))


def _cut(text: str) -> str:
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= _WIDTH else flat[: _WIDTH - 1] + "…"
