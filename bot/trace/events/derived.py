"""What fleet-bot saw for itself, whatever the model says: commands, files, versions."""

from __future__ import annotations

from typing import Literal

import msgspec

from bot.trace.events.body import EventBody


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
