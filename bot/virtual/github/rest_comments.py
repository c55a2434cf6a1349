"""Routes about comments under issues and pull requests, and reactions to these."""

from __future__ import annotations

from bot.virtual.github.errors import BODY_LIMIT, invalid
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import Comment, Reaction
from bot.virtual.github.rest_repository import issue_shapes
from bot.virtual.github.routing import PAGING, Answer, Call, Keys, Route, paged
from bot.virtual.github.shapes import when

_CONTENTS = {"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}


def _check_comment(body: str) -> None:
    if not body.strip():
        raise invalid("IssueComment", "data", "unprocessable", "Body cannot be blank")
    if len(body) > BODY_LIMIT:
        words = f"Body is too long (maximum is {BODY_LIMIT} characters)"
        raise invalid("IssueComment", "data", "unprocessable", words)


def _comments(hub: Hub, call: Call) -> Answer:
    repository = hub.store.get(call.full_name)
    issue, made = repository.issue(call.number), issue_shapes(hub, repository, call.person)
    since = call.query.get("since", "")
    rows = [made.comment(issue, comment) for comment in issue.comments if when(comment.updated) >= since]
    return paged(rows, call, f"{made.place}/issues/{issue.number}/comments")


def _create_comment(hub: Hub, call: Call) -> Answer:
    _check_comment(call.body["body"])
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue, now = repository.issue(call.number), hub.store.now()
        comment = Comment(id=hub.store.next_id(), author=call.login, body=call.body["body"], created=now, updated=now)
        issue = replace(issue, comments=(*issue.comments, comment), updated=now)
        repository = hub.keep(repository, issue)
    return Answer(status=201, body=issue_shapes(hub, repository, call.person).comment(issue, comment))


def _comment(hub: Hub, call: Call) -> Answer:
    repository = hub.store.get(call.full_name)
    issue, comment = repository.comment(int(call.parts["id"]))
    return Answer(body=issue_shapes(hub, repository, call.person).comment(issue, comment))


def _update_comment(hub: Hub, call: Call) -> Answer:
    _check_comment(call.body["body"])
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue, comment = repository.comment(int(call.parts["id"]))
        fresh = replace(comment, body=call.body["body"], updated=hub.store.now())
        comments = tuple(fresh if other.id == fresh.id else other for other in issue.comments)
        issue = replace(issue, comments=comments)
        repository = hub.keep(repository, issue)
    return Answer(body=issue_shapes(hub, repository, call.person).comment(issue, fresh))


def _delete_comment(hub: Hub, call: Call) -> Answer:
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue, comment = repository.comment(int(call.parts["id"]))
        hub.keep(repository, replace(issue, comments=tuple(c for c in issue.comments if c.id != comment.id)))
    return Answer(status=204)


def _react(hub: Hub, call: Call) -> Answer:
    content = call.body["content"]
    if content not in _CONTENTS:
        raise invalid("Reaction", "content", "invalid")
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue = repository.issue(call.number)
        made = issue_shapes(hub, repository, call.person)
        for reaction in issue.reactions:
            if (reaction.author, reaction.content) == (call.login, content):
                return Answer(body=made.reaction(reaction))
        reaction = Reaction(id=hub.store.next_id(), author=call.login, content=content, created=hub.store.now())
        hub.keep(repository, replace(issue, reactions=(*issue.reactions, reaction)))
    return Answer(status=201, body=made.reaction(reaction))


_HOME = "/repos/{owner}/{repo}/issues"
_UNDER, _ONE = f"{_HOME}/{{number}}/comments", f"{_HOME}/comments/{{id}}"
_BODY: Keys = {"body": str}
ROUTES = (
    Route(method="GET", template=_UNDER, handler=_comments, query=(*PAGING, "since")),
    Route(method="POST", template=_UNDER, handler=_create_comment, needs="write", keys=_BODY, required=("body",)),
    Route(method="GET", template=_ONE, handler=_comment),
    Route(method="PATCH", template=_ONE, handler=_update_comment, needs="write", keys=_BODY, required=("body",)),
    Route(method="DELETE", template=_ONE, handler=_delete_comment, needs="write"),
    Route(
        method="POST",
        template=f"{_HOME}/{{number}}/reactions",
        handler=_react,
        needs="write",
        keys={"content": str},
        required=("content",),
    ),
)
