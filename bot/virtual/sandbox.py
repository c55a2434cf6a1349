"""A sandbox without a single process: `ports.Sandbox` on a virtual plugin, with exact effects and a virtual clock."""

from __future__ import annotations

import errno
import operator
import posixpath
from typing import TYPE_CHECKING

from bot.base.errors import SandboxError
from bot.base.values import Scalar
from bot.ports import CommandResult, Effect, Enforced, Entry, FileContent, PathRefused
from bot.virtual.clock import VirtualClock
from bot.virtual.profile import Profile
from bot.virtual.shell import run_line
from bot.virtual.shell.call import Done, raw
from bot.virtual.snapshots import Snapshots
from bot.virtual.tree import ROOT, Node
from bot.virtual.world import Note, OutOfTime, World

if TYPE_CHECKING:
    from collections.abc import Mapping

Condition = tuple[str, str, tuple[tuple[str, Scalar], ...]]
"""Hash of the profile, name of the tree, what commands have remembered."""
CAP = 1 << 20
"""Bytes that are kept of each stream, as in the real levels."""
_TIMED_OUT = 124
_NOT_STARTED = 126
_LONGEST_NAME = 255
_LONGEST_PATH = 4096
_FACTS = Enforced(
    level="virtual", network="none", notes=("No process runs here: commands answer as the profile says.",)
)


class VirtualSandbox:
    """One virtual run of a plugin. Nothing is read from disk, from the real clock or from chance."""

    def __init__(self, profile: Profile, *, seed: int = 0, clock: VirtualClock | None = None) -> None:
        """`seed` decides which faults strike; `clock` is shared with the run, by default one of the seed's own."""
        self.clock = clock or VirtualClock(seed)
        self._world = World(profile, seed=seed, clock=self.clock)
        self._snapshots = Snapshots(self._world.tree)
        self._closed = False

    @property
    def facts(self) -> Enforced:
        """See `ports.Sandbox`."""
        return _FACTS

    @property
    def workspace(self) -> str:
        """The workspace's path as commands see it."""
        return ROOT

    @property
    def notes(self) -> tuple[Note, ...]:
        """Coverage misses, tripwires and faults so far, in their order."""
        return tuple(self._world.notes)

    @property
    def state(self) -> Mapping[str, Scalar]:
        """What commands have remembered."""
        return dict(self._world.state)

    @property
    def files(self) -> Mapping[str, bytes]:
        """The workspace now: path → bytes, for a judgement about the end."""
        return {path: node.data for path, node in self._world.files.items() if path[0] != "/"}

    def holds(self, fact: str) -> bool:
        """Whether a fact of the profile holds now. Raises `KeyError` for one that it does not have."""
        return self._world.holds(fact)

    @property
    def condition(self) -> Condition | None:
        """All that the answer to a command can depend on besides itself; None where chance has a say."""
        world = self._world
        return None if world.faults else (world.profile.hash, world.tree.name, tuple(sorted(world.state.items())))

    @property
    def times_told(self) -> int:
        """How often a command asked for the time of day, on which its answer depends besides."""
        return self._world.times_told

    def pass_over(self, seconds: float) -> None:
        """As if a command had run that took so long and changed nothing."""
        self._world.commands += 1
        self.clock.sleep(seconds)

    def read(self, path: str, *, limit: int = 1 << 20) -> FileContent:
        """See `ports.Sandbox`."""
        found = self._node(path)
        data = found.data
        return FileContent(data=data[:limit] if len(data) > limit else data, size=len(data), sha256=found.sha256)

    def write(self, path: str, data: bytes) -> None:
        """See `ports.Sandbox`."""
        place = self._place(path)
        found = self._world.tree.get(place)
        if found is not None and found.link is not None:
            raise _refused(path, "a symbolic link, which is never followed")
        if place == "":
            raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
        self._world.write(place, data)

    def delete(self, path: str) -> None:
        """See `ports.Sandbox`."""
        self._node(path)
        self._world.tree.drop(self._place(path))

    def entries(self, path: str = ".", *, limit: int = 10_000) -> list[Entry]:
        """See `ports.Sandbox`."""
        top = self._place(path)
        tree = self._world.tree
        if not tree.is_folder(top):
            found = tree.get(top)
            if found is not None and found.link is not None:
                raise _refused(path, "a symbolic link, which is never followed")
            if found is not None:
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", path)
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        start = f"{top}/" if top else ""
        listed = [
            Entry(path=folder, kind="directory")
            for folder in tree.folders
            if folder[:1] not in {"", "/"} and folder.startswith(start) and not (".git" in folder and _of_git(folder))
        ]
        for place in tree.below(top):
            node = tree.files[place]
            if ".git" in place and _of_git(place):
                continue
            if node.link is not None:
                listed.append(Entry(path=place, kind="symlink"))
            else:
                listed.append(Entry(path=place, kind="file", size=len(node.data), executable=node.executable))
        return sorted(listed, key=_path if all(map(str.isascii, map(_path, listed))) else _raw_path)[:limit]

    def run(self, command: str, *, timeout: float, env: dict[str, str] | None = None, cwd: str = ".") -> CommandResult:
        """See `ports.Sandbox`. `timeout` is in virtual seconds."""
        world = self._world
        try:
            place = self._place(cwd)
        except PathRefused as error:
            msg = f"The command could not be run: {error}."
            raise SandboxError(msg) from None
        if not world.tree.is_folder(place):
            return CommandResult(exit_code=_NOT_STARTED, stdout=b"", stderr=b"", duration_ms=0.0)
        world.commands += 1
        world.command = world.commands
        began, noted = self.clock.monotonic(), len(world.notes)
        world.deadline = began + timeout
        world.heard = []
        timed_out = False
        try:
            done = run_line(world, command, cwd=place, env=env or {})
        except OutOfTime:
            done = Done(_TIMED_OUT, "".join(out for out, _ in world.heard), "".join(err for _, err in world.heard))
            timed_out = True
        finally:
            world.command = 0
            world.deadline = float("inf")
        stdout, stderr = raw(done.out), raw(done.err)
        return CommandResult(
            exit_code=done.exit,
            stdout=_cut(stdout),
            stderr=_cut(stderr),
            duration_ms=milliseconds(self.clock.monotonic() - began),
            timed_out=timed_out,
            stdout_size=len(stdout),
            stderr_size=len(stderr),
            coverage_miss=any(note.kind == "coverage_miss" for note in world.notes[noted:]),
        )

    def snapshot(self) -> str:
        """See `ports.Sandbox`."""
        return self._snapshots.snapshot()

    def changes(self, before: str, after: str) -> tuple[Effect, ...]:
        """See `ports.Sandbox`."""
        return self._snapshots.changes(before, after)

    def restore(self, tree: str) -> None:
        """See `ports.Sandbox`."""
        self._snapshots.restore(tree)

    def close(self) -> None:
        """See `ports.Sandbox`. What was written can still be looked at."""
        self._closed = True

    def _node(self, path: str) -> Node:
        place = self._place(path)
        self._world.watch(place)
        found = self._world.tree.get(place)
        if found is None:
            if self._world.tree.is_folder(place):
                raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        if found.link is not None:
            raise _refused(path, "a symbolic link, which is never followed")
        return found

    def _place(self, path: str) -> str:
        """The key of a path, refused as the real levels do it."""
        if self._closed:
            msg = "The sandbox is closed."
            raise SandboxError(msg)
        if not path or "\0" in path:
            raise _refused(path, "not a path: it is empty or has a NUL byte")
        inside = path
        if path.startswith("/"):
            whole = posixpath.normpath(path)
            if whole != ROOT and not whole.startswith(ROOT + "/"):
                raise _refused(path, "outside of the workspace")
            inside = whole[len(ROOT) + 1 :] or "."
        if inside[0] == "." or "/." in inside or "//" in inside or inside[-1] == "/":
            inside = posixpath.normpath(inside)
        if inside == ".":
            return ""
        if inside == ".." or inside.startswith("../"):
            raise _refused(path, "outside of the workspace")
        if len(inside) > _LONGEST_NAME or not inside.isascii():
            _nameable(path, inside)
        if self._world.tree.links:
            self._no_link_above(path, inside)
        return inside

    def _no_link_above(self, path: str, inside: str) -> None:
        folder = inside.rpartition("/")[0]
        if folder and self._world.link_on(folder) is not None:
            raise _refused(path, "a symbolic link, which is never followed")


_path = operator.attrgetter("path")


def _raw_path(entry: Entry) -> bytes:
    """Paths are sorted by their bytes, which for ASCII is the order of the characters."""
    return raw(entry.path)


def milliseconds(seconds: float) -> float:
    """As a result tells how long its command took: to the microsecond."""
    return round(seconds * 1000, 3)


def _refused(path: str, why: str) -> PathRefused:
    return PathRefused(f"{path[:200]!r}: {why}")


def _nameable(path: str, inside: str) -> None:
    try:
        data = inside.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise _refused(path, "not a path: it is no name") from None
    if len(data) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in data.split(b"/")):
        raise _refused(path, "File name too long")


def _of_git(path: str) -> bool:
    return path == ".git" or path.startswith(".git/") or "/.git/" in path or path.endswith("/.git")


def _cut(data: bytes) -> bytes:
    if len(data) <= CAP:
        return data
    half = CAP // 2
    note = f"\n[... {len(data) - 2 * half} bytes left out ...]\n".encode()
    return data[:half] + note + data[-half:]
