"""Routes about labels, of a repository and on an issue."""

from __future__ import annotations

from bot.virtual.github.errors import Refused, invalid
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import Issue, Label, Labelled, Repository
from bot.virtual.github.rest_repository import issue_shapes
from bot.virtual.github.routing import PAGING, Answer, Call, Keys, Route, paged

_COLORS = "0123456789abcdefABCDEF"
LABEL_LIMIT = 50


def with_labels(hub: Hub, repository: Repository, names: list[str]) -> Repository:
    """The repository with all these labels; those that it lacks are made, as GitHub does."""
    for name in names:
        if not name.strip() or len(name) > LABEL_LIMIT:
            raise invalid("Label", "name", "invalid" if name.strip() else "missing_field")
        if repository.label(name) is None:
            repository = replace(repository, labels=(*repository.labels, Label(id=hub.store.next_id(), name=name)))
    return repository


def label_names(value: object) -> list[str]:
    """Names out of what GitHub takes for labels: strings, or objects with a name."""
    if not isinstance(value, list):
        raise Refused(422, "Invalid request.\n\nFor 'properties/labels', the value is not an array.")
    names = [item.get("name") if isinstance(item, dict) else item for item in value]
    if not all(isinstance(name, str) for name in names):
        raise invalid("Label", "name", "invalid")
    return [str(name) for name in names]


def joined(repository: Repository, issue: Issue, names: list[str]) -> tuple[str, ...]:
    """An issue's labels with some added, by the names the repository has for them."""
    found = (repository.label(name) for name in names)
    return tuple(dict.fromkeys([*issue.labels, *(label.name for label in found if label is not None)]))


def noted(hub: Hub, before: Issue, after: Issue, actor: str) -> Issue:
    """The issue with an event for each label that it got. The caller holds the lock."""
    fresh = [label for label in after.labels if label not in before.labels]
    events = [Labelled(id=hub.store.next_id(), label=name, actor=actor, created=hub.store.now()) for name in fresh]
    return replace(after, events=(*after.events, *events))


def _events(hub: Hub, call: Call) -> Answer:
    repository = hub.store.get(call.full_name)
    made = issue_shapes(hub, repository, call.person)
    events = repository.issue(call.number).events
    return paged([made.event(event) for event in events], call, f"{made.place}/issues/{call.number}/events")


def _labels(hub: Hub, call: Call) -> Answer:
    repository = hub.store.get(call.full_name)
    made = issue_shapes(hub, repository, call.person)
    return paged([made.label(label) for label in repository.labels], call, f"{made.place}/labels")


def _create_label(hub: Hub, call: Call) -> Answer:
    body = call.body
    color = body.get("color", "ededed")
    if len(color) != 6 or color.strip(_COLORS):
        raise invalid("Label", "color", "invalid")
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        if repository.label(body["name"]) is not None:
            raise invalid("Label", "name", "already_exists")
        repository = with_labels(hub, repository, [body["name"]])
        label = replace(repository.labels[-1], color=color, description=body.get("description"))
        repository = replace(repository, labels=(*repository.labels[:-1], label))
        hub.store.put(repository)
    return Answer(status=201, body=issue_shapes(hub, repository, call.person).label(label))


def _add_labels(hub: Hub, call: Call) -> Answer:
    names = label_names(call.body.get("labels") if isinstance(call.body, dict) else call.body)
    with hub.store.locked():
        repository = with_labels(hub, hub.store.get(call.full_name), names)
        before = repository.issue(call.number)
        issue = replace(before, labels=joined(repository, before, names), updated=hub.store.now())
        issue = noted(hub, before, issue, call.login)
        repository = hub.keep(repository, issue)
    made = issue_shapes(hub, repository, call.person)
    return Answer(body=made.labels(issue))


def _remove_label(hub: Hub, call: Call) -> Answer:
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue = repository.issue(call.number)
        name = call.parts["name"]
        if name not in issue.labels:
            raise Refused(404, "Label does not exist")
        issue = replace(issue, labels=tuple(label for label in issue.labels if label != name))
        repository = hub.keep(repository, issue)
    return Answer(body=issue_shapes(hub, repository, call.person).labels(issue))


_HOME = "/repos/{owner}/{repo}"
_TEXT = (str, type(None))
_ON_ISSUE = f"{_HOME}/issues/{{number}}/labels"
_LABEL: Keys = {"name": str, "color": str, "description": _TEXT}
ROUTES = (
    Route(method="GET", template=f"{_HOME}/labels", handler=_labels, query=PAGING),
    Route(
        method="POST",
        template=f"{_HOME}/labels",
        handler=_create_label,
        needs="write",
        keys=_LABEL,
        required=("name",),
    ),
    Route(method="POST", template=_ON_ISSUE, handler=_add_labels, needs="write"),
    Route(method="GET", template=f"{_HOME}/issues/{{number}}/events", handler=_events, query=PAGING),
    Route(method="DELETE", template=f"{_ON_ISSUE}/{{name}}", handler=_remove_label, needs="write"),
)
