"""How a task ends: in a value, whatever happened."""

from __future__ import annotations

import traceback

from bot.base.canonical import spelled_out
from bot.base.errors import FleetBotError, TaskBlocked, TaskFailed, TaskSkipped, UsageError
from bot.base.values import Outcome
from bot.ports import CommandResult

_SHOWN = 600


class Ended(Exception):
    """The task has its outcome and goes straight to the seal."""

    def __init__(self, outcome: Outcome, reason: str, mistake: str | None = None) -> None:
        """`reason` is one sentence for a person, `mistake` the traceback of what nobody foresaw."""
        super().__init__(reason)
        self.outcome = outcome
        # It may quote the name of a file, which is bytes.
        self.reason = spelled_out(reason)
        self.mistake = mistake


def why_it_failed(result: CommandResult, seconds: float) -> str:
    """A failed command's last words, or that it did not end in its `seconds`."""
    if result.timed_out:
        return f"no end after {seconds:g} s"
    return (result.stderr or result.stdout).decode("utf-8", "replace").strip()[-_SHOWN:]


def outcome_of(end: BaseException) -> Ended:
    """What an exception means for the task that it ended. What nobody foresaw is an error of ours, and said so."""
    match end:
        case Ended():
            return end
        case TaskSkipped():
            return Ended("skipped", str(end))
        case TaskBlocked():
            return Ended("blocked", str(end))
        case TaskFailed() | UsageError():
            return Ended("failed", str(end))
        case FleetBotError():
            return Ended("error", str(end))
        case OSError():
            return Ended("error", f"{end.strerror or end}{f': {end.filename}' if end.filename else ''}.")
        case _:
            reason = f"A mistake in fleet-bot, please report it with the trace: {type(end).__name__}: {end}"
            return Ended("error", reason, "".join(traceback.format_exception(end)))
