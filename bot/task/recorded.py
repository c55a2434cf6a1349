"""A task as its trace holds it, and back: what makes a trace enough to run the task again."""

from __future__ import annotations

from typing import Any

import msgspec

from bot import __version__
from bot.agent.prompts import system_prompt
from bot.agent.tools import declarations
from bot.base.errors import ConfigurationError
from bot.base.values import Task
from bot.ports import ModelId
from bot.trace.events import RunStarted

_ELSEWHERE = frozenset({"prompt", "variables", "limits", "campaign", "branch", "seed"})
"""Fields of a task that are fields of `run_started` too."""
_UNNEEDED = {"instructions": "", "file": ""}
"""Of the playbook: its text is in `prompt`, rendered, and where its file lay is nobody's business."""


def run_started(task: Task, *, base: str, model: ModelId | None, sandbox: dict[str, Any], **more: Any) -> RunStarted:
    """The first event of a run: all that is needed to know what it was, and to run it again.

    `sandbox` is `bot.ports.Enforced`, plain; `more` are further fields of the event.
    """
    playbook = task.playbook
    agent = playbook.mode == "agent"
    return RunStarted(
        plugin=task.plugin.name,
        playbook=playbook.id,
        playbook_version=playbook.version,
        playbook_hash=playbook.hash,
        campaign=task.campaign,
        variables=dict(task.variables),
        base_sha=base,
        branch=task.branch,
        model=msgspec.to_builtins(model) if model else None,
        sandbox=sandbox,
        limits=msgspec.to_builtins(task.limits),
        seed=task.seed,
        bot_version=__version__,
        system=system_prompt(task) if agent else "",
        prompt=task.prompt,
        tools=tuple(msgspec.to_builtins(tool) for tool in declarations(task)) if agent else (),
        task=as_recorded(task),
        **more,
    )


def as_recorded(task: Task) -> dict[str, Any]:
    """What `run_started` says of a task besides its other fields."""
    plain: dict[str, Any] = msgspec.to_builtins(task)
    kept = {name: value for name, value in plain.items() if name not in _ELSEWHERE and value is not None}
    return kept | {"playbook": plain["playbook"] | _UNNEEDED}


def task_of(started: RunStarted) -> Task:
    """The task of a recorded run. Raises `ConfigurationError` for a trace that does not hold enough of it."""
    if not started.task:
        msg = "This trace does not hold the task: it was recorded by an older version of fleet-bot."
        raise ConfigurationError(msg, "Only traces recorded since replay exists can be replayed.")
    fields = started.task | {name: getattr(started, name) for name in _ELSEWHERE}
    try:
        return msgspec.convert(fields, Task)
    except msgspec.ValidationError as error:
        msg = f"The task in this trace cannot be read: {error}."
        raise ConfigurationError(msg, "It was changed, or redaction took a part of it away.") from error
