"""A trace as the page tells it: turns, items in them, and what the charts draw."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from bot.base.values import Usage
from bot.trace.events import CommandRun, ModelReplied, RunFinished, RunStarted, TestCounts, VerificationDone
from bot.trace.groups import groups
from bot.trace.inert import visible
from bot.trace.line import Line
from bot.trace.page.blocks import Block, blocks
from bot.trace.steps import Step, steps

MOST = 4_000
"""Items on one page; of more, the middle is left out, but for what failed."""
_ENDS = 1_500
_TEXT = 1_600_000
"""Bytes of foreign text on one page, escaped."""
_LIMITS = (16_000, 8_000, 4_000, 2_000, 1_000, 500, 250, 120)
_LINE = 240
_KINDS = {"reply": "model", "retry": "model", "edit_file": "change", "write_file": "change", "write": "change"}
_COMMANDS = frozenset({"run_shell_command", "script", "setup", "probe", "verify"})


class Item(msgspec.Struct, kw_only=True):
    """One thing that was done. Texts are foreign: visible, not escaped."""

    id: str
    seq: int
    turn: int
    actor: str
    what: str
    target: str
    result: str
    state: str
    """good, bad or odd."""
    kind: str
    """model, command, change or other: what the filters ask for."""
    start: float
    """Seconds after the first line."""
    seconds: float
    tests: TestCounts | None = None
    green: bool | None = None
    """For a run of tests: whether it ended green."""
    blocks: list[Block] = []


class Turn(msgspec.Struct, kw_only=True):
    """A turn of the model, or what fleet-bot did before or after."""

    number: int
    title: str
    items: list[Item] = []
    usage: Usage = Usage()


class Spent(msgspec.Struct, kw_only=True):
    """What one model call used, for the chart."""

    id: str
    turn: int
    usage: Usage
    cost_so_far: float


class Story(msgspec.Struct, kw_only=True):
    """All that the page shows."""

    started: RunStarted | None = None
    finished: RunFinished | None = None
    proof: VerificationDone | None = None
    turns: list[Turn] = []
    spent: list[Spent] = []
    items: list[Item] = []
    events: int = 0
    unknown: int = 0
    left_out: int = 0
    seconds: float = 0.0


def tell(lines: Iterable[Line], published: Iterable[Line] = ()) -> Story:
    """Read both traces, and keep what one page can hold."""
    story = Story()
    kept = _Kept()
    for group in groups(_watched(lines, story)):
        for item in _items(group, story, ""):
            kept.add(item)
    later = [item for group in groups(published) for item in _items(group, Story(), "p")]
    story.items, story.left_out = kept.all()
    story.turns = _turns(story.items)
    if later:
        story.turns.append(Turn(number=-1, title="publishing", items=later))
    story.seconds = max([item.start + item.seconds for item in story.items], default=0.0)
    _fit([block for turn in story.turns for item in turn.items for block in item.blocks])
    return story


class _Kept:
    """Both ends of a long run, and what failed in between."""

    def __init__(self) -> None:
        self.first: list[Item] = []
        self.middle: list[Item] = []
        self.last: deque[Item] = deque()
        self.left_out = 0

    def add(self, item: Item) -> None:
        if len(self.first) < _ENDS:
            self.first.append(item)
            return
        self.last.append(item)
        if len(self.last) > MOST - _ENDS:
            self.drop()

    def drop(self) -> None:
        """Make room: the oldest of the tail goes, unless it failed and there is room for such."""
        oldest = self.last.popleft()
        if oldest.state == "bad" and len(self.middle) < _ENDS // 2:
            self.middle.append(oldest)
        else:
            self.left_out += 1

    def all(self) -> tuple[list[Item], int]:
        while len(self.first) + len(self.middle) + len(self.last) > MOST:
            self.drop()
        return [*self.first, *self.middle, *self.last], self.left_out


def _watched(lines: Iterable[Line], story: Story) -> Iterator[Line]:
    first: float | None = None
    cost = 0.0
    for line in lines:
        first = line.time if first is None else first
        story.events += 1
        story.unknown += line.body is None
        story.seconds = first
        match line.body:
            case RunStarted():
                story.started = line.body
            case RunFinished():
                story.finished = line.body
            case VerificationDone():
                story.proof = line.body
            case ModelReplied():
                cost += line.body.usage.cost_usd
                if len(story.spent) < MOST:
                    story.spent.append(
                        Spent(id=f"e{line.seq}", turn=line.turn, usage=line.body.usage, cost_so_far=cost)
                    )
        yield line


def _items(group: list[Line], story: Story, prefix: str) -> Iterator[Item]:
    for step in steps(group):
        seconds = step.milliseconds / 1000
        ended = group[-1].time - story.seconds
        run = next((line.body for line in group if isinstance(line.body, CommandRun)), None)
        yield Item(
            id=f"{prefix or 'e'}{step.seq}",
            seq=step.seq,
            turn=step.turn,
            actor=step.actor,
            what=_line(step.what),
            target=_line(step.target or _spoken(group[0])),
            result=_line(step.result),
            state=_state(step),
            kind="command" if step.what in _COMMANDS else _KINDS.get(step.what, "other"),
            start=max(ended - seconds, 0.0) if not prefix else 0.0,
            seconds=seconds,
            tests=run.tests if run else None,
            green=run.exit_code == 0 if run and run.tests else None,
            blocks=list(blocks(group)),
        )


def _state(step: Step) -> str:
    # Our own red run is an answer and not a failure: whether it is a good one, the verification says.
    answer = step.what in {"verify", "probe"} and not step.deviation
    if step.good:
        return "odd" if step.deviation else "good"
    return "odd" if answer else "bad"


def _spoken(line: Line) -> str:
    """What a reply says, or else which tools it calls."""
    if not isinstance(line.body, ModelReplied):
        return ""
    parts = line.body.parts
    said = "".join(str(part.get("text", "")) for part in parts if part.get("kind") == "text")
    calls = ", ".join(str(part.get("name")) for part in parts if part.get("kind") == "call")
    return said if said.strip() else f"→ {calls}" if calls else ""


def _turns(items: list[Item]) -> list[Turn]:
    turns: list[Turn] = []
    for item in items:
        if not turns or turns[-1].number != item.turn:
            before = "before the agent" if not turns else "after the agent"
            turns.append(Turn(number=item.turn, title=f"turn {item.turn}" if item.turn else before))
        turns[-1].items.append(item)
    return turns


def _fit(found: list[Block]) -> None:
    """Cut what is long until all of it fits on the page."""
    sizes = [block.size for block in found]
    limit = next((limit for limit in _LIMITS if sum(min(size, limit) for size in sizes) <= _TEXT), _LIMITS[-1])
    for block in found:
        block.cut(limit)


def _line(text: str) -> str:
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= _LINE else flat[: _LINE - 1] + "…"
