"""Whose a branch and its pull requests are: ours, or a person's. Asked before anything is paid, and before any write.

`docs/decisions/0006-finding-before-writing.md` says why.
"""

from __future__ import annotations

import msgspec

from bot.base.errors import TaskSkipped
from bot.base.git import GitDir
from bot.ports import PullRequest

AUTHOR_NAME = "fleet-bot"
AUTHOR_EMAIL = "fleet-bot@users.noreply.github.com"
TRAILER = "Fleet-Bot-Campaign"
"""In the message of every commit of ours; the author alone is easily somebody else's."""
MARK = "<!-- fleet-bot:pull-request"
"""Stands in the text of every pull request of ours."""
_COMMIT = f"--format=%ae %ce %(trailers:key={TRAILER},valueonly,separator=%x20)"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far we came with a branch."""

    running: PullRequest | None = None
    """Our open pull request."""
    merged: tuple[PullRequest, ...] = ()
    """Our merged ones, newest first."""

    def done(self, head: str | None) -> bool:
        """Whether a branch at `head` is only what a merge left behind: everything in it was taken."""
        return any(pull.head_sha == head for pull in self.merged)


def standing(pulls: tuple[PullRequest, ...], me: str | None) -> Standing:
    """What the pull requests from a branch, newest first, leave us to do.

    `me` is who we are on the forge; None where that is not known, and the mark alone has to tell. Raises `TaskSkipped`
    where somebody else's pull request is open, or where a person closed our last one.
    """
    mine = [pull for pull in pulls if MARK in pull.body and me in {None, pull.author}]
    foreign = next((pull for pull in pulls if pull.state == "open" and pull not in mine), None)
    if foreign is not None:
        msg = f"Somebody else's pull request #{foreign.number} uses the branch."
        raise TaskSkipped(msg, "Close it, or let it be.")
    running = next((pull for pull in mine if pull.state == "open"), None)
    if running is None and mine and mine[0].state == "closed":
        msg = f"Pull request #{mine[0].number} was closed by a person and stays so."
        raise TaskSkipped(msg, "Reopen it to go on.")
    return Standing(running=running, merged=tuple(pull for pull in mine if pull.state == "merged"))


def ours(git: GitDir, head: str, base: str) -> bool:
    """Whether a branch is ours to move: its last commit is ours, and so is every one that is not in the base.

    A branch without a commit of its own ends in somebody's commit of the base: a person made it.
    """
    last = git.text("log", "-1", _COMMIT, head, "--")
    return all(map(_by_us, [last, *git.text("log", _COMMIT, head, f"^{base}", "--").splitlines()]))


def _by_us(commit: str) -> bool:
    author, _, rest = commit.partition(" ")
    committer, _, campaign = rest.partition(" ")
    return author == committer == AUTHOR_EMAIL and bool(campaign.strip())
