"""How like a virtual run is to a real one: both as normalised steps, laid side by side at the least cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from bot.expected.happening import with_derived
from bot.expected.paths import is_test

_LOOKS = frozenset({"read_file", "list_files", "search_files", "read_output", "get_error_report"})
_LOOK_WEIGHT = 0.25
"""Looking around costs nobody anything, so where it differs says little."""
_PARTS: dict[str, tuple[str, ...]] = {
    "look": ("role",),
    "command": ("role", "end"),
    "write": ("role", "end"),
    "version": ("role",),
    "changelog": (),
    "verified": ("end",),
}
"""What is said of each kind, in the order of its text."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One event without what changes from run to run."""

    kind: str
    """`look`, `command`, `write`, `version`, `changelog`, `verified`."""
    role: str = ""
    """Which tool, program or part of the repository."""
    end: str = ""
    """How it ended."""

    @property
    def weight(self) -> float:
        """What it costs when only one of the runs has it."""
        return _LOOK_WEIGHT if self.kind == "look" else 1.0

    @property
    def deed(self) -> tuple[str, str]:
        """What was done, however it ended."""
        return self.kind, self.role

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.role, self.end) if part)

    @classmethod
    def spelled(cls, text: str) -> Step:
        """The step that `str` made this text of. Raises `ValueError` for any other text."""
        kind, *rest = text.split(" ")
        if kind not in _PARTS or len(rest) != len(_PARTS[kind]):
            msg = f"{text!r} is no step"
            raise ValueError(msg)
        return cls(kind=kind, **dict(zip(_PARTS[kind], rest, strict=True)))


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the alignment."""

    kind: Literal["same", "differs", "only virtual", "only real"]
    virtual: str = ""
    real: str = ""


class Alignment(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs side by side."""

    fidelity: float
    """1: the same steps; 0: nothing in common."""
    moves: tuple[Move, ...]

    @property
    def only_real(self) -> tuple[str, ...]:
        """What the virtual plugin has to learn."""
        return tuple(move.real for move in self.moves if move.kind in {"only real", "differs"})


def steps(lines: Iterable[Mapping[str, Any]]) -> list[Step]:
    """The steps of a trace, given as its lines; our own runs of the tests count by what they showed."""
    found: list[Step] = []
    for line in lines:
        match line["event"]:
            case "tool_requested" if line["tool"] in _LOOKS:
                found.append(Step(kind="look", role=line["tool"]))
            case "command_run" if line.get("phase", "agent") in {"agent", "script"}:
                program = with_derived(line)["argv0"] or "sh"
                found.append(
                    Step(kind="command", role=_word(program), end="passes" if line["exit_code"] == 0 else "fails")
                )
            case "file_write":
                found.append(Step(kind="write", role=_word(_part(line["path"])), end=line["change"]))
            case "version_change":
                found.append(Step(kind="version", role=line["bump"]))
            case "changelog_entry":
                found.append(Step(kind="changelog"))
            case "verification":
                found.append(Step(kind="verified", end="proven" if line["proven"] else "not-proven"))
    return found


def align(virtual: list[Step], real: list[Step]) -> Alignment:
    """The cheapest way to lay both side by side: a step that only one has costs its weight, one that differs in its
    end costs as much as one step.
    """
    width = len(real) + 1
    costs = [[0.0] * width for _ in range(len(virtual) + 1)]
    for row in range(1, len(virtual) + 1):
        costs[row][0] = costs[row - 1][0] + virtual[row - 1].weight
    for column in range(1, width):
        costs[0][column] = costs[0][column - 1] + real[column - 1].weight
    for row, ours in enumerate(virtual, 1):
        for column, theirs in enumerate(real, 1):
            costs[row][column] = min(
                costs[row - 1][column] + ours.weight,
                costs[row][column - 1] + theirs.weight,
                costs[row - 1][column - 1] + _together(ours, theirs),
            )
    whole = costs[-1][0] + costs[0][-1]
    fidelity = 1 - costs[-1][-1] / whole if whole else 1.0
    return Alignment(fidelity=round(fidelity, 4), moves=tuple(reversed(_moves(virtual, real, costs))))


def _together(ours: Step, theirs: Step) -> float:
    if ours == theirs:
        return 0.0
    same = (ours.kind, ours.role) == (theirs.kind, theirs.role)
    return max(ours.weight, theirs.weight) if same else float("inf")


def _moves(virtual: list[Step], real: list[Step], costs: list[list[float]]) -> list[Move]:
    """From the end to the beginning."""
    found: list[Move] = []
    row, column = len(virtual), len(real)
    while row or column:
        here = costs[row][column]
        if row and column:
            ours, theirs = virtual[row - 1], real[column - 1]
            if here == costs[row - 1][column - 1] + _together(ours, theirs):
                kind: Literal["same", "differs"] = "same" if ours == theirs else "differs"
                found.append(Move(kind=kind, virtual=str(ours), real=str(theirs)))
                row, column = row - 1, column - 1
                continue
        if row and here == costs[row - 1][column] + virtual[row - 1].weight:
            row -= 1
            found.append(Move(kind="only virtual", virtual=str(virtual[row])))
        else:
            column -= 1
            found.append(Move(kind="only real", real=str(real[column])))
    return found


def _word(text: str) -> str:
    return "-".join(text.split()) or "-"


def _part(path: str) -> str:
    """Which part of a repository a file belongs to."""
    if is_test(path, ()):
        return "tests"
    name = path.rpartition("/")[2]
    return name if name.endswith((".toml", ".cfg", ".md", ".rst", ".txt", ".json", ".yml", ".yaml")) else "source"
