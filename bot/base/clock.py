"""Time as a collaborator, so that a virtual run has a virtual clock and a real one a real one."""

from __future__ import annotations

import datetime
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time and elapsed time, in seconds."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed point; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        ...


def today(clock: Clock) -> datetime.date:
    """The date, in UTC."""
    return datetime.datetime.fromtimestamp(clock.now(), datetime.UTC).date()


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some fixed point."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        time.sleep(seconds)
