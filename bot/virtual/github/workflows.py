"""A push of workflows by an App that may not write them, as GitHub refuses it.

https://docs.github.com/rest/authentication/permissions-required-for-github-apps
"""

from __future__ import annotations

from bot.base.errors import GitError
from bot.virtual.github.bare import Bare
from bot.virtual.github.receive import new_commits

NO_WORKFLOWS = "refusing to allow a GitHub App to create or update workflow `{}` without `workflows` permission"
_FOLDER = ".github/workflows"


def first_workflow(bare: Bare, data: bytes) -> str | None:
    """The first workflow that the commits of a push change, or None; `data` is what it sends.

    Commits that a ref has already do not count. What was sent stays among the repository's objects, where nothing names
    it. A pack that git cannot read is left to git's own answer.
    """
    commits, start = new_commits(data)
    if not commits:
        return None
    git = bare.git
    try:
        if data[start:]:
            git.run("unpack-objects", "-q", stdin=data[start:])
        # A merge counts by what none of its parents has (-c).
        options = ("--format=", "--name-only", "--no-show-signature", "-c", "-z")
        found = git.run("log", *options, *commits, "--not", "--all", "--", _FOLDER)
    except GitError:
        return None
    return min(filter(None, found.decode("utf-8", "replace").replace("\n", "\0").split("\0")), default=None)
