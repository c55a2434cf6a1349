"""The eight operators, each a monitor whose state is a tuple of fixed size.

`x < y` below means: x has a smaller rank than y (see `bot.expected.happening.Order`). Events of one model turn have the
same rank, so neither is before the other. Over a whole trace the operators say

===========================  ===========================================================================================
never S                      no event is S
only {of, allow}             every `of` is `allow`
count {of, min, max}         the number of `of` lies between
before {first, then}         for every `then` there is a `first` with first < then
after {each, must}           for every `each` there is a `must` with each < must
last {of, is}                there is an `of`, and every `of` that no other `of` follows (of < other) is `is`
between {from, to, never}    for no `never` there is a `from` < never without a `to` with from < to < never
same {a, b}                  the values of the a that no other a follows and of the b that no other b follows are one
===========================  ===========================================================================================

So a tie fulfils no order that is asked for: a test in the same turn as an edit does not show that the edit is right.
"""

from __future__ import annotations

from typing import ClassVar

from bot.expected.happening import Happening
from bot.expected.monitor import Base, Broken, Finding, State
from bot.expected.selectors import Selector


class Never(Base, frozen=True):
    """No event is `what`."""

    word: ClassVar[str] = "never"
    what: Selector

    def step(self, state: State, event: Happening) -> State:
        """Broken by the first."""
        return Broken(event.seq) if self.what.fits(event) else state


class Only(Base, frozen=True):
    """Every `of` is `allow`."""

    word: ClassVar[str] = "only"
    of: Selector
    allow: Selector

    def step(self, state: State, event: Happening) -> State:
        """Broken by the first that is not allowed."""
        return Broken(event.seq) if self.of.fits(event) and not self.allow.fits(event) else state


class Count(Base, frozen=True):
    """There are `least` to `most` events `of`. State: how many so far."""

    word: ClassVar[str] = "count"
    start: ClassVar[State] = (0,)
    of: Selector
    least: int = 0
    most: int | None = None

    @property
    def safety(self) -> bool:  # type: ignore[override]
        """An upper bound can be guarded, a lower one not."""
        return self.most is not None

    def step(self, state: State, event: Happening) -> State:
        """Broken by the first that is one too many."""
        if not self.of.fits(event):
            return state
        seen = state[0] + 1
        if self.most is not None and seen > self.most:
            return Broken(event.seq)
        # More than enough is one state, so that those who search all states come to an end.
        return (seen,) if self.most is not None else (min(seen, self.least),)

    def end(self, state: State) -> Finding | None:
        """Too few."""
        return Finding(None, f"{state[0]} of at least {self.least}") if state[0] < self.least else None


class Before(Base, frozen=True):
    """Every `then` has a `first` before it. State: the rank of the earliest `first`, once there is one."""

    word: ClassVar[str] = "before"
    first: Selector
    then: Selector

    def step(self, state: State, event: Happening) -> State:
        """Broken by a `then` that nothing, or only something in its own turn, came before."""
        if self.then.fits(event) and not (state and state[0] < event.rank):
            return Broken(event.seq)
        return (event.rank,) if not state and self.first.fits(event) else state


class After(Base, frozen=True):
    """Every `each` has a `must` after it.

    State: rank, the oldest unanswered `each` of an earlier rank, the oldest of this rank (-1: none).
    """

    word: ClassVar[str] = "after"
    start: ClassVar[State] = (-1, -1, -1)
    safety: ClassVar[bool] = False
    each: Selector
    must: Selector

    def step(self, state: State, event: Happening) -> State:
        """Nothing breaks it: it can always still be answered."""
        each, must = self.each.fits(event), self.must.fits(event)
        if not (each or must):
            return state
        rank, older, now = state
        if event.rank != rank:
            older, now = (older if older >= 0 else now), -1
        if must:
            older = -1
        return event.rank, older, event.seq if each and now < 0 else now

    def end(self, state: State) -> Finding | None:
        """The oldest that nothing answered."""
        _, older, now = state
        open_since = older if older >= 0 else now
        return Finding(open_since, "nothing of what has to follow came after it") if open_since >= 0 else None


class Last(Base, frozen=True):
    """The last `of` is `is_`; of several in its turn, all. State: rank, the first of them that is not (-1: none)."""

    word: ClassVar[str] = "last"
    start: ClassVar[State] = (-1, -1)
    safety: ClassVar[bool] = False
    of: Selector
    is_: Selector

    def step(self, state: State, event: Happening) -> State:
        """Nothing breaks it: another may follow."""
        if not self.of.fits(event):
            return state
        wrong = state[1] if state[0] == event.rank else -1
        return event.rank, event.seq if wrong < 0 and not self.is_.fits(event) else wrong

    def end(self, state: State) -> Finding | None:
        """There has to be one, and it has to be as it should."""
        if state[0] < 0:
            return Finding(None, "there was none")
        return Finding(state[1], "the last one is not as it should be") if state[1] >= 0 else None


class Between(Base, frozen=True):
    """After a `from_` and until a `to` (without it: until the end) there is no `never`.

    State: rank; whether a `from_` of an earlier rank is still open; whether this rank had a `from_`, and a `to`.
    """

    word: ClassVar[str] = "between"
    start: ClassVar[State] = (-1, False, False, False)
    from_: Selector
    to: Selector | None
    never: Selector

    def step(self, state: State, event: Happening) -> State:
        """Broken by a `never` in between."""
        rank, is_open, began, ended = state
        if event.rank != rank:
            is_open, began, ended = began or (is_open and not ended), False, False
        if is_open and self.never.fits(event):
            return Broken(event.seq)
        ended = ended or (self.to is not None and self.to.fits(event))
        return event.rank, is_open, began or self.from_.fits(event), ended
