"""A file system in a dictionary: exact, cheap to copy, and always with a name for its content.

Files of the workspace are kept by their relative path, everything else (`/tmp/…`) by its absolute one. Only the
workspace has snapshots, and `.git` is no part of it. Nodes never change, so a snapshot shares all of them.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

ROOT = "/workspace"
"""The workspace as it is seen inside."""
_MASK = (1 << 256) - 1


class Node(msgspec.Struct, frozen=True, gc=False):
    """One file or symbolic link as it is."""

    data: bytes
    sha256: str
    executable: bool = False
    link: str | None = None
    """Where a symbolic link points; then `data` is that text, as git has it."""


def node(data: bytes, *, executable: bool = False, link: str | None = None) -> Node:
    """The node for some bytes, or for a symbolic link."""
    if link is not None:
        data = link.encode("utf-8", "surrogateescape")
    return Node(data, hashlib.sha256(data).hexdigest(), executable, link)


class Frozen(msgspec.Struct, frozen=True, gc=False):
    """The files of a workspace at some time, and the sum that is its name. Never changed."""

    files: dict[str, Node]
    sum: int


class Tree:
    """Files and folders by path. Parents come into being with what lies in them and stay when it goes."""

    def __init__(self, files: Mapping[str, Node]) -> None:
        """`files` is copied; its nodes are shared."""
        self.files: dict[str, Node] = dict(files)
        self.folders: set[str] = {"", "/", "/tmp", "/home", "/home/agent"}
        self.links = False
        """Whether there was ever a symbolic link: nearly no tree has one, and then no path has to be followed."""
        self._sum = 0
        self._name: str | None = None
        self.version = 0
        """Grows with every change."""
        for path, value in self.files.items():
            self._sum += weight(path, value)
            self.links = self.links or value.link is not None
        self.folders |= _parents(tuple(self.files))

    def get(self, path: str) -> Node | None:
        """The file or link at a path, if there is one."""
        return self.files.get(path)

    def is_folder(self, path: str) -> bool:
        """Whether a path is a folder; the workspace itself is the empty path."""
        return path in self.folders

    def put(self, path: str, value: Node) -> None:
        """Create or replace a file, its parents made as needed. The caller has made sure that none of them is one."""
        old = self.files.get(path)
        if old is not None:
            if old == value:
                return
            self._sum -= weight(path, old)
        else:
            self._make_parents(path)
        self.files[path] = value
        self.links = self.links or value.link is not None
        self._sum += weight(path, value)
        self._name = None
        self.version += 1

    def drop(self, path: str) -> None:
        """Remove a file. Raises `KeyError`."""
        self._sum -= weight(path, self.files.pop(path))
        self._name = None
        self.version += 1

    def add_folder(self, path: str) -> None:
        """Make a folder and its parents."""
        if path not in self.folders:
            self._make_parents(path)
            self.folders.add(path)
            self.version += 1

    def drop_folder(self, path: str) -> None:
        """Remove an empty folder."""
        self.folders.discard(path)
        self.version += 1

    def below(self, folder: str) -> Iterator[str]:
        """Paths of all files below a folder of the same kind (workspace or outside), in no order."""
        if folder == "":
            return (path for path in self.files if not path.startswith("/"))
        start = folder if folder.endswith("/") else folder + "/"
        return (path for path in self.files if path.startswith(start))

    def children(self, folder: str) -> list[str]:
        """Names in a folder, files and folders, sorted by bytes."""
        start = "" if folder == "" else folder.rstrip("/") + "/"
        size = len(start)
        found = set()
        for path in (*self.files, *self.folders):
            if path.startswith(start) and len(path) > size and (folder or path[0] != "/"):
                found.add(path[size:].split("/", 1)[0])
        return sorted(found)

    @property
    def name(self) -> str:
        """64 hex digits for the content of the workspace: equal content, equal name, whatever order it came in.

        A sum of hashes, so that a change costs the same in a large tree. Good enough to tell states apart, no proof
        against somebody who looks for a collision; nothing that leaves a virtual run rests on it.
        """
        if self._name is None:
            self._name = f"{self._sum & _MASK:064x}"
        return self._name

    def name_without(self, paths: Iterable[str]) -> str:
        """As `name`, for the tree without some of its files."""
        return f"{self._sum_without(paths) & _MASK:064x}"

    def freeze(self, without: Collection[str] = ()) -> Frozen:
        """The workspace now, without some of its files."""
        files = {path: value for path, value in self.files.items() if is_inside(path) and path not in without}
        return Frozen(files, self._sum_without(without))

    def thaw(self, state: Frozen, kept: Mapping[str, Node]) -> None:
        """Hold exactly these files, and `kept` besides. A folder is there when something is in it, as after a checkout.

        Costs no hashing but for what is kept: the state knows its sum.
        """
        self.files = {**state.files, **kept}
        self.folders = {folder for folder in self.folders if folder[:1] in {"", "/"}} | _parents(tuple(state.files))
        self._sum = state.sum
        for path, value in kept.items():
            self._sum += weight(path, value)
            self._make_parents(path)
        self._name = None
        self.version += 1

    def _sum_without(self, paths: Iterable[str]) -> int:
        return self._sum - sum(weight(path, self.files[path]) for path in paths)

    def _make_parents(self, path: str) -> None:
        cut = path.rfind("/")
        while cut > 0:
            parent = path[:cut]
            if parent in self.folders:
                return
            self.folders.add(parent)
            cut = path.rfind("/", 0, cut)


@functools.lru_cache(maxsize=256)
def _parents(paths: tuple[str, ...]) -> frozenset[str]:
    """The folders that files lie in; trials go back to the same few trees again and again."""
    found: set[str] = set()
    for path in paths:
        cut = path.rfind("/")
        while cut > 0 and path[:cut] not in found:
            found.add(path[:cut])
            cut = path.rfind("/", 0, cut)
    return frozenset(found)


def is_inside(path: str) -> bool:
    """Whether a path is part of the workspace's content: `.git` is not, and what lies outside is not."""
    return path[0] != "/" and not path.startswith(".git/")


def weight(path: str, value: Node) -> int:
    """What one file adds to the name of a tree; nothing outside of the workspace and below `.git` does."""
    return _weight(path, value.sha256, value.executable, value.link is not None) if is_inside(path) else 0


@functools.lru_cache(maxsize=4096)
def _weight(path: str, sha256: str, executable: bool, link: bool) -> int:
    text = f"{path}\0{sha256}\0{executable:d}{link:d}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest(), "big")


def key(absolute: str) -> str:
    """The key of an absolute, normalised path: relative inside the workspace, absolute elsewhere."""
    if absolute.startswith(ROOT) and (len(absolute) == len(ROOT) or absolute[len(ROOT)] == "/"):
        return absolute[len(ROOT) + 1 :]
    return absolute


def shown(path: str) -> str:
    """The absolute path of a key."""
    return path if path.startswith("/") else f"{ROOT}/{path}" if path else ROOT


def joined(folder: str, path: str) -> str:
    """The key of a path as it is written somewhere: relative to the folder (a key), or absolute, dots resolved."""
    if "." not in path and "//" not in path and path and path[0] != "/" and path[-1] != "/":
        return f"{folder}/{path}" if folder not in {"", "/"} else folder + path
    absolute = path if path.startswith("/") else f"{shown(folder)}/{path}"
    parts: list[str] = []
    for part in absolute.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return key("/" + "/".join(parts))
