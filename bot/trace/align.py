"""Two runs side by side: what only one of them did, and what went differently.

Steps are aligned by what was done (which tool, on what), wherever in the run that was; how it ended is compared then.
Volatile text (`bot.trace.normal`) counts for nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from bot.base.canonical import sha256
from bot.trace.events import RunFinished, RunStarted
from bot.trace.groups import groups
from bot.trace.line import Line
from bot.trace.normal import Normaliser
from bot.trace.steps import steps

_SHOWN = 200


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One step, normalised."""

    seq: int
    turn: int
    what: str
    target: str
    result: str
    digest: str
    """Hash of what it printed or was told."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the alignment."""

    kind: Literal["same", "differs", "only_a", "only_b"]
    a: Deed | None = None
    b: Deed | None = None
    how: str = ""
    """What differs: `result`, `output`, or `target`."""


class Alignment(msgspec.Struct, frozen=True, kw_only=True):
    """The whole comparison."""

    settings: dict[str, tuple[str, str]]
    """What the runs began and ended with, where that differs: field → both values."""
    moves: tuple[Move, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.settings and all(move.kind == "same" for move in self.moves)

    def count(self, kind: str) -> int:
        """How many moves of a kind there are."""
        return sum(move.kind == kind for move in self.moves)


def align(a: Iterable[Line], b: Iterable[Line]) -> Alignment:
    """Compare two traces."""
    one, two = _Side(a), _Side(b)
    names = [name for name in {**one.settings, **two.settings} if one.settings.get(name) != two.settings.get(name)]
    settings = {name: (one.settings.get(name, ""), two.settings.get(name, "")) for name in names}
    return Alignment(settings=settings, moves=tuple(_moves(one.deeds, two.deeds)))


class _Side:
    """One of the two runs."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.settings: dict[str, str] = {}
        self._normal = Normaliser()
        self.deeds = [deed for group in groups(self._watched(lines)) for deed in self._deeds(group)]

    def _watched(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            match line.body:
                case RunStarted():
                    self._normal = Normaliser(line.body.workspace)
                    self._began(line.body)
                case RunFinished():
                    reason = self._normal.text(line.body.reason)
                    self.settings |= {"outcome": line.body.outcome, "reason": reason}
            yield line

    def _began(self, start: RunStarted) -> None:
        model = start.model or {}
        self.settings |= {
            "plugin": start.plugin,
            "playbook": f"{start.playbook} {start.playbook_version} {start.playbook_hash[:12]}",
            "base": start.base_sha[:12],
            "model": f"{model.get('name', 'none, a script')} {model.get('parameters') or ''}".strip(),
            "variables": ", ".join(f"{name}={value}" for name, value in sorted(start.variables.items())),
            "system prompt": sha256(start.system)[:12],
            "prompt": sha256(start.prompt)[:12],
            "tools": ", ".join(str(tool.get("name")) for tool in start.tools),
            "fleet-bot": start.bot_version,
        }

    def _deeds(self, group: list[Line]) -> Iterator[Deed]:
        text = self._normal.text
        for step in steps(group):
            model = step.what == "reply"
            yield Deed(
                seq=step.seq,
                turn=step.turn,
                what=step.what,
                target=text(step.target)[:_SHOWN] if step.what != "commit" else "",
                # How many tokens a reply took is no deed; what it said is.
                result=text(step.result.partition(",")[0] if model else step.result)[:_SHOWN],
                digest=sha256(text(step.text))[:12] if step.text.strip() else "",
            )


def _moves(a: list[Deed], b: list[Deed]) -> Iterator[Move]:
    keys = [[(deed.what, deed.target) for deed in side] for side in (a, b)]
    matcher = difflib.SequenceMatcher(a=keys[0], b=keys[1], autojunk=False)
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if tag == "equal":
            for x, y in zip(a[a1:a2], b[b1:b2], strict=True):
                how = _how(x, y)
                yield Move(kind="differs" if how else "same", a=x, b=y, how=how)
        else:
            yield from _replaced(a[a1:a2], b[b1:b2])


def _replaced(a: list[Deed], b: list[Deed]) -> Iterator[Move]:
    """Steps that have no equal on the other side; those of the same kind are held against each other."""
    matcher = difflib.SequenceMatcher(a=[x.what for x in a], b=[y.what for y in b], autojunk=False)
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if tag == "equal":
            for x, y in zip(a[a1:a2], b[b1:b2], strict=True):
                yield Move(kind="differs", a=x, b=y, how="target")
        else:
            yield from (Move(kind="only_a", a=x) for x in a[a1:a2])
            yield from (Move(kind="only_b", b=y) for y in b[b1:b2])


def _how(a: Deed, b: Deed) -> str:
    if a.result != b.result:
        return "result"
    return "output" if a.digest != b.digest else ""
