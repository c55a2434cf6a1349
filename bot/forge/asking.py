"""Asks a server with patience, and turns what fails in the end into an error that a person can act upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bot.base.clock import Clock
from bot.forge.failures import explain, to_error
from bot.forge.patience import Asked, Patience

T = TypeVar("T")


class Asking:
    """One for all threads that use the same token."""

    def __init__(self, *, clock: Clock, pace: float, server: str, anonymous: bool) -> None:
        """`pace` is the least number of seconds between two writes; `anonymous` says that there is no token."""
        self._clock, self._server, self._anonymous = clock, server, anonymous
        self.patience = Patience(clock, pace=pace)

    def read(self, what: str, call: Callable[[], T]) -> T:
        """What `call` returns; `what` continues "could not". Raises `ForgeError`, `ConfigurationError`."""
        return self._ask(what, call, write=False, again=True)

    def write(self, what: str, call: Callable[[], T], *, again: bool) -> T:
        """As `read`, in its turn; `again` says that sending it twice is the same as sending it once."""
        return self._ask(what, call, write=True, again=again)

    def _ask(self, what: str, call: Callable[[], T], *, write: bool, again: bool) -> T:
        try:
            return self.patience.ask(call, lambda error: explain(error, self._clock.now()), write=write, again=again)
        except Asked as asked:
            error = to_error(asked.failure, what, server=self._server, anonymous=self._anonymous)
            raise error from asked.__cause__
