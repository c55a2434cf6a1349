"""Records as the JSON that GitHub answers: issues, pull requests, comments, labels, statuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from urllib.parse import quote

from bot.virtual.github.bare import Comparison
from bot.virtual.github.records import Comment, Issue, Label, Labelled, Pull, Reaction, Renamed, Repository, Status
from bot.virtual.github.shapes import JSON, Shapes, node_id, number_of, when

_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


class IssueShapes:
    """Shapes of what stands under one repository."""

    def __init__(self, shapes: Shapes, repository: Repository, show: Callable[[], JSON]) -> None:
        """`show` gives the repository's own shape; it asks git, and most shapes do not need it."""
        self.shapes, self.repository, self._show = shapes, repository, show
        self.place = f"{shapes.api}/repos/{repository.full_name}"
        self.page = f"{shapes.url}/{repository.full_name}"

    @cached_property
    def shown(self) -> JSON:
        """The repository's own shape."""
        return self._show()

    def label(self, label: Label) -> JSON:
        """A label."""
        return {
            "id": label.id,
            "node_id": node_id("Label", label.id),
            "url": f"{self.place}/labels/{quote(label.name)}",
            "name": label.name,
            "description": label.description,
            "color": label.color,
            "default": False,
        }

    def event(self, event: Labelled | Renamed) -> JSON:
        """The event of a label that was set, or of a title that was changed."""
        if isinstance(event, Labelled):
            label = self.repository.label(event.label)
            kind, node = "labeled", "LabeledEvent"
            more: JSON = {"label": {"name": event.label, "color": label.color if label else "ededed"}}
        else:
            kind, node = "renamed", "RenamedTitleEvent"
            more = {"rename": {"from": event.before, "to": event.after}}
        return more | {
            "id": event.id,
            "node_id": node_id(node, event.id),
            "url": f"{self.place}/issues/events/{event.id}",
            "actor": self.shapes.user(event.actor),
            "event": kind,
            "commit_id": None,
            "commit_url": None,
            "created_at": when(event.created),
            "performed_via_github_app": None,
        }

    def labels(self, issue: Issue) -> list[JSON]:
        """The labels of an issue, in the order they came."""
        found = (self.repository.label(name) for name in issue.labels)
        return [self.label(label) for label in found if label is not None]

    def association(self, login: str) -> str:
        """What the author is to the repository."""
        return "OWNER" if login == self.repository.owner else "CONTRIBUTOR"

    def comment(self, issue: Issue, comment: Comment) -> JSON:
        """A comment."""
        kind = "pull" if issue.pull else "issues"
        return {
            "id": comment.id,
            "node_id": node_id("IssueComment", comment.id),
            "url": f"{self.place}/issues/comments/{comment.id}",
            "html_url": f"{self.page}/{kind}/{issue.number}#issuecomment-{comment.id}",
            "issue_url": f"{self.place}/issues/{issue.number}",
            "body": comment.body,
            "user": self.shapes.user(comment.author),
            "created_at": when(comment.created),
            "updated_at": when(comment.updated),
            "author_association": self.association(comment.author),
            "performed_via_github_app": None,
        }

    def reaction(self, reaction: Reaction) -> JSON:
        """A reaction."""
        return {
            "id": reaction.id,
            "node_id": node_id("Reaction", reaction.id),
            "user": self.shapes.user(reaction.author),
            "content": reaction.content,
            "created_at": when(reaction.created),
        }

    def _common(self, issue: Issue) -> JSON:
        return {
            "id": issue.id,
            "number": issue.number,
            "state": issue.state,
            "locked": False,
            "active_lock_reason": None,
            "title": issue.title,
            "body": issue.body,
            "user": self.shapes.user(issue.author),
            "labels": self.labels(issue),
            "milestone": None,
            "assignee": None,
            "assignees": [],
            "created_at": when(issue.created),
            "updated_at": when(issue.updated),
            "closed_at": None if issue.closed is None else when(issue.closed),
            "author_association": self.association(issue.author),
            "comments_url": f"{self.place}/issues/{issue.number}/comments",
        }

    def issue(self, issue: Issue) -> JSON:
        """An issue; a pull request in the shape of one."""
        place = f"{self.place}/issues/{issue.number}"
        contents = [reaction.content for reaction in issue.reactions]
        shape = self._common(issue) | {
            "node_id": node_id("Issue", issue.id),
            "url": place,
            "repository_url": self.place,
            "labels_url": f"{place}/labels{{/name}}",
            "events_url": f"{place}/events",
            "timeline_url": f"{place}/timeline",
            "html_url": f"{self.page}/{'pull' if issue.pull else 'issues'}/{issue.number}",
            "state_reason": issue.state_reason,
            "comments": len(issue.comments),
            "closed_by": None if issue.closed_by is None else self.shapes.user(issue.closed_by),
            "performed_via_github_app": None,
            "reactions": {"url": f"{place}/reactions", "total_count": len(contents)}
            | {name: contents.count(name) for name in _REACTIONS},
        }
        if issue.pull is None:
            return shape
        page = shape["html_url"]
        pull = {"url": f"{self.place}/pulls/{issue.number}", "html_url": page, "diff_url": f"{page}.diff"}
        merged = None if issue.pull.merged is None else when(issue.pull.merged)
        return shape | {
            "draft": issue.pull.draft,
            "pull_request": pull | {"patch_url": f"{page}.patch", "merged_at": merged},
        }

    def pull(self, issue: Issue, pull: Pull) -> JSON:
        """A pull request as it stands in lists."""
        place, page = f"{self.place}/pulls/{issue.number}", f"{self.page}/pull/{issue.number}"
        links = {
            "self": place,
            "html": page,
            "issue": f"{self.place}/issues/{issue.number}",
            "comments": f"{self.place}/issues/{issue.number}/comments",
            "review_comments": f"{place}/comments",
            "review_comment": f"{self.place}/pulls/comments{{/number}}",
            "commits": f"{place}/commits",
            "statuses": f"{self.place}/statuses/{pull.head_sha}",
        }
        # GitHub's description has no null here, though it has one for the same labels elsewhere.
        labels = [label | {"description": label["description"] or ""} for label in self.labels(issue)]
        return self._common(issue) | {
            "labels": labels,
            "node_id": node_id("PullRequest", issue.id),
            "url": place,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "issue_url": links["issue"],
            "commits_url": links["commits"],
            "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"],
            "statuses_url": links["statuses"],
            "_links": {name: {"href": link} for name, link in links.items()},
            "merged_at": None if pull.merged is None else when(pull.merged),
            "merge_commit_sha": pull.merge_commit,
            "requested_reviewers": [self.shapes.user(login) for login in pull.reviewers],
            "requested_teams": [self.team(slug) for slug in pull.teams],
            "head": self._end(pull.head, pull.head_sha),
            "base": self._end(pull.base, pull.base_sha),
            "auto_merge": None,
            "draft": pull.draft,
        }

    def full_pull(self, issue: Issue, pull: Pull, compared: Comparison, mergeable: bool | None) -> JSON:
        """A pull request, as its own route shows it."""
        return self.pull(issue, pull) | {
            "merged": pull.merged is not None,
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": {True: "clean", False: "dirty", None: "unknown"}[mergeable],
            "merged_by": None if pull.merged_by is None else self.shapes.user(pull.merged_by),
            "comments": len(issue.comments),
            "review_comments": 0,
            "maintainer_can_modify": pull.maintainer_can_modify,
            "commits": compared.commits,
            "additions": compared.additions,
            "deletions": compared.deletions,
            "changed_files": compared.files,
        }

    def team(self, slug: str) -> JSON:
        """A team of the owner."""
        place = f"{self.shapes.api}/organizations/{number_of(self.repository.owner)}/team/{number_of(slug)}"
        return {
            "id": number_of(slug),
            "node_id": node_id("Team", number_of(slug)),
            "name": slug,
            "slug": slug,
            "description": None,
            "permission": "pull",
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "url": place,
            "html_url": f"{self.shapes.url}/orgs/{self.repository.owner}/teams/{slug}",
            "members_url": f"{place}/members{{/member}}",
            "repositories_url": f"{place}/repos",
            "type": "organization",
            "parent": None,
        }

    def status(self, status: Status) -> JSON:
        """A commit status."""
        return {
            "url": f"{self.place}/statuses/{status.sha}",
            "avatar_url": f"{self.shapes.url}/avatars/{number_of(status.author)}",
            "id": status.id,
            "node_id": node_id("StatusContext", status.id),
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": when(status.created),
            "updated_at": when(status.created),
        }

    def _end(self, branch: str, sha: str) -> JSON:
        owner = self.repository.owner
        user = self.shapes.user(owner)
        return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, "user": user, "repo": self.shown}
