"""What a repository of the virtual GitHub holds beside its git objects. Frozen; a change makes a new record.

Times are whole seconds since the epoch, people are logins. URLs are never stored: the port changes with every start.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bot.virtual.github.errors import not_found

Permission = Literal["none", "read", "write", "admin"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands behind a token. Never stored: tokens and rights are given anew at each start."""

    login: str
    permission: Permission = "write"
    """On every repository; `none` sees only the public ones, like any stranger."""
    app: bool = False
    """An App or a workflow's own token: it may not ask `GET /user`, as on GitHub."""
    signed_by: str | None = None
    """The App that speaks in its own name, by a signed token; it may ask only what Apps ask so."""
    only: str | None = None
    """The one repository that an installation's token is for."""
    rights: dict[str, str] | None = None
    """What that token may do, `read` or `write` by permission; None: whatever the person may."""
    until: int | None = None
    """When it ends."""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """A reaction to an issue or pull request."""

    id: int
    author: str
    content: str
    created: int


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment under an issue or pull request."""

    id: int
    author: str
    body: str
    created: int
    updated: int


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an issue a pull request. While it is open its commits follow the branches."""

    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    reviewers: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    maintainer_can_modify: bool = False
    merged: int | None = None
    merged_by: str | None = None
    merge_commit: str | None = None


class Labelled(msgspec.Struct, frozen=True, kw_only=True, tag="labelled"):
    """That an issue got a label: who set it, and when."""

    id: int
    label: str
    actor: str
    created: int


class Renamed(msgspec.Struct, frozen=True, kw_only=True, tag="renamed"):
    """That an issue got another title: who gave it, and when."""

    id: int
    before: str
    after: str
    actor: str
    created: int


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue, or a pull request when `pull` is there; they share their numbers."""

    id: int
    number: int
    title: str
    body: str | None
    author: str
    created: int
    updated: int
    state: Literal["open", "closed"] = "open"
    state_reason: str | None = None
    closed: int | None = None
    closed_by: str | None = None
    labels: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    events: tuple[Labelled | Renamed, ...] = ()
    edited: int | None = None
    """When its body was last changed; the interface by GraphQL alone shows it."""
    pull: Pull | None = None


class CheckRun(msgspec.Struct, frozen=True, kw_only=True):
    """A check run of an App; the newest of a name counts."""

    id: int
    sha: str
    name: str
    conclusion: str
    title: str
    summary: str
    details_url: str | None
    app: str
    created: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A commit status; the newest of a context counts."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    author: str
    created: int


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow run left; the file itself lies beside the repository."""

    id: int
    run: int
    name: str
    created: int


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository with everything that is written under it."""

    id: int
    full_name: str
    created: int
    pushed: int
    private: bool = False
    archived: bool = False
    drafts: bool = True
    """Whether the plan has draft pull requests."""
    refuse_push: bool = False
    """Whether a repository rule declines every push."""
    collaborators: tuple[str, ...] | None = None
    """Who can be asked for a review, logins and team slugs; None: anybody."""
    topics: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    issues: dict[int, Issue] = {}
    statuses: tuple[Status, ...] = ()
    check_runs: tuple[CheckRun, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    """Of all its workflow runs, the oldest first."""
    runs: dict[int, int] = {}
    """Its workflow runs: id → when it was created."""

    @property
    def owner(self) -> str:
        """The part before the slash."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The part after the slash."""
        return self.full_name.partition("/")[2]

    def issue(self, number: int) -> Issue:
        """An issue or pull request. Raises the 404 of GitHub."""
        if number not in self.issues:
            raise not_found()
        return self.issues[number]

    def pull(self, number: int) -> tuple[Issue, Pull]:
        """A pull request. Raises the 404 of GitHub, for an issue too."""
        issue = self.issue(number)
        if issue.pull is None:
            raise not_found()
        return issue, issue.pull

    def comment(self, number: int) -> tuple[Issue, Comment]:
        """A comment by its id, with what it stands under. Raises the 404 of GitHub."""
        for issue in self.issues.values():
            for comment in issue.comments:
                if comment.id == number:
                    return issue, comment
        raise not_found()

    def label(self, name: str) -> Label | None:
        """A label by its name; case makes no difference, as on GitHub."""
        return next((label for label in self.labels if label.name.casefold() == name.casefold()), None)
