"""The outside end of a sandbox: speaks to the worker inside and believes nothing it says without checking.

Not for several threads at once.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from bot.base.errors import SandboxError
from bot.ports import CommandResult, Effect, Enforced, Entry, FileContent, PathRefused
from bot.sandbox.channel import Worker
from bot.sandbox.inside import wire
from bot.sandbox.inside.files import Refused, relative
from bot.sandbox.snapshots import Snapshots

_FILE_SECONDS = 120.0
_GRACE_SECONDS = 60.0
"""How much longer than a command's own time-out its answer may take: everything has to be killed first."""
_T = TypeVar("_T")


class _Read(msgspec.Struct, frozen=True):
    data: bytes
    size: int
    sha256: str


class _Ran(msgspec.Struct, frozen=True):
    exit_code: int
    stdout: bytes
    stderr: bytes
    duration_us: int
    timed_out: bool
    stdout_size: int
    stderr_size: int


_Kind = Literal["file", "directory", "symlink", "other"]
_Listed = list[tuple[bytes, _Kind, int, bool]]


class RoomSandbox:
    """`ports.Sandbox` on a worker and a trusted git-dir."""

    def __init__(self, worker: Worker, facts: Enforced, workspace: Path, snapshots: Snapshots) -> None:
        """`workspace` is the folder as the worker sees it, which is the same path as outside."""
        self._worker, self._facts, self._workspace, self._snapshots = worker, facts, str(workspace), snapshots

    @property
    def facts(self) -> Enforced:
        """See `ports.Sandbox`."""
        return self._facts

    def read(self, path: str, *, limit: int = 1 << 20) -> FileContent:
        """See `ports.Sandbox`."""
        asked: wire.Request = {
            "op": "read",
            "path": self._checked(path),
            "limit": max(0, min(limit, wire.LARGEST // 2)),
        }
        try:
            found = self._ask(asked, _Read)
        except (FileNotFoundError, IsADirectoryError):
            raise
        except NotADirectoryError as error:
            raise FileNotFoundError(*error.args) from None
        except OSError as error:
            msg = f"{path}: {error.strerror}"
            raise PathRefused(msg) from None
        return FileContent(data=found.data, size=found.size, sha256=found.sha256)

    def write(self, path: str, data: bytes) -> None:
        """See `ports.Sandbox`."""
        self._ask({"op": "write", "path": self._checked(path), "data": data}, type(None))

    def delete(self, path: str) -> None:
        """See `ports.Sandbox`."""
        self._ask({"op": "delete", "path": self._checked(path)}, type(None))

    def entries(self, path: str = ".", *, limit: int = 10_000) -> list[Entry]:
        """See `ports.Sandbox`."""
        listed = self._ask({"op": "entries", "path": self._checked(path), "limit": limit}, _Listed)
        return [
            Entry(path=name.decode("utf-8", "surrogateescape"), kind=kind, size=size, executable=executable)
            for name, kind, size, executable in listed
        ]

    def run(self, command: str, *, timeout: float, env: dict[str, str] | None = None, cwd: str = ".") -> CommandResult:
        """See `ports.Sandbox`."""
        request: wire.Request = {"op": "run", "command": command, "timeout": timeout, "env": env or {}}
        try:
            request["cwd"] = self._checked(cwd)
            ran = self._ask(request, _Ran, timeout + _GRACE_SECONDS)
        except (OSError, PathRefused, ValueError) as error:
            msg = f"The command could not be run: {error}."
            raise SandboxError(msg) from None
        return CommandResult(
            exit_code=ran.exit_code,
            stdout=ran.stdout,
            stderr=ran.stderr,
            duration_ms=ran.duration_us / 1000,
            timed_out=ran.timed_out,
            stdout_size=ran.stdout_size,
            stderr_size=ran.stderr_size,
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
        """See `ports.Sandbox`."""
        self._worker.close()

    def _checked(self, path: str) -> str:
        try:
            return relative(self._workspace, path)
        except Refused as refused:
            msg = f"{path[:200]!r}: {refused}"
            raise PathRefused(msg) from None

    def _ask(self, request: wire.Request, shape: type[_T], seconds: float = _FILE_SECONDS) -> _T:
        answer = self._worker.ask(request, seconds)
        path = posixpath.normpath(str(request.get("path", ".")))
        if answer.error == "refused":
            msg = f"{path!r}: {answer.message}"
            raise PathRefused(msg)
        if answer.error == "directory":
            raise IsADirectoryError(21, "Is a directory", path)
        if answer.error:
            if answer.number in _UNNAMEABLE:
                msg = f"{path[:200]!r}: {answer.message}"
                raise PathRefused(msg)
            raise OSError(answer.number, answer.message, path)
        try:
            return msgspec.msgpack.decode(answer.ok, type=shape)
        except msgspec.MsgspecError as error:
            msg = f"The sandbox answered nonsense: {error}."
            raise SandboxError(msg) from None


_UNNAMEABLE = {36, 40}
"""ENAMETOOLONG, ELOOP."""
