"""What came of the run: our own verification, and the commit."""

from __future__ import annotations

import msgspec

from bot.trace.events.body import EventBody


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
