"""Reading and writing single files of the workspace, in a way that no symlink, fifo or hard link can turn against us.

A path is normalised as text, then walked one folder at a time without ever following a symlink. No command runs while
these do, so nothing can be swapped between the walk and the use.
"""

from __future__ import annotations

import os
import posixpath
import stat

LARGEST = 4 << 30
"""Bytes of the largest file that is read; the sandbox does not let anybody write a larger one."""
_LONGEST_PATH = 4095
_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Refused(Exception):
    """A path that must not be touched, and why."""


def relative(workspace: str, path: str) -> str:
    """The path as seen from the workspace, normalised. Raises `Refused` when it lies outside or is no path at all."""
    if not path or "\0" in path:
        msg = "not a path: it is empty or has a NUL byte"
        raise Refused(msg)
    if path.startswith("/"):
        inside = posixpath.normpath(path)
        if inside != workspace and not inside.startswith(workspace + "/"):
            msg = "outside of the workspace"
            raise Refused(msg)
        path = inside[len(workspace) + 1 :] or "."
    path = posixpath.normpath(path)
    if path == ".." or path.startswith("../"):
        msg = "outside of the workspace"
        raise Refused(msg)
    try:
        length = len(os.fsencode(workspace)) + 1 + len(os.fsencode(path))
    except UnicodeEncodeError:
        msg = "not a path: it cannot be encoded"
        raise Refused(msg) from None
    if length > _LONGEST_PATH:
        msg = "too long to be a path"
        raise Refused(msg)
    return path


def read(workspace: str, path: str, limit: int) -> dict[str, object]:
    """At most `limit` bytes of a regular file, with size and hash of the whole. Raises `Refused` and `OSError`."""
    # Late, because it loads OpenSSL, which not every sandbox needs.
    from hashlib import sha256

    parent, name = _parent(workspace, relative(workspace, path))
    try:
        # Without O_NONBLOCK a fifo would block until somebody writes to it.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    except OSError as error:
        raise _explained(error, parent, name) from None
    finally:
        os.close(parent)
    try:
        facts = os.fstat(file)
        _regular(facts.st_mode)
        if facts.st_size > LARGEST:
            msg = f"too large to be read as a file ({facts.st_size} bytes)"
            raise Refused(msg)
        data, seen, size = bytearray(), sha256(), 0
        while chunk := os.read(file, _CHUNK):
            seen.update(chunk)
            size += len(chunk)
            data += chunk[: max(0, limit - len(data))]
        return {"data": bytes(data), "size": size, "sha256": seen.hexdigest()}
    finally:
        os.close(file)


def write(workspace: str, path: str, data: bytes) -> None:
    """Put `data` in a regular file: a new inode under the old name, so that a hard link elsewhere keeps its bytes."""
    parent, name = _parent(workspace, relative(workspace, path), make=True)
    temporary = f".fleet-bot-{os.getpid()}"
    try:
        mode = _mode(parent, name)
        file = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent
        )
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
            os.fchmod(file, mode)
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            os.unlink(temporary, dir_fd=parent)
            raise
        finally:
            os.close(file)
    finally:
        os.close(parent)


def delete(workspace: str, path: str) -> None:
    """Remove a regular file."""
    parent, name = _parent(workspace, relative(workspace, path))
    try:
        _regular(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        os.unlink(name, dir_fd=parent)
    finally:
        os.close(parent)


def entries(workspace: str, path: str, limit: int) -> list[tuple[bytes, str, int, bool]]:
    """Path, kind, size and whether it is executable, of at most `limit` things below a folder, sorted by path."""
    top = relative(workspace, path)
    os.close(_parent(workspace, posixpath.join(top, "."))[0])
    found: list[tuple[bytes, str, int, bool]] = []
    root = os.fsencode(workspace)
    waiting: list[bytes] = [b"" if top == "." else os.fsencode(top)]
    while waiting and len(found) < limit:
        folder = waiting.pop()
        below = []
        for name, entry in _listed(os.path.join(root, folder)):  # noqa: PTH118
            place = folder + b"/" + name if folder else name
            kind, size, executable = _kind(entry)
            found.append((place, kind, size, executable))
            if kind == "directory":
                below.append(place)
        waiting += reversed(below)
    return sorted(found)[:limit]


def _listed(folder: bytes) -> list[tuple[bytes, os.DirEntry[bytes]]]:
    try:
        with os.scandir(folder) as listing:
            return sorted((entry.name, entry) for entry in listing if entry.name != b".git")
    except OSError:
        return []  # Unreadable, or too deep to be named.


def _kind(entry: os.DirEntry[bytes]) -> tuple[str, int, bool]:
    try:
        facts = entry.stat(follow_symlinks=False)
    except OSError:
        return "other", 0, False
    if stat.S_ISREG(facts.st_mode):
        return "file", facts.st_size, bool(facts.st_mode & 0o111)
    if stat.S_ISDIR(facts.st_mode):
        return "directory", 0, False
    return ("symlink" if stat.S_ISLNK(facts.st_mode) else "other"), 0, False


def _parent(workspace: str, path: str, *, make: bool = False) -> tuple[int, str]:
    """The open folder that holds `path`, and the last part of it. For `x/.` the folder x itself, opened."""
    *folders, name = path.split("/")
    here = os.open(workspace, _FOLDER)
    try:
        for folder in folders:
            here = _step(here, folder, make=make)
    except BaseException:
        os.close(here)
        raise
    return here, name


def _step(here: int, folder: str, *, make: bool) -> int:
    if folder == ".":
        return here
    try:
        below = os.open(folder, _FOLDER, dir_fd=here)
    except FileNotFoundError:
        if not make:
            raise
        os.mkdir(folder, 0o777, dir_fd=here)
        below = os.open(folder, _FOLDER, dir_fd=here)
    except OSError as error:
        raise _explained(error, here, folder) from None
    os.close(here)
    return below


def _mode(parent: int, name: str) -> int:
    try:
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0o644
    _regular(mode)
    return stat.S_IMODE(mode) & 0o777


def _regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if stat.S_ISLNK(mode):
        msg = "a symbolic link, which is never followed"
        raise Refused(msg)
    if not stat.S_ISREG(mode):
        msg = "not a regular file"
        raise Refused(msg)


def _explained(error: OSError, parent: int, name: str) -> Exception:
    """A symlink, socket or device in the way is answered by several error numbers; this tells them from the rest."""
    try:
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    except OSError:
        return error
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
        return error
    try:
        _regular(mode)
    except Refused as refused:
        return refused
    return error
