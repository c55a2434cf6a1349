"""GitHub as a desk: who may ask, that a request was seen, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from bot.base.errors import ForgeError
from bot.forge.github import GitHubForge
from bot.ports import Access

_EYES = "eyes"
_EDITED = (
    "query($owner: String!, $name: String!, $number: Int!) "
    "{ repository(owner: $owner, name: $name) { issue(number: $number) { lastEditedAt } } }"
)
"""GitHub tells by GraphQL alone when a body was changed.
https://docs.github.com/en/graphql/reference/objects#issue"""
_PAGES = 30
"""Of a hundred events; an issue with more is no request for a fix."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A repository of an organisation."""

    full_name: str
    topics: tuple[str, ...]
    archived: bool
    fork: bool
    private: bool


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An issue that a label asks a fix for. Title and body are a stranger's."""

    repo: str
    number: int
    title: str
    body: str
    url: str
    event: int
    """Which setting of the label it is: the id of its event."""
    login: str
    """Who set it."""
    bot: bool
    since: str
    """When it was set: a time of GitHub's, to the second, in UTC."""
    renamed: bool
    """Whether the issue got another title afterwards."""


class GitHubDesk(GitHubForge):
    """A `GitHubForge` that also talks to people under issues."""

    def access(self, repo: str, login: str) -> Access:
        """What an account may do there; a stranger has the permission none. Raises `ForgeError`."""
        address = f"{self._repository(repo).url}/collaborators/{_part(login)}/permission"
        try:
            found = self._get(f"read what {login} may do in {self._name(repo)}", address)
        except ForgeError as error:
            if error.status == 404:
                return Access(permission="none")
            raise
        user = found.get("user") or {}
        return Access(
            permission=str(found.get("permission", "none")),
            role=str(found.get("role_name") or found.get("permission", "")),
            bot=user.get("type", "User") != "User",
        )

    def seen(self, repo: str, number: int) -> None:
        """Show under an issue that it was seen, by a reaction; twice is once."""
        issue = self._repository(repo).get_issue(number)
        what = f"react to {self._name(repo)}#{number}"
        self._asking.write(what, lambda: issue.create_reaction(_EYES), again=True)

    def words(self, repo: str, number: int) -> tuple[str, str]:
        """Title and body of an issue as they are now."""
        issue = self._repository(repo).get_issue(number)
        return self._asking.read(f"read issue {number} of {self._name(repo)}", lambda: (issue.title, issue.body or ""))

    def answer(self, repo: str, number: int, mark: str, body: str) -> None:
        """Write one comment under an issue, or replace ours that starts with `mark`."""
        me = self.login()
        mine = [c for c in self.comments(repo, number) if c.author == me and c.body.startswith(mark)]
        if not mine:
            self.create_comment(repo, number, f"{mark}\n{body}")
        elif mine[0].body.strip() != f"{mark}\n{body}".strip():
            self.update_comment(repo, mine[0].id, f"{mark}\n{body}")

    def labelled(self, repo: str, label: str) -> tuple[Wanted, ...]:
        """The open issues of a repository that have a label, with who set it last. Raises `ForgeError`."""
        name = self._name(repo)

        def issues() -> list[Any]:
            return list(self._repository(repo).get_issues(state="open", labels=[label]))

        found = []
        for issue in self._asking.read(f"list the issues of {name} with {label}", issues):
            if issue.pull_request is not None:
                continue
            later = self._since_set(repo, issue.number, label)
            if later:
                set_by = later[0]
                actor = set_by.get("actor") or {}
                found.append(
                    Wanted(
                        repo=name,
                        number=issue.number,
                        title=issue.title,
                        body=issue.body or "",
                        url=issue.html_url,
                        event=int(set_by["id"]),
                        login=str(actor.get("login", "")),
                        bot=actor.get("type", "User") != "User",
                        since=str(set_by["created_at"]),
                        renamed=any(one.get("event") == "renamed" for one in later),
                    )
                )
        return tuple(found)

    def setting(self, repo: str, number: int, label: str) -> int:
        """The last setting of a label on an issue, the id of its event; 0: there is none. Raises `ForgeError`."""
        later = self._since_set(repo, number, label)
        return int(later[0]["id"]) if later else 0

    def reworded(self, issue: Wanted) -> bool:
        """Whether an issue's words are others than those under which its label was set. Raises `ForgeError`.

        Ask after the words were read: a change between the two is seen then. GitHub's times are to the second, so a
        change in the second of the label counts as later.
        """
        owner, _, name = issue.repo.partition("/")
        variables = {"owner": owner, "name": name, "number": issue.number}

        def call() -> object:
            _, answer = self._github.requester.graphql_query(_EDITED, variables)
            return answer["data"]["repository"]["issue"]["lastEditedAt"]

        edited = self._asking.read(f"read when {issue.repo}#{issue.number} was edited", call)
        return issue.renamed or (edited is not None and str(edited) >= issue.since)

    def artifacts(self, repo: str, run: int) -> dict[str, int]:
        """What a workflow run has left that is still there: the name of each artifact and its id.

        Of several with one name it is the newest, that of the last attempt. Raises `ForgeError`.
        """
        address = f"{self._repository(repo).url}/actions/runs/{run}/artifacts"
        rows = self._list(f"list the artifacts of run {run} of {self._name(repo)}", address, "artifacts")
        kept = sorted((int(row["id"]), str(row["name"])) for row in rows if not row["expired"])
        return {name: number for number, name in kept}

    def run_created(self, repo: str, run: int) -> float:
        """When a workflow run was created, in seconds since the epoch; trying it again changes nothing.

        Raises `ForgeError`.
        """
        address = f"{self._repository(repo).url}/actions/runs/{run}"
        found = self._get(f"read when run {run} of {self._name(repo)} was created", address)
        return datetime.fromisoformat(str(found["created_at"])).timestamp()

    def repositories(self, organisation: str) -> tuple[Found, ...]:
        """All repositories of an organisation that the token sees, by name. Raises `ForgeError`."""

        def call() -> tuple[Found, ...]:
            found = []
            for repository in self._github.get_organization(organisation).get_repos(sort="full_name"):
                topics = repository.raw_data.get("topics", [])
                found.append(
                    Found(
                        full_name=repository.full_name,
                        topics=tuple(topics),
                        archived=repository.archived,
                        fork=repository.fork,
                        private=repository.private,
                    )
                )
            return tuple(sorted(found, key=lambda one: one.full_name))

        return self._asking.read(f"list the repositories of {organisation}", call)

    def rights(self, repo: str) -> dict[str, bool]:
        """What the token's owner may do in a repository, as GitHub says: pull, push, admin …; none: not seen."""
        name = self._name(repo)

        def call() -> dict[str, bool]:
            found = self._repository(repo).permissions
            return {right: bool(getattr(found, right)) for right in ("pull", "triage", "push", "maintain", "admin")}

        try:
            return self._asking.read(f"read what we may do in {name}", call)
        except ForgeError as error:
            if error.status in {403, 404}:
                return {}
            raise

    def has_label(self, repo: str, label: str) -> bool:
        """Whether a repository has a label; case does not count."""
        names = self._asking.read(
            f"list the labels of {self._name(repo)}",
            lambda: [found.name for found in self._repository(repo).get_labels()],
        )
        return label.casefold() in {name.casefold() for name in names}

    def requests_left(self) -> tuple[int, int]:
        """How many requests are left of this hour's, and of how many."""
        core = self._get("read the rate limit", f"{self._api}/rate_limit").get("resources", {}).get("core", {})
        return int(core.get("remaining", 0)), int(core.get("limit", 0))

    def _since_set(self, repo: str, number: int, label: str) -> list[dict[str, Any]]:
        """The events of an issue from the last one on that set the label."""
        address = f"{self._repository(repo).url}/issues/{number}/events"
        events = self._list(f"read who labelled {self._name(repo)}#{number}", address)
        places = [at for at, one in enumerate(events) if _sets(one, label)]
        return events[places[-1] :] if places else []

    def _list(self, what: str, address: str, key: str = "") -> list[dict[str, Any]]:
        """All pages of a list, which is the answer or what stands in it under `key`."""
        rows: list[dict[str, Any]] = []
        for page in range(1, _PAGES + 1):

            def call(page: int = page) -> list[Any]:
                ask = self._github.requester.requestJsonAndCheck
                _, data = ask("GET", address, parameters={"per_page": 100, "page": page})
                listed = data.get(key) if isinstance(data, dict) else data
                return listed if isinstance(listed, list) else []

            found = self._asking.read(what, call)
            rows += [row for row in found if isinstance(row, dict)]
            if len(found) < 100:
                break
        return rows

    def _get(self, what: str, address: str) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            _, data = self._github.requester.requestJsonAndCheck("GET", address)
            return data if isinstance(data, dict) else {}

        return self._asking.read(what, call)


def _sets(event: dict[str, Any], name: str) -> bool:
    label = event.get("label")
    is_it = isinstance(label, dict) and str(label.get("name", "")).casefold() == name.casefold()
    return event.get("event") == "labeled" and is_it


def _part(word: str) -> str:
    return quote(word, safe="[]")
