"""The closed vocabulary of the execution trace, version 1: one frozen Struct per event, tag field `event`.

A line of `execution_trace.jsonl` is the envelope (`v, seq, time, run, turn, event`), the body's fields beside it, and
`prev, hash` last. A reader skips fields and events it does not know, so fields may be added (with a default) without a
new version; a field never changes its meaning. Durations are milliseconds, money is US dollars, hashes are hex SHA-256.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bot.base.values import Outcome, Usage

SCHEMA_VERSION = 1


class EventBody(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=False):
    """What all events have in common: nothing but being one."""


class Clipped(msgspec.Struct, frozen=True, kw_only=True):
    """A text of which the trace holds head and tail; the whole lies in `blobs/<sha256>` when `blob` is set."""

    text: str
    """The whole text, or head, a line `… N bytes left out …`, and tail."""
    bytes: int
    """Size of the whole."""
    truncated: bool = False
    blob: str | None = None


class RunStarted(EventBody, frozen=True, kw_only=True, tag="run_started"):
    """First line: all that is needed to know what this run was."""

    plugin: str
    playbook: str
    playbook_version: str
    playbook_hash: str
    campaign: str
    variables: dict[str, Any]
    base_sha: str
    branch: str
    model: dict[str, Any] | None
    """`bot.ports.ModelId`, or null for a script."""
    sandbox: dict[str, Any]
    """`bot.ports.Enforced`."""
    limits: dict[str, Any]
    seed: int = 0
    bot_version: str = ""
    system: str = ""
    """The system prompt, once."""
    prompt: str = ""
    """The rendered playbook, the first user turn."""
    tools: tuple[dict[str, Any], ...] = ()
    """`bot.base.messages.ToolDeclaration`, once."""


class ModelRequested(EventBody, frozen=True, kw_only=True, tag="model_requested"):
    """A model call is about to go out. The conversation is not repeated: it follows from the lines before."""

    contents: int
    """How many turns are sent."""
    nudge: str | None = None
    """Text that we added to steer the model, when we did."""
    force_call: bool = False
    parameters: dict[str, Any] = {}
    """What went with the request besides the conversation: temperature, thinking budget, seed …"""
    attempt: int = 1
    """Counts the requests of one turn: a malformed answer is asked for again."""


class ModelRetried(EventBody, frozen=True, kw_only=True, tag="model_retried"):
    """A try to reach the model failed and is followed by a wait."""

    status: int
    cause: str
    waited_seconds: float


class ModelReplied(EventBody, frozen=True, kw_only=True, tag="model_replied"):
    """What the model answered, whole."""

    parts: tuple[dict[str, Any], ...]
    """`bot.base.messages.Part`, neutral."""
    raw: dict[str, Any] | None
    """The provider's content as it has to be echoed."""
    finish: str
    finish_raw: str
    usage: Usage
    model_version: str = ""
    response_id: str = ""
    duration_ms: float = 0.0
    replayable: bool = True
    """False when redaction had to change `raw`, so that the turn cannot go over the wire again."""


class ToolRequested(EventBody, frozen=True, kw_only=True, tag="tool_requested"):
    """A tool is about to run. On disk before it does."""

    call: str
    """Our id of the call, unique in the trace: `<turn>.<index>`."""
    tool: str
    args: dict[str, Any]
    provider_id: str | None = None


class ToolCompleted(EventBody, frozen=True, kw_only=True, tag="tool_completed"):
    """The tool answered; this is what the model was shown."""

    call: str
    tool: str
    output: Clipped
    duration_ms: float
    shown: str | None = None
    """What the model was shown, where that differs from `output.text`."""


class ToolFailed(EventBody, frozen=True, kw_only=True, tag="tool_failed"):
    """The tool could not do it; the model was told why."""

    call: str
    tool: str
    reason: Literal["unknown_tool", "bad_arguments", "refused_path", "not_found", "conflict", "limit", "os_error"]
    message: str
    duration_ms: float = 0.0


class GuardRefused(EventBody, frozen=True, kw_only=True, tag="guard_refused"):
    """A rule, a policy or a person refused an action, before it ran or, `undone`, after its effects were seen."""

    call: str
    tool: str
    by: Literal["rule", "policy", "person", "limit"]
    rule: str
    message: str
    undone: bool = False


class ApprovalAsked(EventBody, frozen=True, kw_only=True, tag="approval_asked"):
    """A person was asked, and this is the answer."""

    call: str
    title: str
    allowed: bool
    reason: str = ""


class TestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How a test run ended, by number of tests."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    errors: int = 0
    source: Literal["junit", "summary"] = "summary"


class CommandRun(EventBody, frozen=True, kw_only=True, tag="command_run"):
    """A command ended."""

    command: str
    exit_code: int
    duration_ms: float
    stdout: str
    stderr: str
    truncated: bool = False
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_blob: str | None = None
    stderr_blob: str | None = None
    timed_out: bool = False
    phase: Literal["setup", "agent", "script", "probe", "verify"] = "agent"
    call: str | None = None
    argv: tuple[str, ...] = ()
    """The words of its last simple command, wrappers (`uv run`, `python -m`) taken off; empty when it is not simple."""
    tests: TestCounts | None = None
    coverage_miss: bool = False


class FileWrite(EventBody, frozen=True, kw_only=True, tag="file_write"):
    """A file is not what it was: by a file tool or as the effect of a command."""

    path: str
    change: Literal["created", "modified", "deleted", "mode", "type"]
    bytes: int
    sha256_before: str | None
    sha256_after: str | None
    added: int | None = None
    removed: int | None = None
    call: str | None = None


class VersionChange(EventBody, frozen=True, kw_only=True, tag="version_change"):
    """A version in a version file changed, seen by comparing the file before and after."""

    file: str
    from_: str = msgspec.field(name="from")
    to: str
    bump: Literal["major", "minor", "patch", "prerelease", "other"]
    call: str | None = None


class ChangelogEntry(EventBody, frozen=True, kw_only=True, tag="changelog_entry"):
    """The changelog got an entry for a version."""

    file: str
    version: str
    call: str | None = None


class LimitReached(EventBody, frozen=True, kw_only=True, tag="limit_reached"):
    """A limit stopped the loop; the work so far is kept, and never published."""

    limit: Literal["steps", "minutes", "tokens", "cost_usd", "stuck", "nudges", "interrupted"]
    allowed: float
    used: float
    message: str = ""


class Nudged(EventBody, frozen=True, kw_only=True, tag="nudged"):
    """We told the model something on our own account: it was stuck, or its answer was unusable."""

    reason: str
    message: str


class SuiteSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the tests by us."""

    exit_code: int
    passed: int
    failed: int
    skipped: int
    errors: int
    per_test: bool
    """Whether single tests are known (JUnit XML), or only the exit code."""
    duration_ms: float
    timed_out: bool = False


class VerificationDone(EventBody, frozen=True, kw_only=True, tag="verification"):
    """What our own run of the tests showed."""

    proven: bool
    reason: str
    base: SuiteSeen | None = None
    head: SuiteSeen | None = None
    red_before: tuple[str, ...] = ()
    """New tests that fail on the base."""
    green_after: tuple[str, ...] = ()
    regressions: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()


class CommitCreated(EventBody, frozen=True, kw_only=True, tag="commit_created"):
    """The result as a commit."""

    sha: str
    tree: str
    parent: str
    branch: str
    files: int
    added: int
    removed: int


class GateDecided(EventBody, frozen=True, kw_only=True, tag="gate_decided"):
    """What the gate said of the proposal; in the publish trace."""

    allowed: bool
    reasons: tuple[str, ...] = ()


class BranchPushed(EventBody, frozen=True, kw_only=True, tag="branch_pushed"):
    """The commit reached the forge; in the publish trace."""

    branch: str
    sha: str
    previous: str | None = None


class PullRequestOpened(EventBody, frozen=True, kw_only=True, tag="pull_request_opened"):
    """A pull request was opened, or found and updated; in the publish trace."""

    number: int
    url: str
    action: Literal["created", "updated", "unchanged"]
    draft: bool


class CommentWritten(EventBody, frozen=True, kw_only=True, tag="comment_written"):
    """The trace comment was written; in the publish trace."""

    id: int
    url: str
    action: Literal["created", "updated", "unchanged"]


class Note(EventBody, frozen=True, kw_only=True, tag="note"):
    """Something worth knowing that is no event of its own; never needed to understand the rest."""

    message: str


class RunFinished(EventBody, frozen=True, kw_only=True, tag="run_finished"):
    """Last line: how it ended. `events` counts all lines, this one too; `head` is the hash of the line before."""

    outcome: Outcome
    reason: str
    usage: Usage
    duration_ms: float
    events: int
    head: str
    answer: str | None = None
    """The model's last text."""


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What pins a trace down: its last hash and how many lines lead to it."""

    file: str
    events: int
    head: str


EVENTS: dict[str, type[EventBody]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (
        RunStarted,
        ModelRequested,
        ModelRetried,
        ModelReplied,
        ToolRequested,
        ToolCompleted,
        ToolFailed,
        GuardRefused,
        ApprovalAsked,
        CommandRun,
        FileWrite,
        VersionChange,
        ChangelogEntry,
        LimitReached,
        Nudged,
        VerificationDone,
        CommitCreated,
        GateDecided,
        BranchPushed,
        PullRequestOpened,
        CommentWritten,
        Note,
        RunFinished,
    )
}
"""Every event this version knows, by name."""
