"""Routes about accounts, repositories, branches, refs and commit statuses."""

from __future__ import annotations

from bot.base.errors import GitError
from bot.virtual.github.bare import Bare
from bot.virtual.github.errors import Refused, empty_repository, invalid, no_access, not_found
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import Person, Repository, Status
from bot.virtual.github.routing import PAGING, Answer, Call, Keys, Route, paged
from bot.virtual.github.shapes import JSON, Shapes
from bot.virtual.github.shapes_issue import IssueShapes

_STATES = {"error", "failure", "pending", "success"}


def shapes(hub: Hub) -> Shapes:
    """Shapes for this server."""
    return Shapes(hub.url, hub.api)


def shown(hub: Hub, repository: Repository, person: Person | None, *, full: bool = False) -> JSON:
    """The shape of a repository."""
    bare = hub.bare(repository.full_name)
    make = shapes(hub).full_repository if full else shapes(hub).repository
    return make(repository, bare.default_branch(), person, not bare.branches())


def issue_shapes(hub: Hub, repository: Repository, person: Person | None) -> IssueShapes:
    """Shapes of what stands under a repository."""
    return IssueShapes(shapes(hub), repository, lambda: shown(hub, repository, person))


def _user(hub: Hub, call: Call) -> Answer:
    login = call.login
    if call.person is not None and call.person.app:
        raise Refused(403, "Resource not accessible by integration")
    return Answer(body=shapes(hub).full_user(login))


def _repository(hub: Hub, call: Call) -> Answer:
    return Answer(body=shown(hub, hub.store.get(call.full_name), call.person, full=True))


def _organisation(hub: Hub, call: Call) -> Answer:
    owner = call.parts["org"].casefold()
    found = [repository for repository in hub.store.all() if repository.owner.casefold() == owner]
    if not found:
        raise not_found()
    seen = [one for one in found if not one.private or (call.person and call.person.permission != "none")]
    rows = [shown(hub, repository, call.person) for repository in seen]
    return paged(rows, call, f"{hub.api}/orgs/{call.parts['org']}/repos")


def _permission(hub: Hub, call: Call) -> Answer:
    if call.person is None or call.person.permission not in {"write", "admin"}:
        raise no_access() if call.person else not_found()
    login = call.parts["username"]
    known = {person.login: person for person in (*hub.people.values(), hub.stranger)}
    person = known.get(login, Person(login=login, permission="none"))
    return Answer(body=shapes(hub).collaborator(person, not hub.store.get(call.full_name).private))


def _branches(hub: Hub, call: Call) -> Answer:
    place = f"{hub.api}/repos/{call.full_name}"
    rows = [
        {"name": name, "commit": {"sha": sha, "url": f"{place}/commits/{sha}"}, "protected": False}
        for name, sha in hub.bare(call.full_name).branches().items()
    ]
    return paged(rows, call, f"{place}/branches")


def _branch(hub: Hub, call: Call) -> Answer:
    bare, name = hub.bare(call.full_name), call.parts["branch"]
    sha = bare.branches().get(name)
    if sha is None:
        raise Refused(404, "Branch not found")
    return Answer(body=shapes(hub).branch(call.full_name, name, bare.commit(sha)))


def _refs(hub: Hub, call: Call) -> tuple[Bare, dict[str, str]]:
    bare = hub.bare(call.full_name)
    refs = bare.refs()
    if not refs:
        raise empty_repository()
    return bare, refs


def _ref(hub: Hub, call: Call) -> Answer:
    bare, refs = _refs(hub, call)
    name = f"refs/{call.parts['ref']}"
    if name not in refs:
        raise not_found()
    return Answer(body=shapes(hub).ref(call.full_name, name, refs[name], bare.kind(refs[name])))


def _matching_refs(hub: Hub, call: Call) -> Answer:
    bare, refs = _refs(hub, call)
    start = f"refs/{call.parts['ref']}"
    rows = [
        shapes(hub).ref(call.full_name, name, sha, bare.kind(sha))
        for name, sha in refs.items()
        if name.startswith(start)
    ]
    return Answer(body=rows)


def _commit_of(bare: Bare, name: str) -> str:
    for revision in (f"refs/heads/{name}", f"refs/tags/{name}", name):
        sha = bare.git.resolve(revision)
        if sha is not None:
            return sha
    raise Refused(422, f"No commit found for SHA: {name}")


def _create_status(hub: Hub, call: Call) -> Answer:
    body = call.body
    if body["state"] not in _STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    bare = hub.bare(call.full_name)
    try:
        if bare.kind(call.parts["sha"]) != "commit":
            raise Refused(422, f"No commit found for SHA: {call.parts['sha']}")
    except GitError:
        raise Refused(422, f"No commit found for SHA: {call.parts['sha']}") from None
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        status = Status(
            id=hub.store.next_id(),
            sha=call.parts["sha"],
            state=body["state"],
            context=body.get("context") or "default",
            description=body.get("description"),
            target_url=body.get("target_url"),
            author=call.login,
            created=hub.store.now(),
        )
        hub.store.put(replace(repository, statuses=(*repository.statuses, status)))
    made = issue_shapes(hub, repository, call.person).status(status)
    return Answer(status=201, body=made | {"creator": shapes(hub).user(status.author)})


def _combined_status(hub: Hub, call: Call) -> Answer:
    repository, place = hub.store.get(call.full_name), f"{hub.api}/repos/{call.full_name}"
    sha = _commit_of(hub.bare(call.full_name), call.parts["ref"])
    newest = {status.context: status for status in repository.statuses if status.sha == sha}
    states = {status.state for status in newest.values()}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    made = issue_shapes(hub, repository, call.person)
    body = {
        "state": state,
        "statuses": [made.status(status) for status in newest.values()],
        "sha": sha,
        "total_count": len(newest),
        "repository": made.shown,
        "commit_url": f"{place}/commits/{sha}",
        "url": f"{place}/commits/{sha}/status",
    }
    return Answer(body=body)


_HOME = "/repos/{owner}/{repo}"
_TEXT = (str, type(None))
_STATUS: Keys = {"state": str, "target_url": _TEXT, "description": _TEXT, "context": str}
ROUTES = (
    Route(method="GET", template="/user", handler=_user, needs="person"),
    Route(
        method="GET",
        template="/orgs/{org}/repos",
        handler=_organisation,
        needs="nothing",
        query=(*PAGING, "type", "sort", "direction"),
    ),
    Route(method="GET", template=_HOME, handler=_repository),
    Route(method="GET", template=f"{_HOME}/collaborators/{{username}}/permission", handler=_permission),
    Route(method="GET", template=f"{_HOME}/branches", handler=_branches, query=(*PAGING, "protected")),
    Route(method="GET", template=f"{_HOME}/branches/{{branch*}}", handler=_branch),
    Route(method="GET", template=f"{_HOME}/git/ref/{{ref*}}", handler=_ref),
    Route(method="GET", template=f"{_HOME}/git/matching-refs/{{ref*}}", handler=_matching_refs),
    Route(
        method="POST",
        template=f"{_HOME}/statuses/{{sha}}",
        handler=_create_status,
        needs="write",
        keys=_STATUS,
        required=("state",),
    ),
    Route(method="GET", template=f"{_HOME}/commits/{{ref*}}/status", handler=_combined_status, query=PAGING),
)
