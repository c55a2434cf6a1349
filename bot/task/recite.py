"""Replays the conversation of a trace alone: no tool runs, their results come from the trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bot.agent.act import Hands
from bot.agent.loop import Crew, run_loop
from bot.base.errors import FleetBotError, TaskBlocked
from bot.base.messages import ToolResult
from bot.models.replay import ReplayModel
from bot.ports import Action, Model, Refusal, Seal
from bot.task.recorded import task_of
from bot.task.recording import Replayed, look
from bot.trace.echo import Comparison, ReplayClock, ReplayOver
from bot.trace.events import ApprovalAsked, EventBody, GuardRefused, ToolCompleted, ToolFailed
from bot.trace.reader import read

_TALK = frozenset({"model_requested", "model_retried", "model_replied", "nudged", "limit_reached"})
"""What is made again."""


def recite(file: Path, model: Model | None = None) -> Replayed:
    """Run the conversation of a trace again without its tools: their results come from the trace.

    Holds what would be sent to the model against what was sent. `model` is asked instead of the trace, and what it
    replies is not compared. Raises `ConfigurationError` for a trace that does not hold enough, `WorldError` when it
    cannot be read.
    """
    recording = look(file)
    task = task_of(recording.started)
    replies = frozenset(() if model is None else ("model_replied", "model_retried"))
    comparison = recording.comparison(_TALK - replies)
    if recording.started.model is None or comparison.next is None:
        return recording.nothing("there is no conversation in it")
    crew = Crew(
        task=task,
        model=model or ReplayModel(file),
        sandbox=None,  # type: ignore[arg-type]  # no tool runs
        trace=_Talk(comparison, replies, exact=not (recording.redacted_results or recording.redacted_turns)),
        guard=_NoGuard(),
        clock=ReplayClock(comparison, recording.began),
        began=recording.began,
        perform=_results(file),
    )
    try:
        run_loop(crew)
        comparison.ended()
    except (ReplayOver, KeyboardInterrupt):
        if comparison.divergence is None and comparison.next is not None:
            raise
    except FleetBotError:
        comparison.ended()  # the recorded run ended in an error too, unless there is more of it
    return recording.result(comparison, "conversation")


def _results(file: Path) -> Callable[..., ToolResult]:
    """Answers calls as they were answered, in their order."""
    recorded = _answers(file)

    def perform(action: Action, hands: Hands, *, provider_id: str | None = None) -> ToolResult:
        said = next(recorded, None)
        if said is None:
            raise ReplayOver  # in flight when the trace ends
        if isinstance(said, ToolCompleted):
            text = said.output.text if said.shown is None else said.shown
            return ToolResult(name=action.tool, output=text, id=provider_id)
        if isinstance(said, ToolFailed):
            return ToolResult(name=action.tool, output=said.message, id=provider_id, is_error=True)
        told = f"Refused: {said.message}" + (" What it changed was undone." if said.undone else "")
        return ToolResult(name=action.tool, output=told, id=provider_id, is_error=True)

    return perform


def _answers(file: Path) -> Iterator[ToolCompleted | ToolFailed | GuardRefused]:
    stop = False
    for line in read(file):
        if isinstance(line.body, ApprovalAsked):
            stop = line.body.stop
        elif isinstance(line.body, ToolCompleted | ToolFailed | GuardRefused):
            if stop:
                msg = "A person stopped the run."
                raise TaskBlocked(msg)
            yield line.body


class _Talk:
    """Compares the events of the conversation and writes nothing."""

    def __init__(self, comparison: Comparison, left_out: frozenset[str], *, exact: bool) -> None:
        self._comparison, self._left_out, self._exact = comparison, left_out, exact
        self._seq = 0

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        """Compare. Raises `ReplayOver`."""
        self._seq += 1
        raw = {"turn": turn} | msgspec.to_builtins(body)
        if raw["event"] in self._left_out:
            return self._seq
        expected = self._comparison.next
        if self._exact and expected is not None and raw["event"] == expected.event == "model_requested":
            was = expected.raw.get("sent")
            if was and was != raw["sent"]:
                self._comparison.diverge(expected, "sent", f"a conversation with hash {was}", f"one with {raw['sent']}")
        self._comparison.see(raw, Path())
        return self._seq

    def sync(self) -> None:
        """Nothing to do."""

    def blob(self, data: bytes) -> str:
        """Never asked: no tool runs."""
        raise AssertionError

    def redacted(self, data: bytes) -> bytes:
        """As it is: nothing is written."""
        return data

    def seal(self) -> Seal:
        """Never asked."""
        raise AssertionError


class _NoGuard:
    """Nothing runs, so nothing is refused."""

    def before(self, action: Action) -> Refusal | None:
        """Nothing to say."""
        return None

    def after(self, action: Action, effects: tuple[object, ...], meant: tuple[object, ...] = ()) -> Refusal | None:
        """Nothing to say."""
        return None
