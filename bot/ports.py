"""The seams of the house, each a small Protocol, with the values that cross it.

Production, simulation and replay differ only in what stands behind these ports; `bot.wiring` decides which.
Each port has one contract suite in `tests/contract/`, run on every implementation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from bot.base.messages import Attempt, Reply, Request
from bot.base.values import Network, Report
from bot.trace.events import EventBody
from bot.trace.events import Seal as Seal

# Model ---------------------------------------------------------------------------------------------------------------


class ModelId(msgspec.Struct, frozen=True, kw_only=True):
    """Which model answers, exactly enough to know whether a certificate still speaks of it."""

    adapter: Literal["gemini", "vertex", "scripted", "replay"]
    name: str
    endpoint: str = ""
    parameters: dict[str, Any] = {}


class AttemptListener(Protocol):
    """Told of each failed try as it happens, so that the trace has it even if the run dies while waiting."""

    def __call__(self, attempt: Attempt) -> None:
        """Called before the wait that follows the attempt."""
        ...


class Model(Protocol):
    """Something that answers a conversation with text or tool calls."""

    @property
    def identity(self) -> ModelId:
        """Who answers."""
        ...

    def reply(self, request: Request, *, deadline: float, on_attempt: AttemptListener) -> Reply:
        """One model turn. `deadline` is on the clock's monotonic scale and bounds retries and waits too.

        Raises `TaskFailed` when the model cannot be had (quota for the day, retries used up, deadline), and
        `ConfigurationError` when the key is missing or refused.
        """
        ...


# Sandbox -------------------------------------------------------------------------------------------------------------


class Enforced(msgspec.Struct, frozen=True, kw_only=True):
    """What a sandbox really enforces, found out by trying at start."""

    level: Literal["bubblewrap", "landlock", "none", "virtual"]
    network: Network
    notes: tuple[str, ...] = ()
    """Known holes of this level here, one sentence each; empty means none known."""


class FileContent(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one regular file. `size` counts the whole file, `data` may be cut at the limit."""

    data: bytes
    size: int
    sha256: str
    """Of the whole file."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the workspace, by its path relative to it (POSIX, surrogateescape)."""

    path: str
    kind: Literal["file", "directory", "symlink", "other"]
    size: int = 0
    executable: bool = False


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One path that really changed. Hashes are SHA-256 of the bytes; None means that there was, or is, no file."""

    path: str
    kind: Literal["created", "modified", "deleted", "mode", "type"]
    before: str | None = None
    after: str | None = None
    bytes: int = 0
    """Size afterwards."""
    added: int | None = None
    """Lines added; None for binary or very large files."""
    removed: int | None = None


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a command did. Streams are bytes, cut in the middle to the sandbox's cap; `*_size` counts everything."""

    exit_code: int
    """Of the shell; 128+n when a signal n ended it, 124 on time-out."""
    stdout: bytes
    stderr: bytes
    duration_ms: float
    timed_out: bool = False
    stdout_size: int = 0
    stderr_size: int = 0
    coverage_miss: bool = False
    """Only in a virtual sandbox: the profile had no answer for it."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call about to be executed."""

    turn: int
    call: str
    """Our id of the call, unique in the trace: `<turn>.<index>`."""
    tool: str
    args: dict[str, Any]
    declared: tuple[Effect, ...] = ()
    """What the tool says it will change; empty for a command, whose writes are seen only afterwards."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A no to an action, with a reason that goes to the model."""

    by: Literal["rule", "policy", "person", "limit"]
    rule: str
    message: str


class Guard(Protocol):
    """The runtime rules: looks at every action before it runs, and at its effects afterwards."""

    def before(self, action: Action) -> Refusal | None:
        """A refusal means that the tool is not called."""
        ...

    def after(self, action: Action, effects: tuple[Effect, ...], meant: tuple[EventBody, ...] = ()) -> Refusal | None:
        """A refusal means that the workspace is restored to what it was before the action. `meant` is what the effects
        mean: changed versions, new entries of the change log.
        """
        ...


class Sandbox(Protocol):
    """Where everything runs that a repository or a model says. One per task; also holds the workspace's history.

    Paths are relative to the workspace, POSIX; absolute paths inside it are accepted and made relative. A path that
    leaves the workspace, crosses a symlink, or names something that is no regular file raises `PathRefused`.
    """

    @property
    def facts(self) -> Enforced:
        """What is enforced."""
        ...

    def read(self, path: str, *, limit: int = 1 << 20) -> FileContent:
        """A regular file. Raises `PathRefused`, `FileNotFoundError`, `IsADirectoryError`."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a regular file, parents made as needed, mode kept. Raises `PathRefused`, `OSError`."""
        ...

    def delete(self, path: str) -> None:
        """Remove a regular file. Raises as `read` does."""
        ...

    def entries(self, path: str = ".", *, limit: int = 10_000) -> list[Entry]:
        """All below a folder, recursively, sorted by path, `.git` left out, symlinks named but never followed."""
        ...

    def run(self, command: str, *, timeout: float, env: dict[str, str] | None = None, cwd: str = ".") -> CommandResult:
        """A shell command (`sh -c`); its whole process tree is dead when this returns. Raises `SandboxError` only."""
        ...

    def snapshot(self) -> str:
        """A name for the workspace as it is now (a git tree in the real one): cheap, content-addressed."""
        ...

    def changes(self, before: str, after: str) -> tuple[Effect, ...]:
        """What differs between two snapshots, sorted by path."""
        ...

    def restore(self, tree: str) -> None:
        """Make the workspace what it was at that snapshot (ignored files are left alone)."""
        ...

    def close(self) -> None:
        """End everything that runs inside, daemons too. Safe to call twice."""
        ...


class PathRefused(ValueError):
    """A path that a tool may not touch; the text says why and goes to the model."""


# Trace ---------------------------------------------------------------------------------------------------------------


class TraceSink(Protocol):
    """Where events go. Append-only: redacted, chained and flushed before `append` returns."""

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        """Write one event and return its sequence number. Raises `WorldError` when the disk is full."""
        ...

    def sync(self) -> None:
        """Make what was appended survive a power cut (fsync); called at tool borders."""
        ...

    def blob(self, data: bytes) -> str:
        """Keep a large output beside the trace, redacted, once per content; returns its SHA-256."""
        ...

    def redacted(self, data: bytes) -> bytes:
        """The bytes as the trace may hold them, the same object when there is nothing to take out of them."""
        ...

    def seal(self) -> Seal:
        """Close the trace; nothing can be appended afterwards. Call after the `run_finished` event."""
        ...


# Forge ---------------------------------------------------------------------------------------------------------------


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """How git reaches a repository. The token is not in `url`; it travels by environment, see `bot.base.git`."""

    url: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Remote(url={self.url!r}, token={'…' if self.token else None})"


class RepositoryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the forge says of a repository."""

    full_name: str
    default_branch: str
    archived: bool = False
    private: bool = False


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may do in a repository."""

    permission: str
    """admin, write, read or none; maintainers have write, triagers read."""
    role: str = ""
    """As people know it: triage and maintain too, or an organisation's own."""
    bot: bool = False


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as far as we care."""

    number: int
    url: str
    state: Literal["open", "closed", "merged"]
    draft: bool
    head_sha: str
    title: str
    body: str
    author: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class ForgeRead(Protocol):
    """Read access to where repositories live."""

    def remote(self, repo: str) -> Remote:
        """Where git fetches `repo` from."""
        ...

    def facts(self, repo: str) -> RepositoryFacts:
        """What is known of it. Raises `ForgeError` (404: not there or not visible to the token)."""
        ...

    def issue(self, repo: str, number: int) -> Report:
        """An issue as it is now, as untrusted text."""
        ...

    def find_pulls(self, repo: str, branch: str) -> tuple[PullRequest, ...]:
        """All pull requests from that branch, open and closed, newest first."""
        ...


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment on a pull request."""

    id: int
    author: str
    body: str
    url: str = ""


class ForgeWrite(ForgeRead, Protocol):
    """Write access; only `bot.publish` holds one.

    None of these sends a write again that could happen twice (a pull request, a comment): after an error of unknown
    effect the caller looks first, then writes again.
    """

    def login(self) -> str:
        """Who we are, so that only our own pull requests and comments are ever adopted."""
        ...

    def branch_head(self, repo: str, branch: str) -> str | None:
        """The commit a branch points at, or None."""
        ...

    def push(self, repo: str, objects: Path, commit: str, branch: str, expect: str | None) -> None:
        """Push `commit` from the git-dir `objects` to `branch`, only while the branch is at `expect` (None: absent).

        Raises `TaskBlocked` when the server's rules refuse the push, `ForgeError` otherwise.
        """
        ...

    def keep(self, repo: str, objects: Path, commit: str, ref: str) -> None:
        """Push `commit` to a full `ref` outside of the branches; a ref that is there never moves. Raises as `push`."""
        ...

    def report(self, repo: str, sha: str, *, passed: bool, text: str, url: str | None) -> bool:
        """Say of a commit whether the gate let it pass, where its pull request shows it; whether that was news.

        `text` is cut to what the forge takes. Raises `ForgeError`, 403 where the token may not.
        """
        ...

    def create_pull(self, repo: str, *, base: str, branch: str, title: str, body: str, draft: bool) -> PullRequest:
        """Open one. Raises `DraftsRefused` where the plan has no drafts."""
        ...

    def update_pull(self, repo: str, number: int, *, title: str, body: str) -> PullRequest:
        """Replace title and body."""
        ...

    def add_labels(self, repo: str, number: int, labels: tuple[str, ...]) -> None:
        """Add labels, made where they do not exist."""
        ...

    def request_reviewers(self, repo: str, number: int, reviewers: tuple[str, ...]) -> None:
        """Ask people (`login`) and teams (`org/team`) for a review."""
        ...

    def comments(self, repo: str, number: int) -> tuple[Comment, ...]:
        """All comments, all pages, oldest first."""
        ...

    def create_comment(self, repo: str, number: int, body: str) -> Comment:
        """Write a comment."""
        ...

    def update_comment(self, repo: str, comment: int, body: str) -> Comment:
        """Replace a comment of ours."""
        ...


class DraftsRefused(Exception):
    """The forge has no draft pull requests for this repository."""


# People --------------------------------------------------------------------------------------------------------------


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said when asked."""

    allow: bool
    reason: str = ""
    """Goes to the model when `allow` is False."""
    stop: bool = False
    """End the run."""


class Approver(Protocol):
    """Asked before each effect, where a person wants to be."""

    def ask(self, title: str, preview: str, *, plugin: str) -> Answer:
        """`preview` is a diff or a command; `plugin` is the name of the plugin that it is for."""
        ...
