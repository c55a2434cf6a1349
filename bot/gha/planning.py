"""From requests to tasks; the plan job and the jobs after it get the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from bot.base.errors import RefusedError
from bot.base.values import Task
from bot.fleet.manifest import Manifest
from bot.fleet.plan import make_plan
from bot.fleet.playbook import playbook_named
from bot.gha.plan_file import PlanFile, PlannedTask, Request


def tasks_of(
    requests: Iterable[Request],
    manifest: Manifest,
    playbooks: Path | None,
    *,
    cost_usd: float | None = None,
    skips: dict[str, str] | None = None,
    refused: dict[str, str] | None = None,
) -> tuple[Task, ...]:
    """All tasks of the campaigns, those that are left out too. `cost_usd` caps each. Raises as `make_plan` does.

    `skips` says of a plugin, `refused` of a whole campaign why it is left out.
    """
    found: list[Task] = []
    for request in requests:
        planned = make_plan(
            manifest,
            playbook_named(request.playbook, playbooks),
            names=request.plugins,
            select=request.select,
            variables=request.variables,
            report=request.report,
            commit=request.commit,
            limits={} if cost_usd is None else {"cost_usd": cost_usd},
        )
        found += planned.tasks
    skips, refused = skips or {}, refused or {}
    return tuple(
        msgspec.structs.replace(task, skip=task.skip or skips.get(task.plugin.name) or refused.get(task.campaign))
        for task in found
    )


def running(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Those that are not left out."""
    return tuple(task for task in tasks if task.skip is None)


def planned_task(task: Task) -> PlannedTask:
    """A task as `plan.json` has it."""
    return PlannedTask(
        playbook=task.playbook.id,
        campaign=task.campaign,
        plugin=task.plugin.name,
        repo=task.plugin.repo,
        branch=task.branch,
        skip=task.skip,
    )


def same_tasks(plan: PlanFile, manifest: Manifest, playbooks: Path | None) -> tuple[Task, ...]:
    """The tasks of a plan, made again. Raises `RefusedError` when fleet or playbooks are not what they were."""
    tasks = tasks_of(plan.requests, manifest, playbooks, cost_usd=plan.cost_usd, skips=plan.skips, refused=plan.refused)
    if tuple(map(planned_task, tasks)) != plan.tasks:
        msg = "The fleet or its playbooks are not what they were when the plan was made."
        raise RefusedError(msg, "Check out the same commit in all jobs.")
    return tasks
