"""Workflow runs: a run is there when it was added, or when something lies in the folder of its artifacts."""

from __future__ import annotations

from bot.virtual.github.artifacts import folder_of
from bot.virtual.github.errors import not_found
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.rest_repository import shown
from bot.virtual.github.routing import Answer, Call, Route
from bot.virtual.github.shapes import node_id, when

_UNBORN = "0" * 40


def add(hub: Hub, full_name: str, run: int, created: int) -> None:
    """Make a run known that was created then."""
    with hub.store.locked():
        repository = hub.store.get(full_name)
        hub.store.put(replace(repository, runs=repository.runs | {run: created}))


def _created(hub: Hub, full_name: str, run: int) -> int:
    """When a run was created; one that just lies there is taken up. Raises the 404 of GitHub for no such run."""
    with hub.store.locked():
        if run not in hub.store.get(full_name).runs:
            if not folder_of(hub, full_name, run).is_dir():
                raise not_found()
            add(hub, full_name, run, hub.store.now())
        return hub.store.get(full_name).runs[run]


def _run(hub: Hub, call: Call) -> Answer:
    number, name = int(call.parts["id"]), call.full_name
    created = when(_created(hub, name, number))
    bare, repository = hub.bare(name), shown(hub, hub.store.get(name), call.person)
    branch = bare.default_branch()
    actions = f"{hub.api}/repos/{name}/actions"
    place = f"{actions}/runs/{number}"
    body = {
        "id": number,
        "name": "fleet",
        "node_id": node_id("WorkflowRun", number),
        "head_branch": branch,
        "head_sha": bare.branches().get(branch, _UNBORN),
        "path": ".github/workflows/fleet.yml",
        "display_title": "fleet",
        "run_number": 1,
        "run_attempt": 1,
        "event": "schedule",
        "status": "in_progress",
        "conclusion": None,
        "workflow_id": 1,
        "url": place,
        "html_url": f"{hub.url}/{name}/actions/runs/{number}",
        "pull_requests": [],
        "created_at": created,
        "updated_at": created,
        "run_started_at": created,
        "jobs_url": f"{place}/jobs",
        "logs_url": f"{place}/logs",
        "check_suite_url": f"{hub.api}/repos/{name}/check-suites/{number}",
        "artifacts_url": f"{place}/artifacts",
        "cancel_url": f"{place}/cancel",
        "rerun_url": f"{place}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{actions}/workflows/1",
        "head_commit": None,
        "repository": repository,
        "head_repository": repository,
    }
    return Answer(body=body)


ROUTES = (
    Route(
        method="GET",
        template="/repos/{owner}/{repo}/actions/runs/{id}",
        handler=_run,
        query=("exclude_pull_requests",),
    ),
)
