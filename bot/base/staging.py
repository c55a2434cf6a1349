"""From a work tree that hostile code wrote to a git tree, without git ever doing what the work tree says.

`git add` is not safe there. Once a repository inside the work tree is in the index, `git add` starts `git status` in
it, and that reads the inner repository's configuration and runs its filters: code of the agent, outside of the sandbox.
So changed and new paths are listed by commands that never look into another repository, are looked at here, and only
regular files and symlinks go to `git update-index`, by name.

- A repository inside the work tree is a folder like any other: its files are staged, its `.git` is not.
- A submodule of the base stays as the base has it.
- Files over 100 MiB stay out (changed ones stay as they were): no forge takes them.
- Fifos, sockets and devices stay out. Where one could make git wait for ever (`.gitignore`) it is deleted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.base.errors import GitError

if TYPE_CHECKING:
    from bot.base.git import GitDir

LARGEST = 100 << 20
_MOST_REPOSITORIES = 64
_FIRST_TRY_SECONDS = 60.0
_SECOND_TRY_SECONDS = 600.0
_OTHERS = ("ls-files", "-z", "--others", "--exclude-standard")
_T = TypeVar("_T")


def stage(git: GitDir, work_tree: Path, *, index: Path | None = None, base: str | None = None) -> str:
    """The tree of `work_tree` as it is, ignored files left out. `index` is brought up to date.

    With `base`, files that are in the index only because of an earlier call, and that a `.gitignore` written since
    excludes, leave it again; what is in `base` stays whether ignored or not. Raises `GitError`.
    """

    def attempt(seconds: float) -> str:
        removed, added = _changed(git, work_tree, index, seconds)
        if removed:
            rows = b"".join(b"0 %s\t%s\0" % (b"0" * 40, path) for path in removed)
            git.run("update-index", "-z", "--index-info", stdin=rows, index=index, timeout=seconds)
        if added:
            rows = b"".join(path + b"\0" for path in added)
            arguments = ("update-index", "-z", "--add", "--replace", "--stdin")
            git.run(*arguments, stdin=rows, work_tree=work_tree, index=index, timeout=seconds)
        if base is not None and any(path.rpartition(b"/")[2] == b".gitignore" for path in removed + added):
            _forget_ignored(git, work_tree, index, base)
        return git.text("write-tree", index=index)

    return patiently(git, work_tree, attempt, index=index)


def left_out(git: GitDir, work_tree: Path, *, index: Path | None = None) -> tuple[str, ...]:
    """The paths of new and changed files that the last `stage` left out because no forge takes files so large."""
    options = ("-z", "--raw", "--no-renames", "--ignore-submodules=all")
    raw = git.run("diff-files", *options, work_tree=work_tree, index=index, timeout=_FIRST_TRY_SECONDS)
    paths = [*raw.split(b"\0")[1::2], *_others(git, work_tree, index, _FIRST_TRY_SECONDS)]
    return tuple(sorted(os.fsdecode(path) for path in paths if _kind(_at(work_tree, path)) == "large"))


def patiently(git: GitDir, work_tree: Path, attempt: Callable[[float], _T], *, index: Path | None = None) -> _T:
    """Run `attempt(seconds)`; when git fails or hangs, clear what can have stopped it out of the way, and once more."""
    try:
        return attempt(_FIRST_TRY_SECONDS)
    except GitError:
        lock = index or git.path / "index"
        lock.with_name(f"{lock.name}.lock").unlink(missing_ok=True)
        _clear(os.fsencode(work_tree))
        return attempt(_SECOND_TRY_SECONDS)


def _changed(git: GitDir, work_tree: Path, index: Path | None, seconds: float) -> tuple[list[bytes], list[bytes]]:
    """Paths to take out of the index, and paths to put into it."""
    options = ("-z", "--raw", "--no-renames", "--ignore-submodules=all")
    raw = git.run("diff-files", *options, work_tree=work_tree, index=index, timeout=seconds)
    fields = raw.split(b"\0")
    removed: list[bytes] = []
    added: list[bytes] = []
    real: dict[bytes, bool] = {b"": True}
    for path in fields[1::2]:
        kind = _kind(_at(work_tree, path)) if _on_real_folders(work_tree, path, real) else "absent"
        if kind == "file":
            added.append(path)
        elif kind == "absent":
            removed.append(path)
    added += [path for path in _others(git, work_tree, index, seconds) if _kind(_at(work_tree, path)) == "file"]
    return removed, added


def _at(work_tree: Path, path: bytes) -> bytes:
    return os.fsencode(work_tree) + b"/" + path


def _on_real_folders(work_tree: Path, path: bytes, known: dict[bytes, bool]) -> bool:
    """Whether no folder on the way to `path` is a symlink now: what lies behind one is not ours to look at or change.

    `known` remembers what was found out.
    """
    end = path.find(b"/")
    while end >= 0:
        folder = path[:end]
        if folder not in known:
            try:
                known[folder] = stat.S_ISDIR(os.lstat(_at(work_tree, folder)).st_mode)
            except OSError:
                known[folder] = False
        if not known[folder]:
            return False
        end = path.find(b"/", end + 1)
    return True


def _kind(place: bytes) -> str:
    """`file` for what can be staged, `absent` for what cannot, `large` for what is left as it is."""
    try:
        facts = os.lstat(place)
    except OSError:
        return "absent"
    if stat.S_ISLNK(facts.st_mode):
        return "file"
    if not stat.S_ISREG(facts.st_mode):
        return "absent"
    if facts.st_size > LARGEST:
        return "large"
    if not facts.st_mode & stat.S_IRUSR:
        os.chmod(place, stat.S_IMODE(facts.st_mode) | stat.S_IRUSR)  # noqa: PTH101 — names are bytes here
    return "file"


def _others(git: GitDir, work_tree: Path, index: Path | None, seconds: float) -> list[bytes]:
    """New files, those in repositories inside the work tree too; git names such a repository with a slash behind."""
    found: list[bytes] = []
    waiting, seen = [b""], 0
    while waiting:
        folder = waiting.pop()
        seen += 1
        if seen > _MOST_REPOSITORIES:
            msg = f"There are more than {_MOST_REPOSITORIES} repositories inside the work tree."
            raise GitError(msg)
        place = Path(os.fsdecode(_at(work_tree, folder)))
        against = git.path / "nothing.index" if folder else index
        for path in git.run(*_OTHERS, work_tree=place, index=against, timeout=seconds).split(b"\0"):
            if path.endswith(b"/"):
                waiting.append(folder + path)
            elif path:
                found.append(folder + path)
    return found


def _forget_ignored(git: GitDir, work_tree: Path, index: Path | None, base: str) -> None:
    options = ("-z", "--cached", "--ignored", "--exclude-standard")
    ignored = git.run("ls-files", *options, work_tree=work_tree, index=index).split(b"\0")
    kept = set(git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", base).split(b"\0"))
    rows = b"".join(b"0 %s\t%s\0" % (b"0" * 40, path) for path in ignored if path and path not in kept)
    git.run("update-index", "-z", "--index-info", stdin=rows, index=index)


def _clear(root: bytes) -> None:
    """Open folders that were closed to their owner, and delete special files under names that git reads."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            mode = stat.S_IMODE(os.lstat(folder).st_mode)
            if mode & stat.S_IRWXU != stat.S_IRWXU:
                os.chmod(folder, mode | stat.S_IRWXU)  # noqa: PTH101
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.name.startswith(b".git") and not (entry.is_symlink() or entry.is_file()):
                        os.unlink(entry.path)  # noqa: PTH108
        except OSError:
            continue
