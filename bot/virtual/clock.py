"""A clock that only moves when something says how long it took: virtual runs take no time and always the same time."""

from __future__ import annotations

EPOCH = 1_767_225_600.0
"""2026-01-01T00:00:00Z: where virtual time starts with seed 0."""
_YEAR = 365 * 86_400


class VirtualClock:
    """Implements `bot.base.clock.Clock`. Nobody waits: `sleep` moves the hands."""

    def __init__(self, seed: int = 0) -> None:
        """Each seed starts at a second of its own within the year after `EPOCH`."""
        self._started = EPOCH + (seed * 2_654_435_761) % _YEAR
        self._passed = 0.0
        self.steps = 0
        """How often time passed."""
        self.last = 0.0
        """Seconds that passed last."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return self._started + self._passed

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Let that much virtual time pass, at once; negative means none."""
        if seconds > 0:
            self._passed += seconds
            self.steps += 1
            self.last = seconds
