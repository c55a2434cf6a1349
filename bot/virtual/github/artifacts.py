"""Artifacts of workflow runs: what a run left in `<root>/<owner>/<name>.artifacts/<run>/`, listed and shown.

GitHub takes artifacts by an interface that it does not publish, so they are put there as files or folders, by
`VirtualGitHub.add_artifact` or by whatever stands in for the runner. A run is known by its folder.
"""

from __future__ import annotations

from pathlib import Path

from bot.virtual.github.errors import not_found
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import Artifact, Repository
from bot.virtual.github.routing import PAGING, Answer, Call, Route, paged
from bot.virtual.github.shapes import node_id, when

_KEPT = 90 * 24 * 3600
"""Seconds; GitHub's default."""


def folder_of(hub: Hub, full_name: str, run: int) -> Path:
    """Where a run's artifacts lie."""
    return hub.store.folder(full_name).with_suffix(".artifacts") / str(run)


def of_run(hub: Hub, full_name: str, run: int) -> list[Artifact]:
    """What a run left, newest first; what just lies there is taken up. Raises the 404 of GitHub for no such run."""
    place = folder_of(hub, full_name, run)
    if not place.is_dir():
        raise not_found()
    with hub.store.locked():
        repository = hub.store.get(full_name)
        known = {one.name for one in repository.artifacts if one.run == run}
        for name in sorted(found.name for found in place.iterdir() if found.name not in known):
            repository = _taken(hub, repository, run, name)
    return [one for one in reversed(repository.artifacts) if one.run == run]


def add(hub: Hub, full_name: str, run: int, name: str, text: str) -> Artifact:
    """Leave a file as an artifact that is not archived; again under the same name is another artifact."""
    place = folder_of(hub, full_name, run)
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text, encoding="utf-8")
    with hub.store.locked():
        return _taken(hub, hub.store.get(full_name), run, name).artifacts[-1]


def _taken(hub: Hub, repository: Repository, run: int, name: str) -> Repository:
    made = Artifact(id=hub.store.next_id(), run=run, name=name, created=hub.store.now())
    repository = replace(repository, artifacts=(*repository.artifacts, made))
    hub.store.put(repository)
    return repository


def _artifacts(hub: Hub, call: Call) -> Answer:
    run, wanted = int(call.parts["id"]), call.query.get("name")
    found = [one for one in of_run(hub, call.full_name, run) if wanted in {None, one.name}]
    place = f"{hub.api}/repos/{call.full_name}/actions"
    answer = paged([_shape(hub, call.full_name, one) for one in found], call, f"{place}/runs/{run}/artifacts")
    return Answer(body={"total_count": len(found), "artifacts": answer.body}, headers=answer.headers)


def _shape(hub: Hub, full_name: str, one: Artifact) -> dict[str, object]:
    place, file = f"{hub.api}/repos/{full_name}/actions/artifacts/{one.id}", folder_of(hub, full_name, one.run)
    ends = one.created + _KEPT
    return {
        "id": one.id,
        "node_id": node_id("Artifact", one.id),
        "name": one.name,
        "size_in_bytes": sum(part.stat().st_size for part in (file / one.name, *(file / one.name).rglob("*"))),
        "url": place,
        "archive_download_url": f"{place}/zip",
        "expired": hub.store.now() >= ends,
        "created_at": when(one.created),
        "expires_at": when(ends),
        "updated_at": when(one.created),
        "digest": None,
        "workflow_run": None,
    }


ROUTES = (
    Route(
        method="GET",
        template="/repos/{owner}/{repo}/actions/runs/{id}/artifacts",
        handler=_artifacts,
        query=(*PAGING, "name", "direction"),
    ),
)
