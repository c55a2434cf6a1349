"""From a repository to a workspace: where the base is, its objects in a git-dir of ours, its files in a folder.

The git-dir lies outside the workspace and is never shown to the sandbox, but for its objects, read-only: the
workspace has a `.git` of its own that borrows them, so that `git log`, version tools and tests that use git work. That
`.git` belongs to the agent; nothing is ever read back from it.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import msgspec

from bot.base.errors import ForgeError, GitError, TaskBlocked, TaskSkipped, WorldError
from bot.base.git import RAW_ATTRIBUTES, Change, GitDir, ls_remote
from bot.base.values import Task
from bot.ports import ForgeRead, Remote
from bot.task.emptying import empty
from bot.task.ownership import ours, standing
from bot.task.version_tag import commit_at

_STRAYS = (
    "__pycache__/ *.pyc .pytest_cache/ .mypy_cache/ .ruff_cache/ .hypothesis/ .tox/ .nox/ .coverage .coverage.* "
    "*.egg-info/ .eggs/ node_modules/ .fleet-bot-* .DS_Store"
)
"""What tests and tools leave behind. Untracked files of these names are never part of a change."""


MOST_FILES = 1_000_000
MOST_BYTES = 32 << 30
"""What a repository may hold at its base; more than the largest ones have, less than what fills a disk."""
_SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task starts, found out without cloning."""

    remote: Remote
    base_branch: str
    base_head: str
    """The commit that the base branch is at."""
    branch_head: str | None
    """The commit that our branch is at, when it is there already."""
    tags: dict[str, str]
    merged: int | None = None
    """Number of our last pull request from the branch, when it was merged."""


def locate(task: Task, forge: ForgeRead) -> Origin:
    """Ask the forge and the remote where the task starts.

    Raises `TaskSkipped` for an archived or empty repository and where policy says so, `WorldError` when it cannot be
    reached or the base branch is not there.
    """
    if task.skip is not None:
        raise TaskSkipped(f"Left out: {task.skip}.")
    facts = forge.facts(task.plugin.repo)
    if facts.archived:
        raise TaskSkipped("The repository is archived.", "Take it out of fleet.yaml, or unarchive it.")
    remote = forge.remote(task.plugin.repo)
    head, refs = ls_remote(remote.url, remote.token)
    if not any(name.startswith("refs/heads/") for name in refs):
        raise TaskSkipped("The repository is empty.", "Push a first commit to it.")
    branch = task.plugin.base or facts.default_branch or head or ""
    # Full names throughout: a tag may have the same name as a branch.
    if f"refs/heads/{branch}" not in refs:
        lack = f"The base branch {branch} is not in the repository."
        msg = lack if branch else "The repository has no default branch; its HEAD may be detached."
        raise WorldError(msg, "Set `base` of the plugin in fleet.yaml to one of its branches.")
    return Origin(
        remote=remote,
        base_branch=branch,
        base_head=refs[f"refs/heads/{branch}"],
        branch_head=refs.get(f"refs/heads/{task.branch}"),
        tags={name: value for name, value in refs.items() if name.startswith("refs/tags/") and "^" not in name},
    )


def free(task: Task, origin: Origin, forge: ForgeRead) -> Origin:
    """Ask the forge, before anything is paid, whether the branch is free for us; what a merge left is as good as gone.

    Raises `TaskSkipped` where a person closed our pull request or uses the branch for one of their own. A token that
    may not look lets the task go on: publishing looks again, and knows who we are.
    """
    try:
        pulls = forge.find_pulls(task.plugin.repo, task.branch)
    except ForgeError as error:
        if error.status not in {403, 404}:
            raise
        return origin
    found = standing(pulls, None)
    if found.running is not None or not found.merged:
        return origin
    head = None if found.done(origin.branch_head) else origin.branch_head
    return msgspec.structs.replace(origin, branch_head=head, merged=found.merged[0].number)


class Checkout:
    """The files of one task, in a scratch folder that nobody else uses.

    `workspace` stays the same folder from the first command to the last, so that an editable install made by the
    set-up points to it; `fill` gives it other contents.
    """

    def __init__(self, scratch: Path, git: GitDir, base: str) -> None:
        """Use `Checkout.make`."""
        self.scratch = scratch
        self.git = git
        self.base = base
        self.base_tree = git.tree_of(base)
        self.prepared_tree = self.base_tree
        """The base plus what the set-up left behind: what the agent starts from."""
        self.workspace = scratch / "workspace"
        self.environment = scratch / "env"
        self._prepared = scratch / "prepared"
        self.note = ""
        """What a person should know of where the work began; empty: nothing."""

    @classmethod
    def make(cls, task: Task, origin: Origin, scratch: Path) -> Checkout:
        """Fetch the base with its history and tags, and fill the workspace with the commit that the task starts from.

        Raises `TaskBlocked` when a named commit cannot be reached, `TaskSkipped` when a person's commits are on our
        branch, `GitError` when the repository cannot be read.
        """
        git = GitDir.init(scratch / "git")
        (git.path / "info" / "exclude").write_text("\n".join(_STRAYS.split()) + "\n", encoding="utf-8")
        names = [f"+refs/heads/{origin.base_branch}:refs/remotes/origin/{origin.base_branch}"]
        if task.commit:
            names = ["+refs/heads/*:refs/remotes/origin/*"]
        elif origin.branch_head:
            names.append(f"+refs/heads/{task.branch}:refs/remotes/origin/{task.branch}")
        _fetch(git, task, origin, names)
        if origin.branch_head and not ours(git, origin.branch_head, origin.base_head):
            msg = f"The branch {task.branch} is not ours: it holds what fleet-bot did not make."
            raise TaskSkipped(msg, "Merge or delete the branch, or rename it, to let fleet-bot use the name again.")
        base, note = _start(git, task, origin)
        if git.too_large(git.tree_of(base), files=MOST_FILES, size=MOST_BYTES):
            msg = f"The repository has more than {MOST_FILES:,} files, or more than {MOST_BYTES >> 30} GiB."
            raise TaskBlocked(msg, "Take it out of the fleet: nobody could work on it.")
        checkout = cls(scratch, git, base)
        checkout.note = note
        checkout.environment.mkdir()
        checkout.workspace.mkdir()
        checkout.fill(checkout.base_tree)
        return checkout

    def keep_prepared(self) -> None:
        """Remember the workspace as the set-up left it; later fillings start from that."""
        self.prepared_tree = self.git.stage(self.workspace)
        shutil.copytree(self.workspace, self._prepared, symlinks=True, ignore=_git_and_the_uncopyable)

    def start_over(self, base: str) -> None:
        """Be a checkout of another commit of the same repository, with nothing of what was there before."""
        self.base, self.base_tree = base, self.git.tree_of(base)
        self.prepared_tree = self.base_tree
        for folder in (self.environment, self._prepared):
            if folder.exists():
                empty(folder)
        if self._prepared.exists():
            self._prepared.rmdir()
        self.fill(self.base_tree)

    def fill(self, tree: str) -> None:
        """Give the workspace exactly the files of `tree`, and besides only what the set-up left there.

        Whatever was in it before is gone, ignored files and the `.git` too.
        """
        empty(self.workspace)
        if self._prepared.exists():
            shutil.copytree(self._prepared, self.workspace, symlinks=True, dirs_exist_ok=True)
            self.git.stage(self.workspace)
            self.git.run("read-tree", "--reset", "-u", tree, work_tree=self.workspace)
        else:
            self.git.checkout(tree, self.workspace)
        self._lend_git(tree)

    def private(self) -> Path:
        """A fresh folder for the home and the temporary files of one sandbox: nothing is carried into the next."""
        return Path(tempfile.mkdtemp(prefix="private-", dir=self.scratch))

    @property
    def variables(self) -> dict[str, str]:
        """What the environment inside needs so that the task's own Python is found first, and reads what is there."""
        folders = [str(self.environment / "bin"), str(Path(sys.executable).parent), *_SYSTEM_PATH]
        return {
            "PATH": os.pathsep.join(folders),
            "VIRTUAL_ENV": str(self.environment),
            # Python takes bytecode for current when second and size agree: an edit of one character right after a
            # test run would not be seen by the next.
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @property
    def objects(self) -> Path:
        """The objects that the workspace's own `.git` borrows; to be shown read-only."""
        return self.git.path / "objects"

    def changes(self, tree: str) -> tuple[Change, ...]:
        """What differs from what the agent started with."""
        return self.git.changes(self.prepared_tree, tree)

    def remove(self) -> None:
        """Throw everything away."""
        empty(self.scratch)
        self.scratch.rmdir()

    def _lend_git(self, tree: str) -> None:
        place = self.workspace / ".git"
        if place.exists() or place.is_symlink():
            return
        for folder in ("objects/info", "refs/heads", "refs/tags", "info"):
            (place / folder).mkdir(parents=True)
        (place / "HEAD").write_text(f"{self.base}\n", encoding="ascii")
        (place / "config").write_text(
            "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tlogallrefupdates = false\n"
            "[user]\n\tname = agent\n\temail = agent@fleet-bot.invalid\n",
            encoding="ascii",
        )
        (place / "objects" / "info" / "alternates").write_text(f"{self.objects}\n", encoding="utf-8")
        shutil.copy(self.git.path / "info" / "exclude", place / "info" / "exclude")
        (place / "info" / "attributes").write_text(RAW_ATTRIBUTES, encoding="ascii")
        tags = self.git.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags", "refs/remotes")
        (place / "packed-refs").write_bytes(b"# pack-refs with: sorted\n" + tags)
        GitDir(place).run("read-tree", tree, work_tree=self.workspace)


def _git_and_the_uncopyable(folder: str, names: list[str]) -> set[str]:
    """What is not carried over: a `.git`, and what cannot be copied (pipes, sockets, devices, what nobody may read)."""

    def ordinary(name: str) -> bool:
        place = Path(folder, name)
        mode = place.lstat().st_mode
        if stat.S_ISDIR(mode):
            return os.access(place, os.R_OK | os.X_OK)
        return stat.S_ISLNK(mode) or (stat.S_ISREG(mode) and os.access(place, os.R_OK))

    return {name for name in names if name == ".git" or not ordinary(name)}


def _fetch(git: GitDir, task: Task, origin: Origin, names: list[str]) -> None:
    try:
        git.fetch(origin.remote.url, names, token=origin.remote.token)
    except GitError as error:
        said = " ".join(error.what.removeprefix("git fetch failed:").split())
        msg = f"{task.plugin.repo} cannot be fetched: {said}"
        raise GitError(msg, "Clone it by hand to see whether it is broken (`git fsck`), or run again.") from error


def _start(git: GitDir, task: Task, origin: Origin) -> tuple[str, str]:
    """The commit that the work starts from, and what there is to say of it."""
    if not task.commit:
        version = task.report.version if task.report is not None else None
        if not version:
            return origin.base_head, ""
        commit, note = commit_at(version, git, task.plugin.name, origin.base_head)
        return commit or origin.base_head, note
    found = git.resolve(task.commit)
    tips = git.text("for-each-ref", "--format=%(objectname)").split()
    if found is None or not _reachable(git, found, tips):
        msg = f"The commit {task.commit} is not in the repository."
        raise TaskBlocked(msg, "Name a commit that one of its branches or tags contains with --commit.")
    if task.commit_from_report and not git.contains(found, [origin.base_head]):
        # Its history would come along into the pull request, and nobody who may decide that has named it.
        msg = f"The commit {task.commit} that the report names is not in the history of {origin.base_branch}."
        raise TaskBlocked(msg, "Where the work should start there all the same, name it with --commit.")
    return found, ""


def _reachable(git: GitDir, commit: str, tips: list[str]) -> bool:
    try:
        return git.contains(commit, tips)
    except GitError:
        return False
