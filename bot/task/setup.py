"""The plugin's set-up: its dependencies, installed before a model sees anything."""

from __future__ import annotations

import re
import shlex
import sys

from bot.agent.effects import record_command
from bot.base.errors import TaskFailed
from bot.task.ending import why_it_failed
from bot.task.run import Run

_PYTHON = re.compile(r"\b(python3?|pip3?|uv|tox|nox|poetry|pdm|hatch)\b")
_GROUPS = re.compile(r"\bpip3?\s.*--group\b", re.DOTALL)


def set_up(run: Run) -> None:
    """Run the plugin's `setup` with network, in an environment of the task's own. Raises `TaskFailed` when it fails.

    A set-up that speaks of Python gets a fresh virtual environment first on PATH. Afterwards the environment is
    read-only, and what the set-up left in the workspace is there in every later phase but never part of the change.
    """
    plugin = run.task.plugin
    if not plugin.setup:
        return
    run.say("set-up")
    sandbox = run.enter(set_up=True)
    commands = [plugin.setup]
    if _PYTHON.search(plugin.setup):
        base = getattr(sys, "_base_executable", sys.executable)
        commands.insert(0, f"{shlex.quote(base)} -m venv {shlex.quote(str(run.place.environment))}")
        if _GROUPS.search(plugin.setup):
            # Dependency groups (PEP 735) came with pip 25.1; Python 3.11 and 3.12 bring an older one.
            commands.insert(1, "python -m pip install --quiet 'pip>=25.1'")
    for command in commands:
        seconds = run.seconds()
        result = sandbox.run(command, timeout=seconds, cwd=plugin.directory)
        record_command(run.trace, command, result, phase="setup")
        if result.exit_code != 0:
            msg = f"The set-up failed (exit {result.exit_code}): {why_it_failed(result, seconds)}"
            raise TaskFailed(msg, "Run the plugin's `setup` by hand in a fresh clone.")
    run.leave()
    run.place.keep_prepared()
