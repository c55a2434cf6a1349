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
    """Whether something was left out."""
    blob: str | None = None
    """SHA-256 of the whole in `blobs/`."""


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
    task: dict[str, Any] = {}
    """`bot.base.values.Task` without what the other fields say, so that the run can be made again from its trace."""
    protected: tuple[str, ...] = ()
    """Globs of the files that the fleet protects besides the built-in ones."""
    base_branch: str = ""
    """The branch that the change goes to."""
    base_head: str = ""
    """The commit that this branch was at; differs from `base_sha` when the run started from a commit named by hand."""
    workspace: str = ""
    """Where the workspace lay, so that this path can be told apart in what commands printed."""


class ModelRequested(EventBody, frozen=True, kw_only=True, tag="model_requested"):
    """A model call is about to go out. The conversation is not repeated: it follows from the lines before."""

    contents: int
    """How many turns are sent."""
    nudge: str | None = None
    """Text that we added to steer the model, when we did."""
    force_call: bool = False
    """Whether the model was asked to answer with a call."""
    parameters: dict[str, Any] = {}
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


class TestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How a test run ended, by number of tests."""

    __test__ = False

    passed: int = 0
    """Tests that passed."""
    failed: int = 0
    """Tests that failed."""
    skipped: int = 0
    """Skipped and expected to fail."""
    errors: int = 0
    """Tests that could not be run."""
    source: Literal["junit", "summary"] = "summary"
    """Where the numbers come from."""


Phase = Literal["setup", "agent", "script", "probe", "verify"]


class CommandRun(EventBody, frozen=True, kw_only=True, tag="command_run"):
    """A command ended."""

    command: str
    """As it was given to the shell."""
    exit_code: int
    """Of the shell; 128+n when a signal n ended it, 124 on time-out."""
    duration_ms: float
    """Wall time."""
    stdout: str
    """What it printed, head and tail when it is long."""
    stderr: str
    """What it printed there, head and tail when it is long."""
    truncated: bool = False
    """Whether one of the two was cut."""
    stdout_bytes: int = 0
    """Size of the whole."""
    stderr_bytes: int = 0
    """Size of the whole."""
    stdout_blob: str | None = None
    """SHA-256 of the whole in `blobs/`, when it was cut."""
    stderr_blob: str | None = None
    """SHA-256 of the whole in `blobs/`, when it was cut."""
    timed_out: bool = False
    """Whether it was stopped by the clock."""
    phase: Phase = "agent"
    """Who wanted it: `agent` the model, the others fleet-bot."""
    call: str | None = None
    """The call that it belongs to; null for commands of ours."""
    argv: tuple[str, ...] = ()
    """The words of its last simple command, wrappers (`uv run`, `python -m`) taken off; empty when it is not simple."""
    tests: TestCounts | None = None
    """How its tests ended, where the output leaves no doubt."""
    coverage_miss: bool = False
    """Only in a virtual sandbox: the profile had no answer."""


class FileWrite(EventBody, frozen=True, kw_only=True, tag="file_write"):
    """A file is not what it was: by a file tool or as the effect of a command."""

    path: str
    """Relative to the workspace."""
    change: Literal["created", "modified", "deleted", "mode", "type"]
    """What happened to it."""
    bytes: int
    """Size afterwards."""
    sha256_before: str | None
    """Of the content before; null when there was no file."""
    sha256_after: str | None
    """Of the content after; null when there is no file."""
    added: int | None = None
    """Lines added; null for binary or very large files."""
    removed: int | None = None
    """Lines removed; null for binary or very large files."""
    call: str | None = None
    """The call that it belongs to; null for a script."""


class VersionChange(EventBody, frozen=True, kw_only=True, tag="version_change"):
    """A version in a version file changed, seen by comparing the file before and after."""

    file: str
    """The version file."""
    from_: str = msgspec.field(name="from")
    """The version before."""
    to: str
    """The version after."""
    bump: Literal["major", "minor", "patch", "prerelease", "other"]
    """Which part of it grew."""
    call: str | None = None
    """The call that it belongs to."""


class ChangelogEntry(EventBody, frozen=True, kw_only=True, tag="changelog_entry"):
    """The changelog got an entry for a version."""

    file: str
    """The changelog."""
    version: str
    """The version that has an entry now."""
    call: str | None = None
    """The call that it belongs to."""


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


class Nudged(EventBody, frozen=True, kw_only=True, tag="nudged"):
    """We told the model something on our own account: it was stuck, or its answer was unusable."""

    reason: str
    """Why."""
    message: str
    """What the model was told."""


class SuiteSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the tests by us."""

    exit_code: int
    """Of the test command."""
    passed: int
    """Tests that passed."""
    failed: int
    """Tests that failed."""
    skipped: int
    """Tests that were skipped."""
    errors: int
    """Tests that could not be run."""
    per_test: bool
    """Whether single tests are known (JUnit XML), or only the exit code."""
    duration_ms: float
    """Wall time."""
    timed_out: bool = False
    """Whether it was stopped by the clock."""


class VerificationDone(EventBody, frozen=True, kw_only=True, tag="verification"):
    """What our own run of the tests showed."""

    proven: bool
    """Whether the proof that the playbook asks for is there."""
    reason: str
    """In one sentence."""
    base: SuiteSeen | None = None
    """The tests before the run's changes."""
    head: SuiteSeen | None = None
    """The tests after them."""
    red_before: tuple[str, ...] = ()
    """New tests that fail on the base."""
    green_after: tuple[str, ...] = ()
    """Those of them that pass on the result."""
    regressions: tuple[str, ...] = ()
    """Tests that passed on the base and fail on the result."""
    flaky: tuple[str, ...] = ()
    """Tests that failed once and passed once; not counted."""


class BroughtUp(EventBody, frozen=True, kw_only=True, tag="brought_up"):
    """A change made on an older commit is carried to the head of the base branch; what follows is about that."""

    before: str
    """The commit that it was made on."""
    base: str
    """The commit that it goes on top of."""
    branch: str
    """The base branch."""


class CommitCreated(EventBody, frozen=True, kw_only=True, tag="commit_created"):
    """The result as a commit."""

    sha: str
    """The commit that publishing makes."""
    tree: str
    """Its tree."""
    parent: str
    """The base."""
    branch: str
    """Where it goes."""
    files: int
    """Changed files."""
    added: int
    """Lines added."""
    removed: int
    """Lines removed."""


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
        BroughtUp,
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
