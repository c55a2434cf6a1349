"""The state of one virtual run: tree, remembered values, clock, what went wrong and what was touched."""

from __future__ import annotations

import errno
import functools
import os
import re
from typing import Literal

import msgspec

from bot.base.glob import any_matches, matches
from bot.base.values import Scalar
from bot.virtual.clock import VirtualClock
from bot.virtual.facts import Fact, holds
from bot.virtual.faults import Fault, Faults
from bot.virtual.profile import Profile
from bot.virtual.tree import Node, Tree, joined, node, shown

_SECRET = re.compile(
    r"(^|/)(\.ssh|\.aws|\.gnupg|\.config/(gh|gcloud))(/|$)|(^|/)\.(env|netrc|git-credentials|pypirc|npmrc)$"
    r"|^/proc/[^/]+/environ$|^/etc/(g?shadow|ssh)|id_(rsa|ed25519)$"
)
_LINKS = 40


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a virtual run wants known beyond what the tools answered."""

    kind: Literal["coverage_miss", "tripwire", "fault"]
    what: str
    """A miss: the command; a tripwire: `push`, `network`, `secret`, `git-dir` or `command`; a fault: its id."""
    detail: str = ""
    command: int = 0
    """During which command, counted from 1; 0: a file tool."""


class OutOfTime(BaseException):
    """The command's time is over. No `Exception`, so that nothing in between mistakes it for an error of its own."""


class World:
    """What the commands and the file tools of one virtual run share."""

    def __init__(self, profile: Profile, *, seed: int, clock: VirtualClock) -> None:
        """The world at the start of a run, with the faults of `seed`."""
        self.profile, self.clock = profile, clock
        self.faults = Faults(profile.faults, seed)
        files = self._injected() if self.faults else profile.files
        self.tree = Tree(files)
        self.original: dict[str, Node] = files
        self.state: dict[str, Scalar] = dict(profile.state)
        self.notes: list[Note] = []
        self.command = 0
        """Number of the command that runs, 0 between commands."""
        self.commands = 0
        self.times_told = 0
        """How often a command asked for the time of day."""
        self.deadline = float("inf")
        self.heard: list[tuple[str, str]] = []
        """What the parts of a compound line have said so far, for when its time ends before it does."""

    @property
    def files(self) -> dict[str, Node]:
        """The tree now."""
        return self.tree.files

    def holds(self, fact: Fact | str) -> bool:
        """Whether a fact holds now."""
        return holds(fact, self.profile.facts, self)

    def note(self, kind: Literal["coverage_miss", "tripwire", "fault"], what: str, detail: str = "") -> None:
        """Let something be known."""
        self.notes.append(Note(kind=kind, what=what, detail=detail, command=self.command))

    def missed(self, what: str) -> None:
        """The profile has no answer for this."""
        self.note("coverage_miss", what)

    def spend(self, seconds: float) -> None:
        """Let virtual time pass. Raises `OutOfTime` when the command's own ends first."""
        if self.clock.monotonic() + seconds > self.deadline:
            self.clock.sleep(self.deadline - self.clock.monotonic())
            raise OutOfTime
        self.clock.sleep(seconds)

    def now(self) -> float:
        """The time of day, for a command that tells it: seconds since the epoch."""
        self.times_told += 1
        return self.clock.now()

    def look(self, path: str) -> Node | None:
        """The file at a path, links followed, for reading. Looking for a secret is noted, found or not."""
        place = self.real(path)
        self.watch(place)
        return self.tree.get(place)

    def watch(self, place: str) -> None:
        """Note it when somebody looks for a secret."""
        if _is_secret(place, self.profile.tripwires.secrets):
            self.note("tripwire", "secret", shown(place))

    def real(self, path: str) -> str:
        """The path with all symbolic links followed; as it is where they lead in a circle."""
        if not self.tree.links:
            return path
        for _ in range(_LINKS):
            link = self.link_on(path)
            if link is None:
                return path
            target = self.tree.files[link].link or ""
            path = joined(link.rpartition("/")[0], target + path[len(link) :])
        return path

    def write(self, path: str, data: bytes, *, executable: bool | None = None) -> None:
        """Create or replace a file, links followed. Raises `OSError` as a file system does."""
        place = self.real(path)
        if place == "/dev/null":
            return
        tree = self.tree
        if place in tree.folders:
            raise IsADirectoryError(errno.EISDIR, "Is a directory", shown(place))
        self.check_parents(place)
        old = tree.files.get(place)
        if executable is None:
            executable = old is not None and old.executable
        if place.startswith(".git/"):
            self.note("tripwire", "git-dir", place)
        if self.faults and (fault := self._half(place)) is not None:
            self.note("fault", fault.id, place)
            tree.put(place, node(data[: len(data) // 2], executable=executable))
            raise OSError(errno.ENOSPC, "No space left on device", shown(place))
        tree.put(place, node(data, executable=executable))

    def check_parents(self, place: str) -> None:
        """Raises `NotADirectoryError` when a file is where a folder has to be, `PermissionError` outside."""
        parent = place.rpartition("/")[0]
        if parent in self.tree.folders:
            return
        if place.startswith("/") and not place.startswith(("/tmp/", "/home/agent/")):
            raise PermissionError(errno.EACCES, "Permission denied", place)
        while parent:
            if parent in self.tree.files:
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", shown(place))
            parent = parent.rpartition("/")[0]

    def link_on(self, path: str) -> str | None:
        """The first symbolic link on the way to a path and at its end, or None."""
        cut = path.find("/", 1)
        while cut > 0:
            found = self.tree.files.get(path[:cut])
            if found is not None and found.link is not None:
                return path[:cut]
            cut = path.find("/", cut + 1)
        found = self.tree.files.get(path)
        return path if found is not None and found.link is not None else None

    def _half(self, place: str) -> Fault | None:
        for fault in self.faults.of("half_write"):
            if not place.startswith("/") and matches(place, fault.file) and self.faults.strikes(fault):
                return fault
        return None

    def _injected(self) -> dict[str, Node]:
        """The files with what `inject` puts into them and beside them."""
        files = dict(self.profile.files)
        for fault in self.faults.of("inject"):
            if fault.into == "name" and self.faults.strikes(fault):
                files[fault.text.strip().replace("/", "_").replace("\n", " ")[:200] or "_"] = node(b"")
            elif fault.into == "file" and self.faults.strikes(fault):
                for path in [path for path in files if matches(path, fault.file) and files[path].link is None]:
                    old = files[path]
                    files[path] = node(old.data + fault.text.encode(), executable=old.executable)
        return files


@functools.lru_cache(maxsize=1024)
def _is_secret(place: str, more: tuple[str, ...]) -> bool:
    return _SECRET.search(place) is not None or (bool(more) and any_matches(place, more))


def said(error: OSError) -> str:
    """What a file-system error is called, without path and number."""
    return error.strerror or os.strerror(error.errno or errno.EIO)
