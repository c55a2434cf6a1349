"""The virtual tree as the shell library wants a file system: absolute paths, coroutines that never wait."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from bot.virtual.shell.call import raw, text
from bot.virtual.tree import Node, joined, key, node, shown
from bot.virtual.world import World, said

if TYPE_CHECKING:
    from just_bash.types import FsStat


class _Said(OSError):
    """Says what a shell says, without the number and the path."""

    def __str__(self) -> str:
        return str(self.strerror)


class VirtualFs:
    """`just_bash.types.IFileSystem` on a world."""

    def __init__(self, world: World) -> None:
        """Everything is read from and written to this world's tree."""
        self._world = world
        self.refused = False
        """Whether a write was refused since somebody last asked."""

    def _real(self, path: str) -> str:
        return self._world.real(joined("", path))

    def _file(self, path: str) -> Node:
        place = self._real(path)
        if place == "/dev/null":
            return node(b"")
        found = self._world.look(place)
        if found is None:
            if self._world.tree.is_folder(place):
                raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return found

    async def read_file(self, path: str, encoding: str = "utf-8") -> str:
        """The text of a file."""
        return text(self._file(path).data)

    async def read_file_bytes(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._file(path).data

    async def write_file(self, path: str, content: str | bytes, encoding: str = "utf-8") -> None:
        """Replace a file; its folder has to be there."""
        place = self._real(path)
        if place == "/dev/null":
            return
        try:
            self._world.check_parents(place)
            if not self._world.tree.is_folder(place.rpartition("/")[0]):
                raise _Said(errno.ENOENT, "No such file or directory", path)
            self._world.write(place, raw(content) if isinstance(content, str) else content)
        except OSError as error:
            self.refused = True
            raise _Said(error.errno, said(error), path) from None

    async def append_file(self, path: str, content: str | bytes) -> None:
        """Add to a file."""
        old = self._world.tree.get(self._real(path))
        new = raw(content) if isinstance(content, str) else content
        await self.write_file(path, (old.data if old else b"") + new)

    async def exists(self, path: str) -> bool:
        """Whether something is there."""
        return await self.is_file(path) or await self.is_directory(path)

    async def is_file(self, path: str) -> bool:
        """Whether a file is there."""
        place = self._real(path)
        return self._world.tree.get(place) is not None or place == "/dev/null"

    async def is_directory(self, path: str) -> bool:
        """Whether a folder is there."""
        return self._world.tree.is_folder(self._real(path))

    async def stat(self, path: str) -> FsStat:
        """What is known of a path, links followed."""
        return self._stat(path, self._real(path))

    async def lstat(self, path: str) -> FsStat:
        """What is known of a path itself."""
        return self._stat(path, joined("", path))

    def _stat(self, path: str, place: str) -> FsStat:
        from just_bash.types import FsStat

        found = self._world.tree.get(place)
        started = self._world.now() - self._world.clock.monotonic()
        if found is None:
            if not self._world.tree.is_folder(place):
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
            return FsStat(is_directory=True, mode=0o755, size=4096, mtime=started)
        mode = 0o755 if found.executable else 0o644
        link = found.link is not None
        return FsStat(is_file=not link, is_symbolic_link=link, mode=mode, size=len(found.data), mtime=started)

    async def mkdir(self, path: str, recursive: bool = False) -> None:
        """Make a folder."""
        self._world.tree.add_folder(self._real(path))

    async def readdir(self, path: str) -> list[str]:
        """Names in a folder."""
        place = self._real(path)
        if not self._world.tree.is_folder(place):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return self._world.tree.children(place)

    async def rm(self, path: str, recursive: bool = False, force: bool = False) -> None:
        """Remove a file."""
        place = joined("", path)
        if self._world.tree.get(place) is not None:
            self._world.tree.drop(place)
        elif not force:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)

    async def chmod(self, path: str, mode: int) -> None:
        """Keep the executable bit."""
        place = self._real(path)
        self._world.tree.put(place, node(self._file(path).data, executable=bool(mode & 0o100)))

    async def readlink(self, path: str) -> str:
        """Where a symbolic link points."""
        found = self._world.tree.get(joined("", path))
        if found is None or found.link is None:
            raise OSError(errno.EINVAL, "Invalid argument", path)
        return found.link

    async def realpath(self, path: str) -> str:
        """The path with all links followed."""
        return shown(self._real(path))

    async def utimes(self, path: str, atime: float, mtime: float) -> None:
        """Times are not kept."""

    def resolve_path(self, base: str, path: str) -> str:
        """An absolute path."""
        return shown(joined(key(base), path))
