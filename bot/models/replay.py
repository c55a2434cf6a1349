"""A model that answers as it did in a recorded run, without being asked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bot.base.errors import TaskFailed
from bot.base.messages import Attempt, Part, Reply, Request, Turn
from bot.ports import AttemptListener, ModelId
from bot.trace.events import ModelReplied, ModelRequested, ModelRetried, RunFinished, RunStarted
from bot.trace.reader import read


class _Recorded(msgspec.Struct, kw_only=True):
    requested: ModelRequested
    retried: list[ModelRetried] = []
    replied: ModelReplied | None = None


class ReplayModel:
    """Gives the replies of a trace in their order. Strict: a request that the recorded run did not make is an error."""

    def __init__(self, trace: Path) -> None:
        """Reads all of the trace. Raises `OSError` when it is not there."""
        self._recorded: list[_Recorded] = []
        self._at = 0
        self._ended = ""
        self.redacted: tuple[int, ...] = ()
        """Turns that redaction had to change: they go out otherwise than they came in."""
        identity = ModelId(adapter="replay", name="unknown")
        for line in read(trace):
            event = line.body
            if isinstance(event, RunStarted) and event.model:
                recorded = msgspec.convert(event.model, ModelId, strict=False)
                identity = msgspec.structs.replace(recorded, adapter="replay")
            elif isinstance(event, ModelRequested):
                self._recorded.append(_Recorded(requested=event))
            elif isinstance(event, ModelRetried) and self._recorded:
                self._recorded[-1].retried.append(event)
            elif isinstance(event, ModelReplied) and self._recorded:
                self._recorded[-1].replied = event
                if not event.replayable:
                    self.redacted += (line.turn,)
            elif isinstance(event, RunFinished) and event.outcome == "failed":
                self._ended = event.reason
        self._identity = identity

    @property
    def identity(self) -> ModelId:
        """The recorded model, with `replay` as its adapter."""
        return self._identity

    @property
    def left(self) -> int:
        """How many recorded replies were not asked for; more than 0 after a run means that it took another way."""
        return sum(one.replied is not None for one in self._recorded[self._at :])

    def reply(self, request: Request, *, deadline: float, on_attempt: AttemptListener) -> Reply:
        """The recorded reply. Raises `TaskFailed` when the recorded run did not come this way."""
        number = self._at + 1
        if self._at >= len(self._recorded):
            msg = f"Replay diverged: request {number} is not in the trace, which has {len(self._recorded)}."
            raise TaskFailed(msg)
        recorded = self._recorded[self._at]
        asked = recorded.requested
        if (asked.contents, asked.force_call) != (len(request.turns), request.force_call):
            msg = (
                f"Replay diverged: request {number} has {len(request.turns)} turns, the recorded one {asked.contents}."
            )
            raise TaskFailed(msg)
        self._at += 1
        attempts = []
        for retried in recorded.retried:
            attempt = Attempt(status=retried.status, cause=retried.cause, waited_seconds=retried.waited_seconds)
            on_attempt(attempt)
            attempts.append(attempt)
        if recorded.replied is None:
            msg = f"The recorded run got no reply to request {number}."
            raise TaskFailed(self._ended or msg)
        return _reply(recorded.replied, tuple(attempts))


def _reply(event: ModelReplied, attempts: tuple[Attempt, ...]) -> Reply:
    parts = tuple(msgspec.convert(part, Part) for part in event.parts)
    return msgspec.convert(
        {
            "turn": Turn(role="model", parts=parts, raw=event.raw),
            "finish": event.finish,
            "finish_raw": event.finish_raw,
            "usage": event.usage,
            "model_version": event.model_version,
            "response_id": event.response_id,
            "attempts": attempts,
        },
        Reply,
    )
