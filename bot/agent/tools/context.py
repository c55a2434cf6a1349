"""What a tool works with: the sandbox, the task, and what the model has been shown so far."""

from __future__ import annotations

import functools
import math
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.agent.tools.outputs import Outputs
from bot.base.values import Task
from bot.ports import PathRefused, Sandbox

_PATH_LIMIT = 4096


class Seen:
    """Which lines of which content the model has been shown, so that it never overwrites what it does not know."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lines: dict[str, tuple[str, list[tuple[int, int]]]] = {}

    def shown(self, path: str, sha256: str, first: int, last: int) -> None:
        """Lines `first` to `last` (from 1) of the file with this hash were shown."""
        known, spans = self._lines.get(path, ("", []))
        self._lines[path] = (sha256, [*(spans if known == sha256 else []), (first, last)])

    def wrote(self, path: str, sha256: str) -> None:
        """The model wrote this content itself."""
        self._lines[path] = (sha256, [(1, 1 << 62)])

    def whole(self, path: str, sha256: str, lines: int) -> bool:
        """Whether all lines of exactly this content were shown."""
        known, spans = self._lines.get(path, ("", []))
        if known != sha256:
            return False
        reached = 0
        for first, last in sorted(spans):
            if first > reached + 1:
                break
            reached = max(reached, last)
        return reached >= lines


@dataclass(kw_only=True)
class Context:
    """A tool's surroundings, one per run."""

    sandbox: Sandbox
    task: Task
    seen: Seen = field(default_factory=Seen)
    outputs: Outputs = field(default_factory=Outputs)
    left: Callable[[], float] = lambda: math.inf
    """Seconds until the task has to end."""
    call: str = "0"
    """The id of the call that runs."""
    root: str = ""
    """Where the workspace lies as seen inside; empty until somebody used an absolute path."""

    def seconds(self) -> float:
        """How long a command may run: the limit for one, or what is left of the task's time."""
        return max(min(self.task.limits.command_seconds, self.left()), 0.1)

    def inside(self, path: str) -> str:
        """A path as the model writes it (relative to the plugin's folder, or absolute) as the sandbox wants it.

        Raises `PathRefused` for one that cannot be meant or leaves the workspace.
        """
        if "\0" in path or len(path) > _PATH_LIMIT:
            msg = "a path has no NUL byte and at most 4096 characters"
            raise PathRefused(msg)
        if path.startswith("~"):
            msg = f"{path}: outside the workspace"
            raise PathRefused(msg)
        path = self._relative(path) if path.startswith("/") else _below(self.task.plugin.directory, path)
        if path == ".." or path.startswith("../"):
            msg = f"{path}: outside the workspace"
            raise PathRefused(msg)
        return path

    def shown(self, path: str) -> str:
        """A path of the sandbox as the model writes it: relative to the plugin's folder."""
        folder = self.task.plugin.directory
        return path if folder == "." else posixpath.relpath(path, folder)

    def _relative(self, path: str) -> str:
        if not self.root:
            here = self.sandbox.run("pwd -P", timeout=10).stdout
            self.root = here.decode("utf-8", "surrogateescape").rstrip("\n") or "/"
        relative = posixpath.relpath(posixpath.normpath(path), self.root)
        if relative == ".." or relative.startswith("../"):
            msg = f"{path}: outside the workspace"
            raise PathRefused(msg)
        return relative


@functools.lru_cache(maxsize=1024)
def _below(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path or "."))
