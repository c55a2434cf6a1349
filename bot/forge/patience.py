"""When to ask a forge again, and how fast to write. Knows statuses and waits, no library.

A request is sent again when it changes nothing to do so: reads and idempotent writes after a failure of unknown
effect, and anything at all after a rate limit, since the server says that it did not act. Never anything else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from bot.base.clock import Clock

T = TypeVar("T")
TRIES = 4
LONGEST_WAIT = 300.0
"""Seconds; who has to wait longer is told so and comes back by himself."""
_FIRST_LIMIT_WAIT = 60.0  # GitHub asks for at least a minute when it names no time


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request failed."""

    status: int
    """0 when no answer came."""
    words: str
    """The server's, already harmless."""
    limited: bool = False
    """A rate limit: the server did nothing."""
    wait: float | None = None
    """Seconds after which it may be asked again, when it said so."""


class Asked(Exception):
    """The last failure, after all tries."""

    def __init__(self, failure: Failure) -> None:
        """Carries the failure."""
        super().__init__(failure.words)
        self.failure = failure


class Patience:
    """Asks again where that is safe. One for all threads that use the same token."""

    def __init__(self, clock: Clock, *, pace: float) -> None:
        """`pace` is the least number of seconds between two writes."""
        self._clock, self._pace = clock, pace
        self._lock = threading.Lock()
        self._next_write = 0.0

    def ask(
        self, call: Callable[[], T], explain: Callable[[Exception], Failure | None], *, write: bool, again: bool
    ) -> T:
        """What `call` returns. `explain` turns its errors into failures; None is an error of another kind.

        `again` says that sending it twice is the same as sending it once. Raises `Asked`.
        """
        for attempt in range(1, TRIES + 1):
            if write:
                self.take_turn()
            try:
                return call()
            except Exception as error:
                failure = explain(error)
                if failure is None:
                    raise
                wait = self._wait(failure, attempt, again=again)
                if wait is None or attempt == TRIES:
                    raise Asked(failure) from error
                self._clock.sleep(wait)
        raise AssertionError

    def take_turn(self) -> None:
        """Wait until a write may be sent; each caller gets a time of its own."""
        with self._lock:
            now = self._clock.monotonic()
            mine = max(self._next_write, now)
            self._next_write = mine + self._pace
        if mine > now:
            self._clock.sleep(mine - now)

    @staticmethod
    def _wait(failure: Failure, attempt: int, *, again: bool) -> float | None:
        if failure.limited:
            wait = _FIRST_LIMIT_WAIT * 2 ** (attempt - 1) if failure.wait is None else failure.wait
            return wait if wait <= LONGEST_WAIT else None
        if again and (failure.status == 0 or failure.status >= 500):
            return max(failure.wait or 0.0, float(2 ** (attempt - 1)))
        return None
