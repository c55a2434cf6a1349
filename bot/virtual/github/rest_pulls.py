"""Routes about pull requests."""

from __future__ import annotations

from typing import Any

from bot.virtual.github.bare import Bare
from bot.virtual.github.errors import Refused, invalid
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import Issue, Pull, Repository
from bot.virtual.github.rest_issues import check_text, in_state
from bot.virtual.github.rest_repository import issue_shapes
from bot.virtual.github.routing import PAGING, Answer, Call, Keys, Route, paged
from bot.virtual.github.shapes import JSON

NO_DRAFTS = "Draft pull requests are not supported in this repository."
_MERGE_EMAIL = "noreply@github.invalid"


def _full(hub: Hub, call: Call, repository: Repository, number: int) -> JSON:
    issue, pull = repository.pull(number)
    bare = hub.bare(repository.full_name)
    mergeable = None
    if issue.state == "open":
        mergeable = bare.merged_tree(pull.base_sha, pull.head_sha) is not None
    compared = bare.compare(pull.head_sha, pull.base_sha)
    return issue_shapes(hub, repository, call.person).full_pull(issue, pull, compared, mergeable)


def _pulls(hub: Hub, call: Call) -> Answer:
    repository, query = hub.store.get(call.full_name), call.query
    state, head = query.get("state", "open"), query.get("head")
    made = issue_shapes(hub, repository, call.person)
    found = [
        (issue, issue.pull)
        for issue in repository.issues.values()
        if issue.pull
        and state in {"all", issue.state}
        # As on GitHub: what is not `owner:branch` is no filter at all.
        and (head is None or ":" not in head or head == f"{repository.owner}:{issue.pull.head}")
        and query.get("base") in {None, issue.pull.base}
    ]
    key = "updated" if query.get("sort") == "updated" else "created"
    # Newest first unless sorted by something else than the time of creation.
    direction = query.get("direction") or ("desc" if query.get("sort", "created") == "created" else "asc")
    found.sort(key=lambda pair: (getattr(pair[0], key), pair[0].number), reverse=direction == "desc")
    return paged([made.pull(issue, pull) for issue, pull in found], call, f"{made.place}/pulls")


def _pull(hub: Hub, call: Call) -> Answer:
    return Answer(body=_full(hub, call, hub.store.get(call.full_name), call.number))


def _ends(repository: Repository, bare: Bare, body: dict[str, Any]) -> Pull:
    """The two branches of a new pull request, or GitHub's reason why there can be none."""
    owner, _, branch = str(body["head"]).rpartition(":")
    branches = bare.branches()
    if body["base"] not in branches:
        raise invalid("PullRequest", "base", "invalid")
    if (owner and owner != repository.owner) or branch not in branches:
        raise invalid("PullRequest", "head", "invalid")
    if body.get("draft") and not repository.drafts:
        raise Refused(422, NO_DRAFTS)
    if any(
        i.pull and i.state == "open" and (i.pull.head, i.pull.base) == (branch, body["base"])
        for i in repository.issues.values()
    ):
        message = f"A pull request already exists for {repository.owner}:{branch}."
        raise invalid("PullRequest", None, "custom", message)
    head, base = branches[branch], branches[body["base"]]
    if bare.ahead(head, base) == 0:
        raise invalid("PullRequest", None, "custom", f"No commits between {body['base']} and {branch}")
    if bare.merge_base(head, base) is None:
        message = f"The {branch} branch has no history in common with {body['base']}"
        raise invalid("PullRequest", None, "custom", message)
    return Pull(
        head=branch,
        base=body["base"],
        head_sha=head,
        base_sha=base,
        draft=bool(body.get("draft")),
        maintainer_can_modify=bool(body.get("maintainer_can_modify")),
    )


def _create_pull(hub: Hub, call: Call) -> Answer:
    body = call.body
    if "title" not in body:
        raise invalid("PullRequest", "title", "missing_field")
    check_text("PullRequest", body["title"], body.get("body"))
    bare = hub.bare(call.full_name)
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        pull = _ends(repository, bare, body)
        now = hub.store.now()
        issue = Issue(
            id=hub.store.next_id(),
            number=max(repository.issues, default=0) + 1,
            title=body["title"],
            body=body.get("body"),
            author=call.login,
            created=now,
            updated=now,
            pull=pull,
        )
        bare.move(f"refs/pull/{issue.number}/head", pull.head_sha)
        repository = hub.keep(repository, issue)
    return Answer(status=201, body=_full(hub, call, repository, issue.number))


def _update_pull(hub: Hub, call: Call) -> Answer:
    body = call.body or {}
    check_text("PullRequest", body.get("title"), body.get("body"))
    bare = hub.bare(call.full_name)
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue, pull = repository.pull(call.number)
        branches = bare.branches()
        if body.get("base", pull.base) not in branches:
            raise invalid("PullRequest", "base", "invalid")
        if body.get("state") == "open" and issue.state == "closed" and pull.head not in branches:
            message = f"state cannot be changed. The {pull.head} branch was deleted."
            raise invalid("PullRequest", "state", "invalid", message)
        if "base" in body:
            pull = replace(pull, base=body["base"], base_sha=branches[body["base"]])
        if "maintainer_can_modify" in body:
            pull = replace(pull, maintainer_can_modify=body["maintainer_can_modify"])
        issue = replace(issue, title=body.get("title", issue.title), body=body.get("body", issue.body), pull=pull)
        issue = in_state(hub, issue, body.get("state", issue.state), call.login)
        hub.keep(repository, issue)
    return Answer(body=_full(hub, call, hub.follow(call.full_name), call.number))


def _request_reviewers(hub: Hub, call: Call) -> Answer:
    people, teams = call.body.get("reviewers") or [], call.body.get("team_reviewers") or []
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue, pull = repository.pull(call.number)
        if issue.author in people:
            raise Refused(422, "Review cannot be requested from pull request author.")
        known = repository.collaborators
        if known is not None and not set(people) | set(teams) <= set(known):
            whom = "the users or teams you specified is not a collaborator of the"
            words = (
                f"Reviews may only be requested from collaborators. One or more of {whom} {call.full_name} repository."
            )
            raise Refused(422, words)
        pull = replace(
            pull,
            reviewers=tuple(dict.fromkeys([*pull.reviewers, *people])),
            teams=tuple(dict.fromkeys([*pull.teams, *teams])),
        )
        issue = replace(issue, pull=pull, updated=hub.store.now())
        repository = hub.keep(repository, issue)
    return Answer(status=201, body=issue_shapes(hub, repository, call.person).pull(issue, pull))


def _merge(hub: Hub, call: Call) -> Answer:
    body = call.body or {}
    method = body.get("merge_method", "merge")
    bare = hub.bare(call.full_name)
    with hub.store.locked():
        repository = hub.store.get(call.full_name)
        issue, pull = repository.pull(call.number)
        if issue.state != "open" or pull.draft or method not in {"merge", "squash"}:
            raise Refused(405, "Pull Request is not mergeable")
        if body.get("sha", pull.head_sha) != pull.head_sha:
            raise Refused(409, "Head branch was modified. Review and try the merge again.")
        tree = bare.merged_tree(pull.base_sha, pull.head_sha)
        if tree is None:
            raise Refused(405, "Pull Request is not mergeable")
        now = hub.store.now()
        title = body.get("commit_title") or f"Merge pull request #{issue.number} from {repository.owner}/{pull.head}"
        message = f"{title}\n\n{body.get('commit_message') or issue.title}\n"
        parents = (pull.base_sha,) if method == "squash" else (pull.base_sha, pull.head_sha)
        commit = bare.join(tree, parents, message, (call.login, _MERGE_EMAIL, now))
        bare.move(f"refs/heads/{pull.base}", commit, pull.base_sha)
        pull = replace(pull, merged=now, merged_by=call.login, merge_commit=commit)
        issue = replace(issue, pull=pull, state="closed", closed=now, closed_by=call.login, updated=now)
        hub.keep(replace(repository, pushed=now), issue)
    return Answer(body={"sha": commit, "merged": True, "message": "Pull Request successfully merged"})


_HOME = "/repos/{owner}/{repo}/pulls"
_TEXT = (str, type(None))
_NEW: Keys = {
    "title": str,
    "head": str,
    "base": str,
    "body": _TEXT,
    "draft": bool,
    "maintainer_can_modify": bool,
}
_EDIT: Keys = {
    "title": str,
    "body": _TEXT,
    "state": str,
    "base": str,
    "maintainer_can_modify": bool,
}
_MERGE: Keys = dict.fromkeys(("commit_title", "commit_message", "sha", "merge_method"), str)
_FILTERS = (*PAGING, "state", "head", "base", "sort", "direction")
ROUTES = (
    Route(method="GET", template=_HOME, handler=_pulls, query=_FILTERS),
    Route(method="POST", template=_HOME, handler=_create_pull, needs="write", keys=_NEW, required=("head", "base")),
    Route(method="GET", template=f"{_HOME}/{{number}}", handler=_pull),
    Route(method="PATCH", template=f"{_HOME}/{{number}}", handler=_update_pull, needs="write", keys=_EDIT),
    Route(method="PUT", template=f"{_HOME}/{{number}}/merge", handler=_merge, needs="write", keys=_MERGE),
    Route(
        method="POST",
        template=f"{_HOME}/{{number}}/requested_reviewers",
        handler=_request_reviewers,
        needs="write",
        keys={"reviewers": list, "team_reviewers": list},
    ),
)
