"""A file system in a dictionary: exact, cheap to copy, and always with a name for its content.

Files of the workspace are kept by their relative path, everything else (`/tmp/…`) by its absolute one. Only the
workspace has snapshots, and `.git` is no part of it. Nodes never change, so a snapshot shares all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

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
    """A snapshot. Neither part is ever changed."""

    files: dict[str, Node]
    folders: frozenset[str]


class Tree:
    """Files and folders by path. Parents come into being with what lies in them and stay when it goes."""

    def __init__(self, files: Mapping[str, Node]) -> None:
        """`files` is copied; its nodes are shared."""
        self.files: dict[str, Node] = dict(files)
        self.folders: set[str] = {"", "/", "/tmp", "/home", "/home/agent"}
        self.links = False
        """Whether there was ever a symbolic link: nearly no tree has one, and then no path has to be followed."""
        self._sum = 0
        self._frozen: Frozen | None = None
        for path, value in self.files.items():
            self._sum += weight(path, value)
            self.links = self.links or value.link is not None
            self._make_parents(path)

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
        self._frozen = None

    def drop(self, path: str) -> None:
        """Remove a file. Raises `KeyError`."""
        self._sum -= weight(path, self.files.pop(path))
        self._frozen = None

    def add_folder(self, path: str) -> None:
        """Make a folder and its parents."""
        if path not in self.folders:
            self._make_parents(path)
            self.folders.add(path)
            self._frozen = None

    def drop_folder(self, path: str) -> None:
        """Remove an empty folder."""
        self.folders.discard(path)
        self._frozen = None

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
        return f"{self._sum & _MASK:064x}"

    def freeze(self) -> Frozen:
        """The state now; costs a copy of the dictionary when something has changed since the last time."""
        if self._frozen is None:
            self._frozen = Frozen(dict(self.files), frozenset(self.folders))
        return self._frozen

    def name_without(self, paths: Iterable[str]) -> str:
        """As `name`, for the tree without some of its files."""
        return f"{(self._sum - sum(weight(path, self.files[path]) for path in paths)) & _MASK:064x}"

    def thaw(self, files: Mapping[str, Node]) -> None:
        """Hold exactly these files. A folder is there when something is in it, as after a checkout."""
        self.files = dict(files)
        self.folders = {folder for folder in self.folders if folder[:1] in {"", "/"}}
        self._sum = 0
        for path, value in self.files.items():
            self._sum += weight(path, value)
            self._make_parents(path)
        self._frozen = None

    def _make_parents(self, path: str) -> None:
        cut = path.rfind("/")
        while cut > 0:
            parent = path[:cut]
            if parent in self.folders:
                return
            self.folders.add(parent)
            cut = path.rfind("/", 0, cut)


def weight(path: str, value: Node) -> int:
    """What one file adds to the name of a tree; nothing outside of the workspace and below `.git` does."""
    if path[0] == "/" or path.startswith(".git/"):
        return 0
    text = f"{path}\0{value.sha256}\0{value.executable:d}{value.link is not None:d}"
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
