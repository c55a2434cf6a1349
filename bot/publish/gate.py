"""The gate: a deterministic policy that a proposal has to pass before it may be published.

It looks at what *is* in the patch, never at what anybody says of it, and has no power of its own: it returns reasons.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.base.git import Change, GitDir
from bot.base.redact import Redactor
from bot.expected.paths import Scope, fold, is_test
from bot.expected.weaken import knows_it_is_tested, reconfigured, weakened
from bot.task.proposal import Proposal

_SYMLINK, _GITLINK, _EXECUTABLE, _ABSENT = "120000", "160000", "100755", "000000"
_BINARY_PROBE = 8000


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gate allows; `policy:` of fleet.yaml. The defaults are the safe ones."""

    protected: tuple[str, ...] = ()
    """Globs that are protected besides the built-in ones."""
    max_files: int = 100
    max_lines: int = 2_000
    """Lines added and removed, together."""
    max_bytes: int = 1_000_000
    """Size of the patch."""
    binaries: bool = False
    symlinks: bool = False
    executables: bool = False
    """Whether a file may become executable."""
    weaker_tests: bool = False
    """Whether tests may be deleted, skipped or lose assertions."""


def decide(proposal: Proposal, git: GitDir, patch: bytes, policy: Policy, redactor: Redactor) -> tuple[str, ...]:
    """The reasons why this proposal must not be published, in the order of the patch; empty when it may.

    `git` holds the base commit and the proposal's tree.
    """
    changes = git.changes(git.tree_of(proposal.base_sha), proposal.tree)
    reasons = list(_size(proposal, changes, patch, policy))
    if redactor.found(patch):
        reasons.append("the patch contains a secret")
    # The policy of today counts, also for a proposal made under yesterday's.
    scope = msgspec.structs.replace(proposal.scope, protected=proposal.scope.protected + policy.protected)
    twins = _twins(git.paths(proposal.tree), {change.path for change in changes})
    for change in changes:
        reasons += _path(change, scope)
        reasons += _kind(change, git, policy)
        if change.path in twins:
            reasons.append(f"{change.path}: differs from {twins[change.path]} only in case or Unicode form")
    if not policy.weaker_tests:
        reasons += _weaker(proposal, changes, git)
    return tuple(dict.fromkeys(reasons))


def _size(proposal: Proposal, changes: tuple[Change, ...], patch: bytes, policy: Policy) -> Iterator[str]:
    if not changes:
        yield "the patch is empty"
    if len(changes) > policy.max_files:
        yield f"{len(changes)} files changed, {policy.max_files} are allowed"
    lines = proposal.added + proposal.removed
    if lines > policy.max_lines:
        yield f"{lines} lines changed, {policy.max_lines} are allowed"
    if len(patch) > policy.max_bytes:
        yield f"the patch has {len(patch):,} bytes, {policy.max_bytes:,} are allowed"


def _path(change: Change, scope: Scope) -> Iterator[str]:
    path = change.path
    reason = scope.why_not(path)
    if reason is not None:
        yield reason
    if any(ord(char) < 32 or 0xDC80 <= ord(char) <= 0xDCFF for char in path) or "\\" in path:
        yield f"{path!r}: a name with control characters, backslashes or bytes that are no UTF-8"
    if any(part in {"", ".", "..", ".git"} for part in fold(path).split("/")):
        yield f"{path}: a name that git or a file system reads as something else"


def _kind(change: Change, git: GitDir, policy: Policy) -> Iterator[str]:
    path, mode = change.path, change.mode_after
    if mode == _SYMLINK and not policy.symlinks:
        yield f"{path}: a symbolic link"
    elif mode == _GITLINK or change.mode_before == _GITLINK:
        yield f"{path}: a submodule"
    elif mode == _EXECUTABLE and change.mode_before != _EXECUTABLE and not policy.executables:
        yield f"{path}: becomes executable"
    elif mode not in {_ABSENT, _SYMLINK} and not policy.binaries:
        data = git.run("cat-file", "blob", change.blob_after)
        if b"\0" in data[:_BINARY_PROBE]:
            yield f"{path}: a binary file"


def _twins(paths: list[str], changed: set[str]) -> dict[str, str]:
    seen: dict[str, str] = {}
    found: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(fold(path), path)
        if other != path:
            found |= {mine: theirs for mine, theirs in ((path, other), (other, path)) if mine in changed}
    return found


def _weaker(proposal: Proposal, changes: tuple[Change, ...], git: GitDir) -> Iterator[str]:
    base = git.tree_of(proposal.base_sha)
    for change in changes:
        path = change.path
        before, after = git.blob(base, path), git.blob(proposal.tree, path)
        if is_test(path, proposal.test_paths):
            for reason in weakened(before, after, path):
                yield f"{path}: weakens a test: {reason}"
        elif knows_it_is_tested(before, after):
            yield f"{path}: asks whether it is being tested"
        steering = reconfigured(before, after, path)
        if steering is not None and not proposal.scope.opened(path):
            yield f"{path}: {steering}"
