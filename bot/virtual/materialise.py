"""Plain files of a virtual plugin → a bare git repository, always with the same commit ids.

The only user of GitPython, and of the part of it that starts no process: objects are written by the library, byte for
byte, so that no hook, no filter, no configuration and no `GIT_*` variable of the caller has a say.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bot.base.canonical import digest, sha256
from bot.base.errors import ConfigurationError, UsageError
from bot.base.glob import any_matches
from bot.virtual.plugin import Commit, Special, VirtualPlugin

if TYPE_CHECKING:
    import git

_FILE, EXECUTABLE, LINK = 0o100644, 0o100755, 0o120000
"""Modes as git has them."""
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_MADE = "virtual-plugin.json"
_COMMIT = re.compile(r"\{commit:([A-Za-z0-9._-]+)\}")

Files = dict[str, tuple[int, bytes]]
"""Path → git mode and content; of a symbolic link, where it points to."""


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beside the objects, to know later what they were made from."""

    source: str
    commits: dict[str, str]


def commit_ids(plugin: VirtualPlugin, bare: Path) -> dict[str, str]:
    """The commits of the plugin's repository by name. Makes `bare` when it is not there, else only reads.

    Raises `UsageError` when `bare` was made from other files than the plugin has today.
    """
    if not bare.exists():
        return materialise(plugin, bare)
    try:
        made = msgspec.json.decode((bare / _MADE).read_bytes(), type=_Made)
    except (OSError, msgspec.DecodeError):
        msg = f"{bare} is no repository of a virtual plugin."
        raise UsageError(msg, "Choose a new or empty folder.") from None
    if made.source != _source(plugin):
        msg = f"{bare} was made from an older state of the virtual plugin {plugin.source.name}."
        raise UsageError(msg, "Choose a new or empty folder.")
    return made.commits


def materialise(plugin: VirtualPlugin, bare: Path) -> dict[str, str]:
    """Make the repository at `bare`, which must not exist, and return its commits by name. All or nothing."""
    bare.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{bare.name}.", dir=bare.parent))
    try:
        new.chmod(0o755)
        _lay_out(new, plugin.history.branch)
        made = _Made(source=_source(plugin), commits=_write_history(plugin, new))
        (new / _MADE).write_bytes(msgspec.json.encode(made))
        new.rename(bare)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return made.commits


def fill(text: str, commits: Mapping[str, str]) -> str:
    """`text` with each `{commit:NAME}` replaced by the id of that commit. Raises `ConfigurationError` for others."""

    def one(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in commits:
            msg = f"There is no commit {name} in the history."
            raise ConfigurationError(msg, f"Use one of: {', '.join(commits) or '(none)'}.")
        return commits[name]

    return _COMMIT.sub(one, text)


def history_of(plugin: VirtualPlugin) -> tuple[tuple[Commit, Files], ...]:
    """All commits with the files of each, oldest first."""
    if plugin.history.empty:
        return ()
    commits = plugin.history.commits or (Commit(name="head", when=_EPOCH, message=f"Start {plugin.source.name}"),)
    today = _read(plugin.source / "repo")
    for path, special in plugin.history.files.items():
        today[path] = _special(plugin, path, special, today.get(path))
    return tuple(
        (commit, today if commit is commits[-1] else _earlier(today, commit, plugin.source / "history" / commit.name))
        for commit in commits
    )


def _special(plugin: VirtualPlugin, path: str, special: Special, plain: tuple[int, bytes] | None) -> tuple[int, bytes]:
    if special.link is not None:
        return LINK, special.link.encode()
    mode = EXECUTABLE if special.executable else _FILE
    if special.text is not None:
        return mode, special.text.encode()
    if plain is None:
        msg = f"{plugin.source / 'plugin.yaml'}: history.files names {path}, which is not in repo/."
        raise ConfigurationError(msg, "Give it `text` or `link`, or put the file there.")
    return mode, plain[1]


def _earlier(today: Files, commit: Commit, folder: Path) -> Files:
    kept = {path: file for path, file in today.items() if not any_matches(path, commit.absent)}
    for path, (mode, data) in _read(folder).items():
        kept[path] = (today[path][0] if path in today and mode == _FILE else mode, data)
    return kept


def _read(folder: Path) -> Files:
    found: Files = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                found[path.relative_to(folder).as_posix()] = (_FILE, path.read_bytes())
    return found


def _source(plugin: VirtualPlugin) -> str:
    return digest(
        [
            plugin.history.branch,
            [
                [commit, sorted((path, mode, sha256(data)) for path, (mode, data) in files.items())]
                for commit, files in history_of(plugin)
            ],
        ]
    )


def _lay_out(place: Path, branch: str) -> None:
    for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (place / folder).mkdir(parents=True)
    (place / "HEAD").write_text(f"ref: refs/heads/{branch}\n", encoding="utf-8")
    (place / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n", "utf-8")


def _write_history(plugin: VirtualPlugin, place: Path) -> dict[str, str]:
    repository = _open(place)
    ids: dict[str, str] = {}
    refs: dict[str, str] = {}
    parents: list[git.Commit] = []
    try:
        for commit, files in history_of(plugin):
            made = _commit(repository, commit, _tree(repository, files), parents)
            parents, ids[commit.name] = [made], made.hexsha
            refs |= {f"refs/tags/{tag}": made.hexsha for tag in commit.tags}
            refs[f"refs/heads/{plugin.history.branch}"] = made.hexsha
    finally:
        repository.close()
    lines = [f"{value} {name}\n" for name, value in sorted(refs.items())]
    (place / "packed-refs").write_text("# pack-refs with: sorted\n" + "".join(lines), encoding="utf-8")
    return ids


def _open(place: Path) -> git.Repo:
    import git
    from gitdb import LooseObjectDB  # type: ignore[import-untyped]

    # The library lets GIT_DIR, GIT_COMMON_DIR, GIT_OBJECT_DIRECTORY … of the process redirect it, and they are set
    # whenever a git hook runs us.
    aside = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
    try:
        repository = git.Repo(place)
    finally:
        os.environ |= aside
    # The usual database asks a git process for every object it writes, in the environment of ours.
    repository.odb = LooseObjectDB(str(place / "objects"))
    # No configuration at all: a user's `i18n.commitEncoding` would change what a commit looks like.
    repository.config_level = ()  # type: ignore[assignment]
    return repository


def _commit(repository: git.Repo, commit: Commit, tree: git.Tree, parents: list[git.Commit]) -> git.Commit:
    import git

    login = "-".join(commit.author.lower().split())
    actor = git.Actor(commit.author, f"{login}@example.invalid")
    moment = f"{int(commit.when.timestamp())} +0000"
    message = commit.message.rstrip("\n") + "\n"
    return git.Commit.create_from_tree(
        repository, tree, message, parents, author=actor, committer=actor, author_date=moment, commit_date=moment
    )


def _tree(repository: git.Repo, files: Files) -> git.Tree:
    import git
    from gitdb import IStream

    index = git.IndexFile(repository)
    for path, (mode, data) in files.items():
        stored = repository.odb.store(IStream("blob", len(data), BytesIO(data)))
        entry = git.BaseIndexEntry((mode, stored.binsha, 0, path))
        index.entries[path, 0] = git.IndexEntry.from_base(entry)
    return index.write_tree()
