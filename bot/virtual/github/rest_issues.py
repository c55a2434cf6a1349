"""Routes about issues; pull requests are issues too."""

from __future__ import annotations

from bot.virtual.github.errors import BODY_LIMIT, TITLE_LIMIT, invalid
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import Issue, Renamed
from bot.virtual.github.rest_labels import joined, label_names, noted, with_labels
from bot.virtual.github.rest_repository import issue_shapes
from bot.virtual.github.routing import PAGING, Answer, Call, Keys, Route, paged
from bot.virtual.github.shapes import when


def check_text(resource: str, title: str | None, body: str | None) -> None:
    """Refuse a title or body that GitHub would not take."""
    if title is not None and not title.strip():
        raise invalid(resource, "title", "missing_field")
    if title is not None and len(title) > TITLE_LIMIT:
        raise invalid(resource, "title", "custom", f"title is too long (maximum is {TITLE_LIMIT} characters)")
    if body is not None and len(body) > BODY_LIMIT:
        raise invalid(resource, "body", "custom", f"body is too long (maximum is {BODY_LIMIT} characters)")


def _issue(hub: Hub, call: Call) -> Answer:
    repository = hub.store.get(call.full_name)
    return Answer(body=issue_shapes(hub, repository, call.person).issue(repository.issue(call.number)))


def _issues(hub: Hub, call: Call) -> Answer:
    repository, query = hub.store.get(call.full_name), call.query
    state = query.get("state", "open")
    wanted = [name for name in query.get("labels", "").split(",") if name]
    found = [
        issue
        for issue in repository.issues.values()
        if state in {"all", issue.state}
        and set(wanted) <= set(issue.labels)
        and query.get("creator") in {None, issue.author}
        and when(issue.updated) >= query.get("since", "")
    ]
    key = "updated" if query.get("sort") == "updated" else "created"
    found.sort(key=lambda issue: (getattr(issue, key), issue.number), reverse=query.get("direction") != "asc")
    made = issue_shapes(hub, repository, call.person)
    return paged([made.issue(issue) for issue in found], call, f"{made.place}/issues")


def _create_issue(hub: Hub, call: Call) -> Answer:
    body = call.body
    check_text("Issue", body["title"], body.get("body"))
    names = label_names(body.get("labels") or [])
    with hub.store.locked():
        repository = with_labels(hub, hub.store.get(call.full_name), names)
        now = hub.store.now()
        issue = Issue(
            id=hub.store.next_id(),
            number=max(repository.issues, default=0) + 1,
            title=body["title"],
            body=body.get("body"),
            author=call.login,
            created=now,
            updated=now,
        )
        issue = noted(hub, issue, replace(issue, labels=joined(repository, issue, names)), call.login)
        repository = hub.keep(repository, issue)
    return Answer(status=201, body=issue_shapes(hub, repository, call.person).issue(issue))


def _update_issue(hub: Hub, call: Call) -> Answer:
    body = call.body or {}
    check_text("Issue", body.get("title"), body.get("body"))
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue = repository.issue(call.number)
        if "labels" in body:
            names = label_names(body["labels"])
            repository = with_labels(hub, repository, names)
            fresh = replace(issue, labels=joined(repository, replace(issue, labels=()), names))
            issue = noted(hub, issue, fresh, call.login)
        issue = _reworded(hub, issue, body.get("title", issue.title), body.get("body", issue.body), call.login)
        issue = in_state(hub, issue, body.get("state", issue.state), call.login, body.get("state_reason"))
        repository = hub.keep(repository, issue)
    return Answer(body=issue_shapes(hub, repository, call.person).issue(issue))


def _reworded(hub: Hub, issue: Issue, title: str, body: str | None, actor: str) -> Issue:
    """The issue with other words; a new title is an event, a new body only a time. The caller holds the lock."""
    now = hub.store.now()
    if title != issue.title:
        event = Renamed(id=hub.store.next_id(), before=issue.title, after=title, actor=actor, created=now)
        issue = replace(issue, title=title, events=(*issue.events, event))
    return issue if body == issue.body else replace(issue, body=body, edited=now)


def in_state(hub: Hub, issue: Issue, state: str, login: str, reason: str | None = None) -> Issue:
    """Open or close; what is merged stays so."""
    now = hub.store.now()
    issue = replace(issue, updated=now)
    if state not in {"open", "closed"}:
        raise invalid("PullRequest" if issue.pull else "Issue", "state", "invalid")
    if state == issue.state:
        return issue
    if state == "closed":
        why = None if issue.pull else reason or "completed"
        return replace(issue, state="closed", closed=now, closed_by=login, state_reason=why)
    if issue.pull and issue.pull.merged is not None:
        raise invalid("PullRequest", "state", "invalid", "state cannot be changed. The pull request is merged.")
    return replace(issue, state="open", closed=None, closed_by=None, state_reason=None if issue.pull else "reopened")


_HOME = "/repos/{owner}/{repo}/issues"
_TEXT = (str, type(None))
_NEW: Keys = {"title": str, "body": _TEXT, "labels": list}
_FILTERS = (*PAGING, "state", "labels", "creator", "since", "sort", "direction")
ROUTES = (
    Route(method="GET", template=_HOME, handler=_issues, query=_FILTERS),
    Route(method="POST", template=_HOME, handler=_create_issue, needs="write", keys=_NEW, required=("title",)),
    Route(method="GET", template=f"{_HOME}/{{number}}", handler=_issue),
    Route(
        method="PATCH",
        template=f"{_HOME}/{{number}}",
        handler=_update_issue,
        needs="write",
        keys=_NEW | {"state": str, "state_reason": _TEXT},
    ),
)
