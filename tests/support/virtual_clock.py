"""A clock that moves only when somebody sleeps, or by a fixed tick at each look."""

from __future__ import annotations


class VirtualClock:
    """Implements `bot.base.clock.Clock`."""

    def __init__(self, tick: float = 0.0) -> None:
        self.time = 1000.0
        self.tick = tick
        self.slept: list[float] = []

    def now(self) -> float:
        return self.monotonic()

    def monotonic(self) -> float:
        self.time += self.tick
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
