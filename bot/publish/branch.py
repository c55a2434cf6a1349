"""The git half of publishing: the base and our branch as they are, the commit that was sealed, and the push."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.base.errors import GitError, TaskBlocked, TaskSkipped
from bot.base.git import GitDir
from bot.expected.twins import spelled
from bot.ports import ForgeWrite
from bot.task.ownership import AUTHOR_EMAIL, AUTHOR_NAME, Standing, ours
from bot.task.proposal import Proposal


class Tips(msgspec.Struct, frozen=True, kw_only=True):
    """Where the two branches are now."""

    base: str
    """The commit of the base branch."""
    branch: str | None
    """The commit of our branch; None when it is not there."""


def fetch(proposal: Proposal, forge: ForgeWrite, git: GitDir) -> Tips:
    """Bring the base, and our branch if it is there. Raises `TaskBlocked` when what the run started from is gone."""
    remote = forge.remote(proposal.repo)
    head = forge.branch_head(proposal.repo, proposal.branch)
    base = f"refs/remotes/origin/{proposal.base_branch}"
    names = [f"+refs/heads/{proposal.base_branch}:{base}"]
    if head is not None:
        names.append(f"+refs/heads/{proposal.branch}:refs/fleet-bot/branch")
    git.fetch(remote.url, names, token=remote.token, tags=False)
    if git.resolve(proposal.base_sha) is None:
        # The run started from a commit that is on another branch.
        git.fetch(remote.url, ["+refs/heads/*:refs/remotes/origin/*"], token=remote.token)
    if git.resolve(proposal.base_sha) is None:
        raise TaskBlocked("The commit that the run started from is gone.", "Propose again.")
    return Tips(base=git.text("rev-parse", base), branch=head)


def rebuild(proposal: Proposal, git: GitDir, patch: bytes) -> None:
    """Make the commit that was sealed. Raises `TaskBlocked` when the patch does not give it."""
    try:
        tree = git.apply(git.tree_of(proposal.base_sha), patch)
    except GitError as error:
        raise TaskBlocked("The patch does not apply to its own base.", "Propose again.") from error
    commit = git.commit(
        tree,
        proposal.base_sha,
        proposal.commit_message,
        name=AUTHOR_NAME,
        email=AUTHOR_EMAIL,
        when=proposal.sealed_at,
    )
    if (tree, commit) != (proposal.tree, proposal.commit):
        msg = "The patch gives another commit than the one that was sealed."
        raise TaskBlocked(msg, "Somebody changed the proposal after the run; propose again.")


def taken(proposal: Proposal, git: GitDir, tips: Tips) -> bool:
    """Whether the base branch has the whole change already, by whatever way it came there."""
    mine = _paths(git, proposal.base_sha, proposal.commit)
    return bool(mine) and not mine & _paths(git, tips.base, proposal.commit)


def moved(proposal: Proposal, git: GitDir, tips: Tips) -> Iterator[str]:
    """The reason why the base branch has moved too far since the run began: it changed files of the patch."""
    began = git.resolve(proposal.base_head) if proposal.base_head else None
    # Both were told by the proposal: a claim that the base is where it is now is held against what it began from.
    start = began if began is not None and git.contains(proposal.base_sha, [began]) else proposal.base_sha
    if tips.base == start:
        return
    both = _paths(git, start, tips.base) & _paths(git, proposal.base_sha, proposal.commit)
    if both:
        shown = ", ".join(sorted(map(spelled, both))[:3])
        yield f"the base moved meanwhile and changed the same files: {shown}; propose again"


def push(proposal: Proposal, forge: ForgeWrite, git: GitDir, tips: Tips, found: Standing) -> bool:
    """Bring the branch to the commit, unless it is there. Returns whether it was moved.

    Raises `TaskSkipped` when a person's commits are on it, and what `ForgeWrite.push` raises.
    """
    if tips.branch == proposal.commit:
        return False
    if tips.branch is not None and not found.done(tips.branch) and not ours(git, tips.branch, tips.base):
        msg = f"The branch {proposal.branch} is not ours: it holds what fleet-bot did not make."
        raise TaskSkipped(msg, "Merge or delete the branch to let fleet-bot use the name again.")
    forge.push(proposal.repo, git.path, proposal.commit, proposal.branch, tips.branch)
    return True


def _paths(git: GitDir, before: str, after: str) -> set[str]:
    return {change.path for change in git.changes(git.tree_of(before), git.tree_of(after))}
