"""What publishing did; these stand in the publish trace."""

from __future__ import annotations

from typing import Literal

from bot.trace.events.body import EventBody


class GateDecided(EventBody, frozen=True, kw_only=True, tag="gate_decided"):
    """What the gate said of the proposal; in the publish trace."""

    allowed: bool
    """Whether it may be published."""
    reasons: tuple[str, ...] = ()
    """Why not, one sentence each."""


class BranchPushed(EventBody, frozen=True, kw_only=True, tag="branch_pushed"):
    """The commit reached the forge; in the publish trace."""

    branch: str
    """Which one."""
    sha: str
    """Where it is now."""
    previous: str | None = None
    """Where it was; null when it is new."""


class PullRequestOpened(EventBody, frozen=True, kw_only=True, tag="pull_request_opened"):
    """A pull request was opened, or found and updated; in the publish trace."""

    number: int
    """Its number."""
    url: str
    """Where people find it."""
    action: Literal["created", "updated", "unchanged"]
    """What was done."""
    draft: bool
    """Whether it is a draft."""


class CommentWritten(EventBody, frozen=True, kw_only=True, tag="comment_written"):
    """The trace comment was written; in the publish trace."""

    id: int
    """Its id on the forge."""
    url: str
    """Where people find it."""
    action: Literal["created", "updated", "unchanged"]
    """What was done."""


class TraceKept(EventBody, frozen=True, kw_only=True, tag="trace_kept"):
    """The trace lies in the repository too, at a ref of its own; in the publish trace."""

    ref: str
    """Which one: `refs/fleet-bot/traces/<run>`."""
    sha: str
    """The commit that it points at; it has no parent."""
