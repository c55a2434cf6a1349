"""The gate: a deterministic policy that a proposal has to pass before it may be published.

It looks at what *is* in the patch, never at what anybody says of it, and has no power of its own: it returns reasons.
What the fleet and the trace say of a proposal is looked at in `bot.publish.claims` and `bot.publish.witness`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.base.git import Change, GitDir
from bot.base.glob import any_matches
from bot.base.redact import Redactor
from bot.expected.paths import Scope, is_test
from bot.expected.twins import fold, odd_name, spelled
from bot.expected.weaken import knows_it_is_tested, reconfigured, weakened
from bot.task.proposal import Proposal

_SYMLINK, _GITLINK, _EXECUTABLE, _FILE, _ABSENT = "120000", "160000", "100755", "100644", "000000"
_BINARY_PROBE = 8000
_LINE_PROBE = 100_000
"""A line of more characters than this is no text that anybody reviews."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gate allows; `policy:` of fleet.yaml. The defaults are the safe ones."""

    allowed_paths: tuple[str, ...] = ()
    """Globs, relative to the repository: nothing else may change anywhere in the fleet. Empty: everything."""
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
    secrets: bool = False
    """Whether what looks like a key may be added, as in the fixtures of a scanner. Our own keys never may."""


def decide(proposal: Proposal, git: GitDir, patch: bytes, policy: Policy, redactor: Redactor) -> tuple[str, ...]:
    """The reasons why this proposal must not be published, in the order of the patch; empty when it may.

    `git` holds the base commit and the proposal's tree.
    """
    base = git.tree_of(proposal.base_sha)
    changes = git.changes(base, proposal.tree)
    reasons = list(_size(git, base, proposal.tree, changes, patch, policy))
    # The policy of today counts, also for a proposal made under yesterday's.
    scope = msgspec.structs.replace(proposal.scope, protected=proposal.scope.protected + policy.protected)
    for change in changes[: policy.max_files + 1]:
        reasons += _path(change, scope, policy)
        reasons += _kind(change, git, policy)
    if len(changes) > policy.max_files or len(patch) > policy.max_bytes:
        # What follows reads the contents, and a patch that is too large by far must not keep us busy.
        return tuple(dict.fromkeys(reasons))
    reasons += _secrets(proposal, git, changes, patch, policy, redactor)
    reasons += _twins(git.paths(proposal.tree), {change.path for change in changes if change.mode_after != _ABSENT})
    if not policy.weaker_tests:
        reasons += _weaker(proposal, changes, git, base)
    return tuple(dict.fromkeys(reasons))


def _size(
    git: GitDir, base: str, tree: str, changes: tuple[Change, ...], patch: bytes, policy: Policy
) -> Iterator[str]:
    if not changes:
        yield "the patch is empty"
    if len(changes) > policy.max_files:
        yield f"{len(changes)} files changed, {policy.max_files} are allowed"
    # Counted here: what the proposal says of its size is only what it says.
    lines = sum(sum(pair) for pair in git.numstat(base, tree).values() if pair is not None)
    if lines > policy.max_lines:
        yield f"{lines} lines changed, {policy.max_lines} are allowed"
    if len(patch) > policy.max_bytes:
        yield f"the patch has {len(patch):,} bytes, {policy.max_bytes:,} are allowed"


def _path(change: Change, scope: Scope, policy: Policy) -> Iterator[str]:
    path = change.path
    if (reason := scope.why_not(path)) is not None:
        yield reason
    if policy.allowed_paths and not any_matches(path, policy.allowed_paths):
        yield f"{spelled(path)}: outside of what `policy` allows"
    if (reason := odd_name(path, new=change.mode_before == _ABSENT)) is not None:
        yield f"{spelled(path)}: {reason}"


def _kind(change: Change, git: GitDir, policy: Policy) -> Iterator[str]:
    path, before, mode = spelled(change.path), change.mode_before, change.mode_after
    if _GITLINK in {before, mode}:
        yield f"{path}: a submodule"
    elif mode == _SYMLINK:
        if not policy.symlinks:
            yield f"{path}: a symbolic link"
        else:
            target = git.run("cat-file", "blob", change.blob_after)
            if not _stays_inside(change.path, target):
                yield f"{path}: a symbolic link that leaves the repository"
    elif mode == _EXECUTABLE and before != _EXECUTABLE and not policy.executables:
        yield f"{path}: becomes executable"
    elif mode not in {_ABSENT, _EXECUTABLE, _FILE}:
        yield f"{path}: a file of the unusual mode {mode}"
    if mode in {_EXECUTABLE, _FILE} and not policy.binaries and change.blob_before != change.blob_after:
        yield from (f"{path}: {what}" for what in _unreadable(git.run("cat-file", "blob", change.blob_after)))


def _unreadable(data: bytes) -> Iterator[str]:
    if b"\0" in data[:_BINARY_PROBE]:
        yield "a binary file"
    elif any(len(line) > _LINE_PROBE for line in data.split(b"\n")):
        yield f"has lines of more than {_LINE_PROBE:,} bytes, which nobody can review"


def _stays_inside(path: str, target: bytes) -> bool:
    depth = path.count("/")
    for part in target.split(b"/"):
        depth += {b"..": -1, b".": 0, b"": 0}.get(part, 1)
        if depth < 0:
            return False
    return bool(target) and not target.startswith(b"/") and not any(byte < 32 or byte == 92 for byte in target)


def _secrets(
    proposal: Proposal,
    git: GitDir,
    changes: tuple[Change, ...],
    patch: bytes,
    policy: Policy,
    redactor: Redactor,
) -> Iterator[str]:
    texts = (proposal.title, proposal.body, proposal.commit_message, proposal.branch, *proposal.labels)
    if any(redactor.found(text) for text in texts):
        yield "the text of the pull request contains a secret"
    added = b"\n".join(line[1:] for line in patch.split(b"\n") if line.startswith(b"+"))
    known = redactor.found_known(added)
    for change in changes:
        if change.mode_after in {_ABSENT, _GITLINK} or change.blob_before == change.blob_after:
            continue
        # The patch shows binary files packed, and a key can hide in what packing makes of it.
        data = git.run("cat-file", "blob", change.blob_after)
        known = known or redactor.found_known(data) or redactor.found_known(change.path)
    if known or (not policy.secrets and redactor.found(added)):
        yield "the patch contains a secret"


def _twins(paths: list[str], changed: set[str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for path in paths:
        parts = fold(path).split("/")
        # Folders too: `Src/a` beside `src/b` become one folder where case does not count.
        for end in range(1, len(parts) + 1):
            name = "/".join(path.split("/")[:end])
            other = seen.setdefault("/".join(parts[:end]), name)
            if other != name:
                mine = next((p for p in (path, other) if p in changed), None) or _below(changed, other)
                if mine is not None:
                    theirs = other if mine != other else name
                    yield f"{spelled(mine)}: differs from {spelled(theirs)} only in case or Unicode form"
                break


def _below(changed: set[str], folder: str) -> str | None:
    return next((path for path in sorted(changed) if path.startswith(folder + "/")), None)


def _weaker(proposal: Proposal, changes: tuple[Change, ...], git: GitDir, base: str) -> Iterator[str]:
    for change in changes:
        path, name = change.path, spelled(change.path)
        before, after = git.blob(base, path), git.blob(proposal.tree, path)
        if is_test(path, proposal.test_paths):
            for reason in weakened(before, after, path):
                yield f"{name}: weakens a test: {reason}"
        elif knows_it_is_tested(before, after):
            yield f"{name}: asks whether it is being tested"
        steering = reconfigured(before, after, path)
        if steering is not None and not proposal.scope.opened(path):
            yield f"{name}: {steering}"
