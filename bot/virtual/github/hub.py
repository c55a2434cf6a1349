"""The collaborators that every route needs, and what happens to pull requests when branches move."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from bot.virtual.github.apps import Apps
from bot.virtual.github.bare import Bare
from bot.virtual.github.errors import (
    archived,
    bad_credentials,
    no_access,
    not_accessible,
    not_found,
    requires_authentication,
)
from bot.virtual.github.records import Issue, Person, Pull, Repository
from bot.virtual.github.routing import Needs
from bot.virtual.github.store import Store

replace = msgspec.structs.replace


@dataclass(kw_only=True)
class Hub:
    """What the virtual GitHub is made of, but for HTTP."""

    store: Store
    people: dict[str, Person]
    """By token."""
    apps: Apps = field(default_factory=Apps)
    open_door: bool = False
    """Take every token that is not known for that of `stranger`."""
    stranger: Person
    url: str = ""
    """Where web pages and git are; the API is below it."""

    @property
    def api(self) -> str:
        """Where the API is."""
        return f"{self.url}/api/v3"

    def person(self, token: str | None) -> Person | None:
        """Who comes with that token; None for no token. Raises the 401 of GitHub."""
        if token is None:
            return None
        if token in self.people:
            person = self.people[token]
            if person.until is not None and person.until <= self.store.now():
                raise bad_credentials()
            return person
        if (app := self.apps.signed(token, self.store.now())) is not None:
            return Person(login=f"{app.slug}[bot]", permission="none", app=True, signed_by=app.id)
        if self.open_door and token:
            return self.stranger
        raise bad_credentials()

    def bare(self, full_name: str) -> Bare:
        """The git side of a repository."""
        return Bare(self.store.folder(full_name))

    def keep(self, repository: Repository, issue: Issue) -> Repository:
        """Put an issue back into its repository. The caller holds the lock."""
        repository = replace(repository, issues=repository.issues | {issue.number: issue})
        self.store.put(repository)
        return repository

    def enter(self, full_name: str, person: Person | None, needs: Needs) -> Repository:
        """The repository, its pull requests up to date with its branches, if `person` may do that there."""
        repository = self.store.get(full_name)
        right = "none" if person is None else person.permission
        if repository.private and (right == "none" or not _for(person, full_name)):
            raise not_found()
        if needs == "write" and not _for(person, full_name):
            raise not_accessible()
        if needs == "write":
            if person is None:
                raise requires_authentication()
            if right not in {"write", "admin"}:
                raise no_access()
            if repository.archived:
                raise archived()
        return self.follow(full_name)

    def follow(self, full_name: str) -> Repository:
        """Let open pull requests follow their branches: new heads, merges by push, deleted heads."""
        repository = self.store.get(full_name)
        if not any(issue.pull and issue.state == "open" for issue in repository.issues.values()):
            return repository
        bare = self.bare(full_name)
        branches = bare.branches()
        with self.store.locked():
            repository = self.store.get(full_name)
            moved = {
                number: self._followed(issue, issue.pull, bare, branches)
                for number, issue in repository.issues.items()
                if issue.pull and issue.state == "open"
            }
            changed = {number: issue for number, issue in moved.items() if issue != repository.issues[number]}
            if changed:
                repository = replace(repository, issues=repository.issues | changed)
                self.store.put(repository)
        return repository

    def _followed(self, issue: Issue, pull: Pull, bare: Bare, branches: dict[str, str]) -> Issue:
        head, base = branches.get(pull.head), branches.get(pull.base)
        if (head, base) == (pull.head_sha, pull.base_sha):
            return issue
        now = self.store.now()
        if head is None or base is None:
            return replace(issue, state="closed", closed=now, updated=now)
        if head != pull.head_sha:
            bare.move(f"refs/pull/{issue.number}/head", head)
        if bare.ahead(head, base) > 0:
            return replace(issue, pull=replace(pull, head_sha=head, base_sha=base), updated=now)
        # Nothing is left to merge. The base took the commits in (somebody merged by hand), or the head gave them up.
        taken = head == pull.head_sha
        pull = replace(pull, merged=now, merge_commit=base) if taken else replace(pull, head_sha=head)
        return replace(issue, pull=pull, state="closed", closed=now, updated=now)


def _for(person: Person | None, full_name: str) -> bool:
    """Whether a token is for this repository: those of installations are for one."""
    return person is None or person.only is None or person.only.casefold() == full_name.casefold()
