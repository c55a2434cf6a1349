"""The closed, provider-neutral vocabulary between the agent loop and a model.

A provider's own content travels in `Turn.raw`, opaque, and is echoed unchanged (that is where Gemini's
thought signatures live).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bot.base.values import Usage

Finish = Literal[
    "stop",  # the model is done with this turn, with or without calls
    "max_tokens",
    "malformed_call",  # MALFORMED_FUNCTION_CALL, MALFORMED_RESPONSE
    "unexpected_call",  # UNEXPECTED_TOOL_CALL, TOO_MANY_TOOL_CALLS
    "blocked",  # SAFETY, RECITATION, PROHIBITED_CONTENT …, or a blocked prompt
    "empty",  # an answer without text and without a call, thinking only included
    "other",
]


class Text(msgspec.Struct, frozen=True, tag="text", tag_field="kind"):
    """Something said."""

    text: str


class Thought(msgspec.Struct, frozen=True, tag="thought", tag_field="kind"):
    """A thought summary; never an answer."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, tag="call", tag_field="kind"):
    """The model asks for a tool. `id` is None where the provider gives none: then answers go by order."""

    name: str
    args: dict[str, Any]
    id: str | None = None


class ToolResult(msgspec.Struct, frozen=True, tag="result", tag_field="kind"):
    """Our answer to one call."""

    name: str
    output: str
    id: str | None = None
    is_error: bool = False


Part = Text | Thought | ToolCall | ToolResult


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One side's contribution. All results of one model turn go back in one user turn, in the order of the calls."""

    role: Literal["user", "model"]
    parts: tuple[Part, ...]
    raw: dict[str, Any] | None = None
    """The provider's content, JSON, byte for byte what has to be echoed; None for turns that we made."""

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls in it, in order."""
        return tuple([p for p in self.parts if isinstance(p, ToolCall)])

    @property
    def text(self) -> str:
        """What it says, thoughts left out."""
        return "".join(p.text for p in self.parts if isinstance(p, Text))


class ToolDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the model sees it. `parameters` is plain JSON Schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try to reach the model that did not give a reply."""

    status: int
    """HTTP status, 0 when there was no answer."""
    cause: str
    waited_seconds: float
    """How long we waited before the next try."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """All that goes into one model call."""

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolDeclaration, ...]
    force_call: bool = False
    """Ask the provider to answer with a call (after malformed ones)."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back from one model call."""

    turn: Turn
    finish: Finish
    finish_raw: str = ""
    """The provider's own word for it."""
    usage: Usage = Usage()
    usage_missing: bool = False
    model_version: str = ""
    response_id: str = ""
    attempts: tuple[Attempt, ...] = ()
