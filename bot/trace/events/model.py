"""The conversation with the model: every request, try and reply."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.base.values import Usage
from bot.trace.events.body import EventBody


class ModelRequested(EventBody, frozen=True, kw_only=True, tag="model_requested"):
    """A model call is about to go out. The conversation is not repeated: it follows from the lines before."""

    contents: int
    """How many turns are sent."""
    nudge: str | None = None
    """Text that we added to steer the model, when we did."""
    force_call: bool = False
    """Whether the model was asked to answer with a call."""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    """What went with the request besides the conversation: temperature, thinking budget, seed …"""
    attempt: int = 1
    """Counts the requests of one turn: a malformed answer is asked for again."""
    sent: str = ""
    """SHA-256 of the conversation, system prompt and tools that went out, before redaction; empty when unknown."""


class ModelRetried(EventBody, frozen=True, kw_only=True, tag="model_retried"):
    """A try to reach the model failed and is followed by a wait."""

    status: int
    """HTTP status, 0 without an answer."""
    cause: str
    """What went wrong."""
    waited_seconds: float
    """How long we wait before the next try."""


class ModelReplied(EventBody, frozen=True, kw_only=True, tag="model_replied"):
    """What the model answered, whole."""

    parts: tuple[dict[str, Any], ...]
    """`bot.base.messages.Part`, neutral."""
    raw: dict[str, Any] | None
    """The provider's content as it has to be echoed."""
    finish: str
    """`bot.base.messages.Finish`."""
    finish_raw: str
    """The provider's own word for it."""
    usage: Usage
    """What this call consumed."""
    model_version: str = ""
    """Which model answered, as the provider says."""
    response_id: str = ""
    """The provider's id of the answer."""
    duration_ms: float = 0.0
    """From the request to the answer, retries included."""
    replayable: bool = True
    """False when redaction had to change `raw`, so that the turn cannot go over the wire again."""


class Nudged(EventBody, frozen=True, kw_only=True, tag="nudged"):
    """We told the model something on our own account: it was stuck, or its answer was unusable."""

    reason: str
    """Why."""
    message: str
    """What the model was told."""
