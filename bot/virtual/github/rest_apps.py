"""Routes of Apps: their installation, their tokens, their check runs."""

from __future__ import annotations

from typing import Any

from bot.base.errors import GitError
from bot.virtual.github.apps import App
from bot.virtual.github.errors import Refused, not_accessible, not_found, requires_authentication
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import CheckRun
from bot.virtual.github.rest_repository import shapes
from bot.virtual.github.routing import PAGING, Answer, Call, Keys, Route
from bot.virtual.github.shapes import node_id, when

_ENDS = {"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}


def _speaking(hub: Hub, call: Call) -> App:
    """The App that asks in its own name. Raises GitHub's 401 for anybody else."""
    if call.person is None or call.person.signed_by is None:
        raise Refused(401, "A JSON web token could not be decoded") if call.person else requires_authentication()
    return hub.apps.known[call.person.signed_by]


def _installation(hub: Hub, call: Call) -> Answer:
    app = _speaking(hub, call)
    if call.full_name.casefold() not in {name.casefold() for name in app.repositories}:
        raise not_found()
    account = shapes(hub).user(call.parts["owner"])
    now = when(hub.store.now())
    body = {
        "id": app.installation,
        "account": account,
        "repository_selection": "selected",
        "access_tokens_url": f"{hub.api}/app/installations/{app.installation}/access_tokens",
        "repositories_url": f"{hub.api}/installation/repositories",
        "html_url": f"{hub.url}/organizations/{call.parts['owner']}/settings/installations/{app.installation}",
        "app_id": int(app.id),
        "client_id": f"Iv1.{app.id:0>16}",
        "app_slug": app.slug,
        "target_id": account["id"],
        "target_type": "Organization",
        "permissions": app.permissions,
        "events": [],
        "created_at": now,
        "updated_at": now,
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }
    return Answer(body=body)


def _token(hub: Hub, call: Call) -> Answer:
    app = _speaking(hub, call)
    if int(call.parts["id"]) != app.installation:
        raise not_found()
    wanted: list[str] = call.body.get("repositories") or []
    names = {name.rpartition("/")[2].casefold(): name for name in app.repositories}
    if len(wanted) != 1 or wanted[0].casefold() not in names:
        words = "A repository does not exist or is not accessible to the parent installation."
        raise Refused(422, words)
    now = hub.store.now()
    permissions: dict[str, str] = call.body.get("permissions") or app.permissions
    try:
        token, person = hub.apps.issue(app, names[wanted[0].casefold()], permissions, now)
    except KeyError:
        words = "The permissions requested are not granted to this installation."
        raise Refused(422, words) from None
    hub.people[token] = person
    body = {
        "token": token,
        "expires_at": when(person.until or now),
        "permissions": permissions,
        "repository_selection": "selected",
    }
    return Answer(status=201, body=body)


def _create_check(hub: Hub, call: Call) -> Answer:
    body, person = call.body, call.person
    if person is None or person.rights is None:
        raise not_accessible()  # only Apps have check runs
    if body.get("status") == "completed" and body.get("conclusion") not in _ENDS:
        raise Refused(422, "Invalid request.\n\nFor 'properties/conclusion', an unknown value.")
    try:
        if hub.bare(call.full_name).kind(body["head_sha"]) != "commit":
            raise GitError("no commit")
    except GitError:
        raise Refused(422, f"No commit found for SHA: {body['head_sha']}") from None
    output = body.get("output") or {}
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        run = CheckRun(
            id=hub.store.next_id(),
            sha=body["head_sha"],
            name=body["name"],
            conclusion=body["conclusion"],
            title=output.get("title", ""),
            summary=output.get("summary", ""),
            details_url=body.get("details_url"),
            app=person.login.removesuffix("[bot]"),
            created=hub.store.now(),
        )
        hub.store.put(replace(repository, check_runs=(*repository.check_runs, run)))
    return Answer(status=201, body=_shape(hub, call, run))


def _checks(hub: Hub, call: Call) -> Answer:
    runs = [run for run in hub.store.get(call.full_name).check_runs if run.sha == call.parts["ref"]]
    newest = list({run.name: run for run in runs}.values())
    return Answer(body={"total_count": len(newest), "check_runs": [_shape(hub, call, run) for run in newest]})


def _shape(hub: Hub, call: Call, run: CheckRun) -> dict[str, Any]:
    place = f"{hub.api}/repos/{call.full_name}/check-runs/{run.id}"
    page = f"{hub.url}/{call.full_name}/runs/{run.id}"
    return {
        "id": run.id,
        "node_id": node_id("CheckRun", run.id),
        "head_sha": run.sha,
        "external_id": "",
        "url": place,
        "html_url": page,
        "details_url": run.details_url or page,
        "status": "completed",
        "conclusion": run.conclusion,
        "started_at": when(run.created),
        "completed_at": when(run.created),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": None,
            "annotations_count": 0,
            "annotations_url": f"{place}/annotations",
        },
        "name": run.name,
        "check_suite": {"id": run.id},
        "app": None,
        "pull_requests": [],
    }


_HOME = "/repos/{owner}/{repo}"
_RUN: Keys = {
    "name": str,
    "head_sha": str,
    "details_url": str,
    "external_id": str,
    "status": str,
    "conclusion": str,
    "started_at": str,
    "completed_at": str,
    "output": dict,
    "actions": list,
}
_WANTED: Keys = {"repositories": list, "repository_ids": list, "permissions": dict}
ROUTES = (
    Route(method="GET", template=f"{_HOME}/installation", handler=_installation, needs="nothing"),
    Route(
        method="POST", template="/app/installations/{id}/access_tokens", handler=_token, needs="nothing", keys=_WANTED
    ),
    Route(
        method="POST",
        template=f"{_HOME}/check-runs",
        handler=_create_check,
        needs="write",
        keys=_RUN,
        required=("name", "head_sha"),
    ),
    Route(method="GET", template=f"{_HOME}/commits/{{ref}}/check-runs", handler=_checks, query=(*PAGING, "check_name")),
)
