"""A plugin given by a path: no forge at all. Branch and commit land in it, and there are no pull requests.

Nothing in that repository is executed: our own git runs on it with hooks off, and objects are fetched into it, never
pushed, since a push would start a receiver with the repository's own hooks.
"""

from __future__ import annotations

from pathlib import Path

from bot.base.errors import ForgeError, GitError, TaskBlocked
from bot.base.git import GitDir, ls_remote
from bot.base.values import Report
from bot.ports import Comment, PullRequest, Remote, RepositoryFacts

NO_PULLS = "A repository given by a path has no pull requests."


class PathForge:
    """Repositories in folders of this machine."""

    def remote(self, repo: str) -> Remote:
        """The folder itself."""
        return Remote(url=str(_git_dir(repo).path))

    def facts(self, repo: str) -> RepositoryFacts:
        """What git says of it."""
        head, _ = ls_remote(str(_git_dir(repo).path))
        return RepositoryFacts(full_name=repo, default_branch=head or "", private=True)

    def issue(self, repo: str, number: int) -> Report:
        """There are none. Raises `ForgeError`."""
        msg = f"{repo} is a folder, it has no issue {number}."
        raise ForgeError(msg, "Give the report with --bug or --error-report.", 404)

    def login(self) -> str:
        """Nobody."""
        return ""

    def branch_head(self, repo: str, branch: str) -> str | None:
        """The commit a branch points at, or None."""
        return _git_dir(repo).resolve(f"refs/heads/{branch}")

    def push(self, repo: str, objects: Path, commit: str, branch: str, expect: str | None) -> None:
        """Bring the commit's objects over and move the branch, only while it is at `expect`.

        Raises `TaskBlocked` when the branch is checked out there or was moved meanwhile.
        """
        target = _git_dir(repo)
        if _checked_out(target) == f"refs/heads/{branch}":
            msg = f"The branch {branch} is checked out in {repo}."
            raise TaskBlocked(msg, "Check out another branch there, then publish again.")
        target.fetch(str(objects), [commit], tags=False)
        try:
            target.run("update-ref", f"refs/heads/{branch}", commit, expect or "0" * len(commit))
        except GitError as error:
            msg = f"The branch {branch} in {repo} was moved meanwhile."
            raise TaskBlocked(msg, "Look at its commits, then run again.") from error

    def keep(self, repo: str, objects: Path, commit: str, ref: str) -> None:
        """Bring the commit over and name it `ref`. Raises `TaskBlocked` when that is another commit already."""
        target = _git_dir(repo)
        target.fetch(str(objects), [commit], tags=False)
        there = target.resolve(ref)
        if there not in {None, commit}:
            raise TaskBlocked(f"{ref} in {repo} is another commit.", "Delete it there to have it made again.")
        target.run("update-ref", ref, commit)

    def find_pulls(self, repo: str, branch: str) -> tuple[PullRequest, ...]:
        """None, ever."""
        return ()

    def create_pull(self, repo: str, *, base: str, branch: str, title: str, body: str, draft: bool) -> PullRequest:
        """Raises `ForgeError`: there is nowhere to open it."""
        raise ForgeError(NO_PULLS)

    def update_pull(self, repo: str, number: int, *, title: str, body: str) -> PullRequest:
        """Raises `ForgeError`."""
        raise ForgeError(NO_PULLS)

    def add_labels(self, repo: str, number: int, labels: tuple[str, ...]) -> None:
        """Raises `ForgeError`."""
        raise ForgeError(NO_PULLS)

    def request_reviewers(self, repo: str, number: int, reviewers: tuple[str, ...]) -> None:
        """Raises `ForgeError`."""
        raise ForgeError(NO_PULLS)

    def comments(self, repo: str, number: int) -> tuple[Comment, ...]:
        """None, ever."""
        return ()

    def create_comment(self, repo: str, number: int, body: str) -> Comment:
        """Raises `ForgeError`."""
        raise ForgeError(NO_PULLS)

    def update_comment(self, repo: str, comment: int, body: str) -> Comment:
        """Raises `ForgeError`."""
        raise ForgeError(NO_PULLS)


def _git_dir(repo: str) -> GitDir:
    folder = Path(repo).expanduser()
    if not folder.is_dir():
        msg = f"{repo} is not there."
        raise ForgeError(msg, "Correct the `repo` of the plugin in fleet.yaml.", 404)
    # A work tree, a linked work tree (`.git` is a file), or a bare repository.
    try:
        found = GitDir(folder / ".git").text("rev-parse", "--git-common-dir") if (folder / ".git").exists() else ""
        place = (Path(found) if found else folder).resolve()
        GitDir(place).text("rev-parse", "--git-dir")
    except GitError as error:
        msg = f"{repo} is not a git repository."
        raise ForgeError(msg, "Run `git init` and commit there first, or correct `repo` in fleet.yaml.", 404) from error
    return GitDir(place)


def _checked_out(target: GitDir) -> str:
    try:
        bare = target.text("rev-parse", "--is-bare-repository") == "true"
        return "" if bare else target.text("symbolic-ref", "--quiet", "HEAD")
    except GitError:
        return ""
