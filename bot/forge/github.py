"""GitHub behind the port, github.com and GHES, by PyGithub; pushes by our own git with the token in its environment.

PyGithub's own retries send a POST again after a 502 and its pacing cannot be shared, so both are off; what is done
instead is in `bot.forge.patience`.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bot.base.clock import Clock
from bot.base.errors import ForgeError
from bot.base.values import Report
from bot.forge import push as pushing
from bot.forge import verdicts
from bot.forge.address import check_server, full_name, is_loopback
from bot.forge.answers import comment_of, is_from, pull_of, report_of
from bot.forge.asking import Asking
from bot.forge.client import client
from bot.forge.words import plain
from bot.ports import Comment, DraftsRefused, PullRequest, Remote, RepositoryFacts

if TYPE_CHECKING:
    from github import Github
    from github.Repository import Repository

WRITE_PACE = 1.0
"""Seconds between two writes, as GitHub asks for; none on loopback."""


class GitHubForge:
    """Repositories on one server. Implements `ForgeWrite`; safe to share between threads."""

    def __init__(self, *, token: str | None, api_url: str, server_url: str, clock: Clock, app: bool = False) -> None:
        """`api_url` and `server_url` as `GITHUB_API_URL` and `GITHUB_SERVER_URL`. No request is sent yet.

        `app`: the token is an App's, which can have check runs.

        Raises `ConfigurationError` for URLs that cannot be used.
        """
        self._token, self._app = token or None, app
        self._api = check_server(api_url, "GITHUB_API_URL")
        self._server = check_server(server_url, "GITHUB_SERVER_URL")
        pace = 0.0 if is_loopback(api_url) else WRITE_PACE
        self._asking = Asking(clock=clock, pace=pace, server=self._server, anonymous=self._token is None)
        self._login: str | None = None

    def close(self) -> None:
        """Close the connections to the server. Nothing can be asked afterwards."""
        if "_github" in self.__dict__:
            self._github.close()

    def remote(self, repo: str) -> Remote:
        """Where git fetches `repo` from. Raises `ForgeError` when it is not on this server."""
        return Remote(url=f"{self._server}/{full_name(repo, self._server)}.git", token=self._token)

    def facts(self, repo: str) -> RepositoryFacts:
        """What GitHub says of it. Raises `ForgeError` (404: not there or not visible to the token)."""

        def call() -> RepositoryFacts:
            found = self._repository(repo)
            return RepositoryFacts(
                full_name=found.full_name,
                default_branch=found.default_branch,
                archived=found.archived,
                private=found.private,
            )

        return self._asking.read(f"read {self._name(repo)}", call)

    def issue(self, repo: str, number: int) -> Report:
        """An issue as it is now, as untrusted text. Raises `ForgeError`, also for a pull request."""
        name = self._name(repo)
        issue = self._repository(repo).get_issue(number)
        report = self._asking.read(f"read issue {number} of {name}", lambda: report_of(issue, name))
        if report is None:
            msg = f"{name}#{number} is a pull request, not an issue."
            raise ForgeError(msg, "Name an issue.", 404)
        return report

    def login(self) -> str:
        """Who the token belongs to; asked once. An App's login ends in `[bot]`."""
        if self._login is None:
            self._login = self._asking.read("ask whose token it is", self._who)
        return self._login

    def branch_head(self, repo: str, branch: str) -> str | None:
        """The commit a branch points at, or None."""
        name = self._name(repo)
        try:
            return self._asking.read(
                f"read the branch {plain(branch)} of {name}",
                lambda: self._repository(repo).get_git_ref(f"heads/{branch}").object.sha,
            )
        except ForgeError as error:
            if error.status == 409:  # an empty repository has no refs
                return None
            if error.status != 404:
                raise
            self.facts(repo)  # a missing repository looks like a missing branch
            return None

    def push(self, repo: str, objects: Path, commit: str, branch: str, expect: str | None) -> None:
        """Push `commit` from the git-dir `objects` to `branch`, only while the branch is at `expect` (None: absent).

        Raises `TaskBlocked` when the server's rules refuse the push or the branch was moved, `ForgeError` otherwise.
        """
        name = self._name(repo)
        self._asking.patience.take_turn()
        try:
            pushing.push(self.remote(repo), objects, commit, branch, expect, repo=name)
        except ForgeError as error:
            # Without an answer it may have happened all the same; where the branch is decides.
            if 0 < error.status < 500 or self.branch_head(repo, branch) != commit:
                raise

    def keep(self, repo: str, objects: Path, commit: str, ref: str) -> None:
        """Push `commit` to a ref outside of the branches; a ref that is there never moves. Raises as `push` does."""
        self._asking.patience.take_turn()
        pushing.keep(self.remote(repo), objects, commit, ref, repo=self._name(repo))

    def find_pulls(self, repo: str, branch: str) -> tuple[PullRequest, ...]:
        """All pull requests from that branch of the repository itself, open, closed and merged, newest first."""
        name = self._name(repo)
        owner = name.partition("/")[0]

        def call() -> tuple[PullRequest, ...]:
            found = self._repository(repo).get_pulls(
                state="all", head=f"{owner}:{branch}", sort="created", direction="desc"
            )
            # A filter that GitHub does not understand is no filter at all, so look again.
            return tuple(pull_of(pull, owner) for pull in found if is_from(pull, owner, branch))

        return self._asking.read(f"list the pull requests of {name}", call)

    def create_pull(self, repo: str, *, base: str, branch: str, title: str, body: str, draft: bool) -> PullRequest:
        """Open one. Raises `DraftsRefused` where the plan has no drafts, `ForgeError` (422: it exists already, …)."""
        name = self._name(repo)
        owner = name.partition("/")[0]

        def call() -> PullRequest:
            made = self._repository(repo).create_pull(
                base=base, head=f"{owner}:{branch}", title=title, body=body, draft=draft
            )
            return pull_of(made, owner)

        try:
            return self._asking.write(f"open a pull request in {name}", call, again=False)
        except ForgeError as error:
            if draft and error.status == 422 and "draft pull requests are not supported" in error.what.lower():
                raise DraftsRefused(name) from error
            raise

    def update_pull(self, repo: str, number: int, *, title: str, body: str) -> PullRequest:
        """Replace title and body."""
        name = self._name(repo)

        def call() -> PullRequest:
            pull = self._repository(repo).get_pull(number)
            pull.edit(title=title, body=body)
            return pull_of(pull, name.partition("/")[0])

        return self._asking.write(f"update pull request {number} of {name}", call, again=True)

    def report(self, repo: str, sha: str, *, passed: bool, text: str, url: str | None) -> bool:
        """Say it by a check run (as an App) or else a commit status, `fleet-bot/gate`, unless it says so already."""
        verdict = verdicts.Verdict(passed=passed, text=text, url=url)
        form = verdicts.CHECK_RUN if self._app else verdicts.STATUS
        place, ask = self._repository(repo).url, self._github.requester.requestJsonAndCheck
        name = self._name(repo)
        where = f"{place}/commits/{sha}/{form.found_at}"
        found = self._asking.read(f"read what was said of {sha[:12]} in {name}", lambda: ask("GET", where)[1])
        if form.says(found, verdict):
            return False
        body = form.body(sha, verdict)
        self._asking.write(
            f"say on {sha[:12]} in {name} what the gate decided",
            lambda: ask("POST", f"{place}/{form.made_at.format(sha=sha)}", input=body),
            again=True,
        )
        return True

    def add_labels(self, repo: str, number: int, labels: tuple[str, ...]) -> None:
        """Add labels; GitHub makes those that do not exist."""
        if not labels:
            return
        address = f"{self._repository(repo).url}/issues/{number}/labels"
        # PyGithub's own method sends a bare list, which GitHub no longer documents.
        self._asking.write(
            f"label pull request {number} of {self._name(repo)}",
            lambda: self._github.requester.requestJsonAndCheck("POST", address, input={"labels": list(labels)}),
            again=True,
        )

    def request_reviewers(self, repo: str, number: int, reviewers: tuple[str, ...]) -> None:
        """Ask people (`login`) and teams (`org/team`) for a review."""
        people = [name for name in reviewers if "/" not in name]
        teams = [name.partition("/")[2] for name in reviewers if "/" in name]
        if not people and not teams:
            return
        pull = self._repository(repo).get_pull(number)
        self._asking.write(
            f"ask for a review in {self._name(repo)}",
            lambda: pull.create_review_request(reviewers=people, team_reviewers=teams),
            again=True,
        )

    def comments(self, repo: str, number: int) -> tuple[Comment, ...]:
        """All comments, all pages, oldest first."""
        issue = self._repository(repo).get_issue(number)
        return self._asking.read(
            f"list the comments of {self._name(repo)}#{number}",
            lambda: tuple(comment_of(found) for found in issue.get_comments()),
        )

    def create_comment(self, repo: str, number: int, body: str) -> Comment:
        """Write a comment."""
        issue = self._repository(repo).get_issue(number)
        what = f"comment on {self._name(repo)}#{number}"
        return self._asking.write(what, lambda: comment_of(issue.create_comment(body)), again=False)

    def update_comment(self, repo: str, comment: int, body: str) -> Comment:
        """Replace a comment of ours."""

        def call() -> Comment:
            # A comment is found by its own id; nothing is asked about the issue.
            found = self._repository(repo).get_issue(0).get_comment(comment)
            found.edit(body)
            return comment_of(found)

        return self._asking.write(f"update a comment in {self._name(repo)}", call, again=True)

    @cached_property
    def _github(self) -> Github:
        return client(self._api, self._token)

    def _name(self, repo: str) -> str:
        return full_name(repo, self._server)

    def _repository(self, repo: str) -> Repository:
        return self._github.get_repo(self._name(repo))

    def _who(self) -> str:
        try:
            return self._github.get_user().login
        except Exception as error:
            if getattr(error, "status", None) != 403 or "not accessible" not in str(error):
                raise
        # An App's token, or a workflow's own, may not ask for its user.
        _, answer = self._github.requester.graphql_query("query { viewer { login } }", {})
        return str(answer["data"]["viewer"]["login"])
