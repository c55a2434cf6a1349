"""Numbers for the page's drawings, in the units of their view boxes."""

from __future__ import annotations

import msgspec

from bot.trace.page.story import Item, Spent, Story

WIDTH = 1000.0
HEIGHT = 120.0
_LANES = {"model": 0, "agent": 1, "fleet-bot": 2, "person": 2}
_BARS = 400
"""More turns than this are put together."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one turn, or of a few: from the bottom up cached prompt, new prompt, output with thoughts."""

    id: str
    label: str
    x: float
    width: float
    cached: tuple[float, float]
    fresh: tuple[float, float]
    out: tuple[float, float]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The chart of tokens and cost over turns."""

    bars: tuple[Bar, ...]
    line: str
    """Points of the cost so far."""
    most: int
    cost: float


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One item on the time line."""

    id: str
    label: str
    x: float
    width: float
    lane: int
    state: str
    actor: str


def tokens(spent: list[Spent]) -> Tokens | None:
    """None when no model was asked."""
    if not spent:
        return None
    step = -(-len(spent) // _BARS)
    heaps = [spent[at : at + step] for at in range(0, len(spent), step)]
    most = max(_total(heap) for heap in heaps) or 1
    cost = spent[-1].cost_so_far
    wide = WIDTH / len(heaps)
    bars = tuple(_bar(heap, number * wide, wide, most) for number, heap in enumerate(heaps))
    points = [(0.0, HEIGHT)]
    points += [
        ((n + 1) * wide, HEIGHT * (1 - 0.96 * heap[-1].cost_so_far / (cost or 1))) for n, heap in enumerate(heaps)
    ]
    return Tokens(bars=bars, line=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), most=most, cost=cost)


def timeline(story: Story) -> tuple[Mark, ...]:
    """All items by time; the newest lie on top."""
    whole = story.seconds or 1.0
    return tuple(_on_line(item, whole) for item in story.items)


def _total(heap: list[Spent]) -> int:
    return sum(one.usage.total for one in heap)


def _bar(heap: list[Spent], x: float, wide: float, most: int) -> Bar:
    cached = sum(one.usage.cached for one in heap)
    fresh = sum(one.usage.prompt for one in heap) - cached
    out = sum(one.usage.output + one.usage.thoughts for one in heap)
    turns = f"turn {heap[0].turn}" if len(heap) == 1 else f"turns {heap[0].turn} to {heap[-1].turn}"
    label = f"{turns}: {fresh:,} tokens in, {cached:,} from the cache, {out:,} out, ${heap[-1].cost_so_far:.4f} so far"
    heights = [HEIGHT * 0.96 * max(part, 0) / most for part in (cached, fresh, out)]
    tops = [HEIGHT - sum(heights[: n + 1]) for n in range(3)]
    spans = [(round(top, 2), round(height, 2)) for top, height in zip(tops, heights, strict=True)]
    gap = min(wide * 0.12, 3.0)
    return Bar(
        id=heap[0].id,
        label=label,
        x=round(x + gap, 2),
        width=round(wide - 2 * gap, 2),
        cached=spans[0],
        fresh=spans[1],
        out=spans[2],
    )


def _on_line(item: Item, whole: float) -> Mark:
    return Mark(
        id=item.id,
        label=f"{item.what} {item.target[:80]} {item.result[:80]}",
        x=round(WIDTH * item.start / whole, 1),
        width=round(max(WIDTH * item.seconds / whole, 2.0), 1),
        lane=_LANES.get(item.actor, 2),
        state=item.state,
        actor=item.actor,
    )
