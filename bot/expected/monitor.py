"""What an operator is: a monitor that is fed one event at a time and keeps a state of fixed size."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from bot.expected.happening import Happening
from bot.expected.selectors import Selector

State = tuple[Any, ...]


class Broken(NamedTuple):
    """The state of a rule that nothing can mend any more: the event with this number broke it."""

    seq: int


class Finding(NamedTuple):
    """Why a rule does not hold when the trace ends. `evaluable` is False when nothing can be said."""

    seq: int | None
    why: str
    evaluable: bool = True


class Operator(Protocol):
    """A monitor without memory of its own: the state is handed in and out, so that one can look ahead."""

    word: ClassVar[str]

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """What it speaks about; no other event changes its state."""
        ...

    @property
    def safety(self) -> bool:
        """Whether a single event can break it, so that a guard can refuse that event."""
        ...

    @property
    def start(self) -> State:
        """The state before anything happened."""
        ...

    def step(self, state: State, event: Happening) -> State:
        """The state after one more event; `Broken` when it violates the rule. Never called on `Broken`."""
        ...

    def end(self, state: State) -> Finding | None:
        """What is wrong if the trace ends here, or None. Never called on `Broken`."""
        ...


class Base(msgspec.Struct, frozen=True):
    """What most operators have in common."""

    word: ClassVar[str]
    start: ClassVar[State] = ()
    safety: ClassVar[bool] = True

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """All the selectors it is made of."""
        return tuple(part for part in (getattr(self, name) for name in self.__struct_fields__) if _is_selector(part))

    def end(self, state: State) -> Finding | None:
        """Nothing is left to be done for what only forbids."""
        return None


def _is_selector(part: object) -> bool:
    return isinstance(part, Selector)
