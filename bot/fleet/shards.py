"""A plan cut into parts for the jobs of an Actions matrix."""

from __future__ import annotations

import re
from typing import Any

from bot.base.errors import UsageError
from bot.base.values import Task
from bot.fleet.plan import Plan

_MOST = 256
"""Jobs that a matrix can have, https://docs.github.com/actions/reference/limits."""


def shards(tasks: tuple[Task, ...], count: int) -> tuple[tuple[Task, ...], ...]:
    """The tasks in `count` parts, or fewer where there are fewer tasks; none is empty.

    The same tasks always fall into the same parts. Tasks that start are spread evenly, then those that are skipped.
    Raises `UsageError` when `count` is not 1 to 256.
    """
    if not 1 <= count <= _MOST:
        msg = f"{count} shards cannot be made."
        raise UsageError(msg, f"Actions runs 1 to {_MOST} jobs of a matrix.")
    parts = min(count, len(tasks))
    spread = sorted(tasks, key=lambda task: task.skip is not None)
    return tuple(tuple(spread[part::parts]) for part in range(parts))


def matrix(planned: Plan, count: int) -> dict[str, Any]:
    """The value of `strategy.matrix`: one entry per shard, with what `propose --shard` takes and the plugins' names."""
    parts = shards(planned.tasks, count)
    return {
        "include": [
            {
                "shard": f"{number}/{len(parts)}",
                "plugins": [task.plugin.name for task in part],
                "tasks": sum(task.skip is None for task in part),
            }
            for number, part in enumerate(parts, 1)
        ]
    }


def shard(tasks: tuple[Task, ...], word: str) -> tuple[Task, ...]:
    """The part that `I/N` names, counted from 1; empty when there are fewer tasks. Raises `UsageError` otherwise."""
    found = re.fullmatch(r"([0-9]{1,3})/([0-9]{1,3})", word)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        msg = f"{word} names no shard."
        raise UsageError(msg, "Write I/N, such as 1/4 for the first of four.")
    parts = shards(tasks, count)
    return parts[number - 1] if number <= len(parts) else ()
