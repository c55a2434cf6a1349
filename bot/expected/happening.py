"""An event as rules see it: its place in the order of things, its name, its fields and what is derived from them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from bot.trace.commands import words

EFFECTS = frozenset({"file_write", "version_change", "changelog_entry"})
"""Events that say what a call changed; restoring the workspace undoes them."""


OWN_PHASES = frozenset({"setup", "probe", "verify"})
"""Phases of the commands that we run ourselves."""


class Happening(msgspec.Struct, frozen=True):
    """One event. `rank` is its place in time: of two events with the same rank neither comes first."""

    seq: int
    rank: int
    event: str
    fields: Mapping[str, Any]


class Order:
    """Gives events their rank, in the order in which they come.

    Events of one model turn share a rank, because the model asked for them without having seen any of their results.
    Turn 0 is what no model turn caused (set-up, a script, our own verification): there the order is that of the trace.
    """

    __slots__ = ("_rank", "_turn")

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._rank = -1
        self._turn = 0

    def rank(self, turn: int) -> int:
        """The rank of the next event, which belongs to this model turn."""
        if turn < 1 or turn != self._turn:
            self._rank += 1
            self._turn = turn
        return self._rank


def happenings(lines: Iterable[Mapping[str, Any]], kinds: Container[str], *, ours: bool = True) -> Iterator[Happening]:
    """Trace lines (`seq`, `turn`, `event` and the body's fields) of these kinds as rules see them.

    Without `ours` the commands are left out that we ran ourselves.
    """
    order = Order()
    at, last = 0, -1
    for line in lines:
        event, turn = line["event"], line["turn"]
        if turn != last or turn < 1:
            at, last = order.rank(turn), turn
        if event in kinds:
            if event != "command_run":
                yield Happening(line["seq"], at, event, line)
            elif ours or line.get("phase") not in OWN_PHASES:
                yield Happening(line["seq"], at, event, with_derived(line))


def with_derived(line: Mapping[str, Any]) -> dict[str, Any]:
    """A `command_run` with `argv`, `argv0`, `exit` and the numbers of its tests."""
    argv = line.get("argv") or words(line.get("command", ""))
    tests = line.get("tests")
    derived = {"argv": argv, "argv0": argv[0].rpartition("/")[2] if argv else None, "exit": line.get("exit_code")}
    if tests:
        derived |= {name: tests.get(name, 0) for name in ("passed", "failed", "skipped", "errors")}
    return {**line, **derived}
