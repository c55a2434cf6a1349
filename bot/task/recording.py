"""What has to be known of a trace before it can be replayed, and what a replay comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from bot.base.errors import ConfigurationError
from bot.trace.echo import Comparison, Divergence
from bot.trace.events import ApprovalAsked, ModelReplied, RunFinished, RunStarted
from bot.trace.reader import read
from bot.trace.writer import BLOBS

_SEEN = frozenset({"run_started", "tool_completed", "tool_failed", "guard_refused", "nudged"})
"""Events that end up in the conversation."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a replay."""

    same: bool
    """Every event came again, as far as the trace goes."""
    how: Literal["tools", "conversation", "nothing"]
    """What was made again; `nothing`: there was nothing to make again."""
    events: int
    """How many events were the same."""
    outcome: str
    """How the recorded run ended; empty when its trace is unfinished."""
    divergence: Divergence | None = None
    redacted_turns: tuple[int, ...] = ()
    """Turns that redaction had to change; a divergence from there on may come from that."""
    notes: tuple[str, ...] = ()


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A trace, looked through once."""

    file: Path
    started: RunStarted
    finished: RunFinished | None
    began: float
    """When the task began, seconds since the epoch."""
    approvals: tuple[ApprovalAsked, ...]
    redacted_turns: tuple[int, ...]
    redacted_results: bool
    """Whether secrets were taken out of what the model was shown."""

    @property
    def outcome(self) -> str:
        """How the run ended; empty when it did not."""
        return self.finished.outcome if self.finished else ""

    def comparison(self, only: frozenset[str] | None = None) -> Comparison:
        """A new one, at the first line; `only` leaves out all other events."""
        return Comparison(read(self.file), self.started.workspace, self.file.parent / BLOBS, only=only)

    def nothing(self, why: str) -> Replayed:
        """The result where there is nothing to make again."""
        return Replayed(same=True, how="nothing", events=0, outcome=self.outcome, notes=(f"Nothing to replay: {why}.",))

    def result(self, comparison: Comparison, how: Literal["tools", "conversation"]) -> Replayed:
        """The result, as far as the comparison came."""
        notes = []
        if self.finished is None:
            notes.append("The trace is unfinished: it was replayed as far as it goes.")
        if self.redacted_turns:
            turns = ", ".join(map(str, self.redacted_turns))
            notes.append(f"Not replayable over the wire: redaction had to change what the model said in turn {turns}.")
        if self.redacted_results and how == "conversation":
            notes.append("Secrets were taken out of what the model was shown: only the shape of requests was compared.")
        return Replayed(
            same=comparison.divergence is None,
            how=how,
            events=comparison.matched,
            outcome=self.outcome,
            divergence=comparison.divergence,
            redacted_turns=self.redacted_turns,
            notes=tuple(notes),
        )


def look(file: Path) -> Recording:
    """Look through a trace. Raises `ConfigurationError` when it is not that of a run, `WorldError` as `read` does."""
    first = next(read(file), None)
    if first is None or not isinstance(first.body, RunStarted):
        msg = f"{file} does not begin with the start of a run."
        raise ConfigurationError(msg, "Name an execution_trace.jsonl, or a folder with a proposal in it.")
    finished, began = None, first.time
    approvals: list[ApprovalAsked] = []
    redacted_turns: list[int] = []
    redacted = False
    for line in read(file):
        if isinstance(line.body, ApprovalAsked):
            approvals.append(line.body)
        elif isinstance(line.body, ModelReplied) and not line.body.replayable:
            redacted_turns.append(line.turn)
        elif isinstance(line.body, RunFinished):
            finished, began = line.body, line.time - line.body.duration_ms / 1000
        redacted |= line.event in _SEEN and "[secret:" in str(line.raw)
    return Recording(
        file=file,
        started=first.body,
        finished=finished,
        began=began,
        approvals=tuple(approvals),
        redacted_turns=tuple(redacted_turns),
        redacted_results=redacted,
    )
