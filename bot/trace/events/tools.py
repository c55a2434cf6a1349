"""What the model asked for, and what came of it."""

from __future__ import annotations

from typing import Any, Literal

from bot.trace.events.body import Clipped, EventBody


class ToolRequested(EventBody, frozen=True, kw_only=True, tag="tool_requested"):
    """A tool is about to run. On disk before it does."""

    call: str
    """Our id of the call, unique in the trace: `<turn>.<index>`."""
    tool: str
    """Its name, as the model said it."""
    args: dict[str, Any]
    """The arguments, as the model gave them."""
    provider_id: str | None = None
    """The provider's id of the call, where it gives one."""


class ToolCompleted(EventBody, frozen=True, kw_only=True, tag="tool_completed"):
    """The tool answered; this is what the model was shown."""

    call: str
    """Which call."""
    tool: str
    """Its name."""
    output: Clipped
    """What it gave."""
    duration_ms: float
    """From the request to the answer, waiting for a person included."""
    shown: str | None = None
    """What the model was shown, where that differs from `output.text`."""


class ToolFailed(EventBody, frozen=True, kw_only=True, tag="tool_failed"):
    """The tool could not do it; the model was told why."""

    call: str
    """Which call."""
    tool: str
    """Its name."""
    reason: Literal["unknown_tool", "bad_arguments", "refused_path", "not_found", "conflict", "limit", "os_error"]
    """What kind of failure."""
    message: str
    """What the model was told."""
    duration_ms: float = 0.0
    """Until it failed."""


class GuardRefused(EventBody, frozen=True, kw_only=True, tag="guard_refused"):
    """A rule, a policy or a person refused an action, before it ran or, `undone`, after its effects were seen."""

    call: str
    """Which call."""
    tool: str
    """Its name."""
    by: Literal["rule", "policy", "person", "limit"]
    """Who refused."""
    rule: str
    """Name of the rule."""
    message: str
    """What the model was told."""
    undone: bool = False
    """Whether the workspace was restored."""


class ApprovalAsked(EventBody, frozen=True, kw_only=True, tag="approval_asked"):
    """A person was asked, and this is the answer."""

    call: str
    """Which call."""
    title: str
    """What was asked."""
    allowed: bool
    """The answer."""
    reason: str = ""
    """What the person said."""
    stop: bool = False
    """Whether the person ended the run."""
