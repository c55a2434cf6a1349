"""A run's beginning and end, and what stopped it in between."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bot.base.values import Outcome, Usage
from bot.trace.events.body import EventBody


class RunStarted(EventBody, frozen=True, kw_only=True, tag="run_started"):
    """First line: all that is needed to know what this run was."""

    plugin: str
    """Name of the plugin in fleet.yaml."""
    playbook: str
    """Id of the playbook."""
    playbook_version: str
    """Its version."""
    playbook_hash: str
    """Hash over its front matter, text and included parts."""
    campaign: str
    """Id of the campaign."""
    variables: dict[str, Any]
    """The playbook's variables."""
    base_sha: str
    """The commit that the run started from; empty when there was no checkout."""
    branch: str
    """The branch that the result is for."""
    model: dict[str, Any] | None
    """`bot.ports.ModelId`, or null for a script."""
    sandbox: dict[str, Any]
    """`bot.ports.Enforced`."""
    limits: dict[str, Any]
    """`bot.base.values.Limits`."""
    seed: int = 0
    """Of whatever is random in the run."""
    bot_version: str = ""
    """Version of fleet-bot."""
    system: str = ""
    """The system prompt, once."""
    prompt: str = ""
    """The rendered playbook, the first user turn."""
    tools: tuple[dict[str, Any], ...] = ()
    """`bot.base.messages.ToolDeclaration`, once."""
    task: dict[str, Any] = msgspec.field(default_factory=dict)
    """`bot.base.values.Task` without what the other fields say, so that the run can be made again from its trace."""
    protected: tuple[str, ...] = ()
    """Globs of the files that the fleet protects besides the built-in ones."""
    base_branch: str = ""
    """The branch that the change goes to."""
    base_head: str = ""
    """The commit that this branch was at; differs from `base_sha` when the run started from a commit named by hand."""
    workspace: str = ""
    """Where the workspace lay, so that this path can be told apart in what commands printed."""


class LimitReached(EventBody, frozen=True, kw_only=True, tag="limit_reached"):
    """A limit stopped the loop; the work so far is kept, and never published."""

    limit: Literal["steps", "minutes", "tokens", "cost_usd", "stuck", "nudges", "interrupted"]
    """Which one."""
    allowed: float
    """What was allowed."""
    used: float
    """What was used."""
    message: str = ""
    """What became of the run."""


class Note(EventBody, frozen=True, kw_only=True, tag="note"):
    """Something worth knowing that is no event of its own; never needed to understand the rest."""

    message: str
    """In one sentence."""


class RunFinished(EventBody, frozen=True, kw_only=True, tag="run_finished"):
    """Last line: how it ended. `events` counts all lines, this one too; `head` is the hash of the line before."""

    outcome: Outcome
    """How it ended."""
    reason: str
    """Why, in one sentence."""
    usage: Usage
    """Of the whole run."""
    duration_ms: float
    """Of the whole run."""
    events: int
    """All lines, this one too."""
    head: str
    """`hash` of the line before."""
    answer: str | None = None
    """The model's last text."""
    text: str = ""
    """Hash of what the pull request is to say; empty when there is to be none."""


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What pins a trace down: its last hash and how many lines lead to it."""

    file: str
    """Name of the trace file, beside the proposal."""
    events: int
    """How many lines."""
    head: str
    """`hash` of the last line."""
