"""How a task ends: in a value, whatever happened."""

from __future__ import annotations

from bot.base.errors import FleetBotError, TaskBlocked, TaskFailed, TaskSkipped, UsageError, WorldError
from bot.base.values import Outcome


class Ended(Exception):
    """The task has its outcome and goes straight to the seal."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        """`reason` is one sentence for a person."""
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


def outcome_of(end: BaseException) -> Ended:
    """What an error means for the task that it ended."""
    match end:
        case Ended():
            return end
        case TaskSkipped():
            outcome: Outcome = "skipped"
        case TaskBlocked():
            outcome = "blocked"
        case WorldError() | OSError():
            outcome = "error"
        case TaskFailed() | UsageError():
            outcome = "failed"
        case _:
            outcome = "failed"
    return Ended(outcome, str(end) if isinstance(end, FleetBotError) else f"{type(end).__name__}: {end}")
