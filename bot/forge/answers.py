"""PyGithub's objects as our values. Reads only what came with the answer, so that none asks for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.ports import Comment, PullRequest

if TYPE_CHECKING:
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest as GithubPull


def is_from(pull: GithubPull, owner: str, branch: str) -> bool:
    """Whether it comes from that branch of the repository itself and not of a fork."""
    return pull.head.ref == branch and pull.head.label == f"{owner}:{branch}"


def pull_of(pull: GithubPull, owner: str) -> PullRequest:
    """A pull request; teams as `owner/slug`."""
    return PullRequest(
        number=pull.number,
        url=pull.html_url,
        state="merged" if pull.merged_at is not None else "open" if pull.state == "open" else "closed",
        draft=bool(pull.draft),
        head_sha=pull.head.sha,
        title=pull.title,
        body=pull.body or "",
        author=_login(pull.user),
        labels=tuple(label.name for label in pull.labels),
        reviewers=(
            *(person.login for person in pull.requested_reviewers),
            *(f"{owner}/{team.slug}" for team in pull.requested_teams),
        ),
    )


def comment_of(comment: IssueComment) -> Comment:
    """A comment."""
    return Comment(id=comment.id, author=_login(comment.user), body=comment.body, url=comment.html_url)


def _login(account: object) -> str:
    # None when the account was deleted.
    return str(getattr(account, "login", ""))
