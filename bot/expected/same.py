"""The operator `same`: a value that one event shows has to be the value that another shows."""

from __future__ import annotations

import re
from typing import ClassVar

import msgspec

from bot.expected.happening import Happening
from bot.expected.monitor import Base, Finding, State
from bot.expected.selectors import Selector, value_at


class Side(msgspec.Struct, frozen=True):
    """Where `same` takes a value from."""

    of: Selector
    field: str
    pattern: re.Pattern[str] | None = None
    """Its first group, or else the whole match, is the value."""

    def value(self, event: Happening) -> str | None:
        """The value, or None when the event does not have it."""
        value = value_at(event.fields, self.field)
        if value is None or self.pattern is None:
            return None if value is None else str(value)
        found = self.pattern.search(str(value))
        return None if found is None else found[1] if self.pattern.groups else found[0]


_UNSEEN = (-1, None, -1)


class Same(Base, frozen=True):
    """The last value of `a` is the last value of `b`.

    State, for each side: rank, value, the event that shows it; a value of None says that the last ones differ.
    """

    word: ClassVar[str] = "same"
    start: ClassVar[State] = (_UNSEEN, _UNSEEN)
    safety: ClassVar[bool] = False
    a: Side
    b: Side

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Of both sides."""
        return self.a.of, self.b.of

    def step(self, state: State, event: Happening) -> State:
        """Nothing breaks it: a later value may set it right."""
        a, b = _seen(self.a, state[0], event), _seen(self.b, state[1], event)
        return state if a is state[0] and b is state[1] else (a, b)

    def end(self, state: State) -> Finding | None:
        """Both sides have to have said something, and the same."""
        (rank_a, a, seq_a), (rank_b, b, seq_b) = state
        if rank_a < 0 and rank_b < 0:
            return Finding(None, "neither value was seen", evaluable=False)
        seq = max(seq_a, seq_b)
        if rank_a < 0 or rank_b < 0:
            return Finding(seq, "only one of the two values was seen")
        if a is None or b is None:
            return Finding(seq_a if a is None else seq_b, "one turn gave different values")
        return Finding(seq, f"{a} is not {b}") if a != b else None


def _seen(side: Side, state: State, event: Happening) -> State:
    if not side.of.fits(event):
        return state
    value = side.value(event)
    if value is None:
        return state
    rank, before, _ = state
    return event.rank, value if event.rank != rank or before == value else None, event.seq
