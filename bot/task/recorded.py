"""A task as its trace holds it, and back: what makes a trace enough to run the task again."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.base.errors import ConfigurationError
from bot.base.values import Task
from bot.trace.events import RunStarted

_ELSEWHERE = frozenset({"prompt", "variables", "limits", "campaign", "branch", "seed"})
"""Fields of a task that are fields of `run_started` too."""
_UNNEEDED = {"instructions": "", "file": ""}
"""Of the playbook: its text is in `prompt`, rendered, and where its file lay is nobody's business."""


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
