"""A strict sandbox in memory: files in a dictionary, scripted commands, real ones in a throw-away folder."""

from __future__ import annotations

import difflib
import os
import posixpath
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.base.canonical import digest, sha256
from bot.ports import CommandResult, Effect, Enforced, Entry, FileContent, PathRefused

Command = CommandResult | Callable[["MemorySandbox"], CommandResult]
ROOT = "/workspace"


class MemorySandbox:
    """Implements `bot.ports.Sandbox` over `files` (path → bytes) and `links` (path → target)."""

    def __init__(
        self,
        files: dict[str, bytes | str] | None = None,
        *,
        commands: dict[str, Command] | None = None,
        links: dict[str, str] | None = None,
    ) -> None:
        """A command that is not in `commands` really runs, in a copy of the files."""
        self.files = {path: data.encode() if isinstance(data, str) else data for path, data in (files or {}).items()}
        self.commands, self.links = commands or {}, links or {}
        self.ran: list[tuple[str, str]] = []
        self.closed = False
        self._trees: dict[str, dict[str, bytes]] = {}

    @property
    def facts(self) -> Enforced:
        return Enforced(level="virtual", network="none")

    def read(self, path: str, *, limit: int = 1 << 20) -> FileContent:
        path = self._path(path)
        if path in self.files:
            data = self.files[path]
            return FileContent(data=data[:limit], size=len(data), sha256=sha256(data))
        if self._is_folder(path):
            raise IsADirectoryError(21, "Is a directory", path)
        raise FileNotFoundError(2, "No such file or directory", path)

    def write(self, path: str, data: bytes) -> None:
        path = self._path(path)
        if path == "." or self._is_folder(path):
            raise IsADirectoryError(21, "Is a directory", path)
        for parent in _parents(path):
            if parent in self.files:
                raise NotADirectoryError(20, "Not a directory", parent)
        self.files[path] = data

    def delete(self, path: str) -> None:
        path = self._path(path)
        self.read(path)
        del self.files[path]

    def entries(self, path: str = ".", *, limit: int = 10_000) -> list[Entry]:
        path = self._path(path)
        if path in self.files:
            raise NotADirectoryError(20, "Not a directory", path)
        if not self._is_folder(path):
            raise FileNotFoundError(2, "No such file or directory", path)
        folders = {parent for name in (*self.files, *self.links) for parent in _parents(name)}
        found = [Entry(path=name, kind="file", size=len(data)) for name, data in self.files.items()]
        found += [Entry(path=name, kind="directory") for name in folders]
        found += [Entry(path=name, kind="symlink") for name in self.links]
        prefix = "" if path == "." else path + "/"
        inside = [e for e in found if e.path.startswith(prefix) and ".git" not in e.path.split("/")]
        return sorted(inside, key=lambda entry: entry.path)[:limit]

    def run(self, command: str, *, timeout: float, env: dict[str, str] | None = None, cwd: str = ".") -> CommandResult:
        assert not self.closed
        assert timeout > 0
        self.ran.append((command, cwd))
        if command == "pwd -P":
            return CommandResult(exit_code=0, stdout=f"{ROOT}\n".encode(), stderr=b"", duration_ms=0.1)
        scripted = self.commands.get(command)
        if scripted is not None:
            return scripted(self) if callable(scripted) else scripted
        return self._really(command, timeout, env, self._path(cwd))

    def snapshot(self) -> str:
        tree = digest({path: sha256(data) for path, data in self.files.items()})
        self._trees[tree] = dict(self.files)
        return tree

    def changes(self, before: str, after: str) -> tuple[Effect, ...]:
        old, new = self._trees[before], self._trees[after]
        return tuple(
            _effect(path, old.get(path), new.get(path))
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)
        )

    def restore(self, tree: str) -> None:
        self.files = dict(self._trees[tree])

    def close(self) -> None:
        self.closed = True

    def _path(self, path: str) -> str:
        assert not self.closed
        assert not path.startswith("~")
        if path.startswith("/"):
            path = posixpath.relpath(path, ROOT)
        path = posixpath.normpath(path)
        if path.startswith(".."):
            raise PathRefused(f"{path}: outside the workspace")
        if any(part in self.links for part in (path, *_parents(path))):
            raise PathRefused(f"{path}: goes through a symbolic link")
        return path

    def _is_folder(self, path: str) -> bool:
        return path == "." or any(name.startswith(path + "/") for name in self.files)

    def _really(self, command: str, timeout: float, env: dict[str, str] | None, cwd: str) -> CommandResult:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for path, data in self.files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(data)
            try:
                done = subprocess.run(
                    ["sh", "-c", command],
                    cwd=root / cwd,
                    env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | (env or {}),
                    capture_output=True,
                    timeout=timeout,
                )
                code, out, err, late = done.returncode, done.stdout, done.stderr, False
            except subprocess.TimeoutExpired as error:
                code, out, err, late = 124, error.stdout or b"", error.stderr or b"", True
            self.files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        return CommandResult(
            exit_code=code,
            stdout=out,
            stderr=err,
            duration_ms=1.0,
            timed_out=late,
            stdout_size=len(out),
            stderr_size=len(err),
        )


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _effect(path: str, old: bytes | None, new: bytes | None) -> Effect:
    kind = "created" if old is None else "deleted" if new is None else "modified"
    lines = list(difflib.ndiff((old or b"").decode("latin-1").split("\n"), (new or b"").decode("latin-1").split("\n")))
    return Effect(
        path=path,
        kind=kind,
        before=None if old is None else sha256(old),
        after=None if new is None else sha256(new),
        bytes=len(new or b""),
        added=sum(line.startswith("+ ") for line in lines),
        removed=sum(line.startswith("- ") for line in lines),
    )
