"""The questions `applies_if` and `done_if` ask a checkout before a model is paid for anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Protocol

from bot.agent.effects import record_command
from bot.base.glob import matches
from bot.base.values import Condition, Contains, Task
from bot.ports import Sandbox, TraceSink

_SEARCHED = 4 << 20


class Trees(Protocol):
    """Where the files of a tree can be looked at; `bot.base.git.GitDir` in a real run."""

    def paths(self, tree: str) -> Iterable[str]:
        """All of them."""
        ...

    def blob(self, tree: str, path: str) -> bytes | None:
        """The bytes of one, or None when it is not there."""
        ...


class Question:
    """Asks a tree, and for commands a sandbox that holds its files."""

    def __init__(self, git: Trees, tree: str, sandbox: Sandbox, sink: TraceSink, task: Task) -> None:
        """Paths in conditions are relative to the plugin's `directory`."""
        self._git, self._tree, self._sandbox, self._sink, self._task = git, tree, sandbox, sink, task
        root = PurePosixPath(task.plugin.directory)
        self._paths = {
            str(PurePosixPath(path).relative_to(root)): path
            for path in git.paths(tree)
            if PurePosixPath(path).is_relative_to(root)
        }

    def holds(self, condition: Condition) -> bool:
        """Whether every part of it holds."""
        return (
            (condition.exists is None or bool(self._fitting(condition.exists)))
            and (condition.missing is None or not self._fitting(condition.missing))
            and (condition.contains is None or self._contains(condition.contains))
            and (condition.lacks is None or not self._contains(condition.lacks))
            and (condition.command is None or self._succeeds(condition.command))
        )

    def _fitting(self, glob: str) -> list[str]:
        return [path for name, path in self._paths.items() if matches(name, glob)]

    def _contains(self, part: Contains) -> bool:
        pattern = re.compile(part.pattern, re.MULTILINE)
        for path in self._fitting(part.path):
            data = self._git.blob(self._tree, path)
            if data is not None and pattern.search(data[:_SEARCHED].decode("utf-8", "replace")):
                return True
        return False

    def _succeeds(self, command: str) -> bool:
        plugin = self._task.plugin
        result = self._sandbox.run(command, timeout=self._task.limits.command_seconds, cwd=plugin.directory)
        record_command(self._sink, command, result, phase="probe")
        return result.exit_code == 0


def describe(condition: Condition) -> str:
    """A condition in words, for the reason of a task that did not start."""
    parts = []
    if condition.exists is not None:
        parts.append(f"a file {condition.exists} exists")
    if condition.missing is not None:
        parts.append(f"no file {condition.missing} exists")
    if condition.contains is not None:
        parts.append(f"{condition.contains.path} has a line with {condition.contains.pattern!r}")
    if condition.lacks is not None:
        parts.append(f"{condition.lacks.path} has no line with {condition.lacks.pattern!r}")
    if condition.command is not None:
        parts.append(f"`{condition.command}` succeeds")
    return " and ".join(parts)
