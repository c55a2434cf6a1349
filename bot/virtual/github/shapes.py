"""Records as the JSON that GitHub answers: people, repositories, commits, refs. Complete enough for its OpenAPI."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot.virtual.github.bare import CommitFacts
from bot.virtual.github.records import Person, Repository

JSON = dict[str, Any]
_USER_LINKS = (
    "followers followers",
    "following following{/other_user}",
    "gists gists{/gist_id}",
    "starred starred{/owner}{/repo}",
    "subscriptions subscriptions",
    "organizations orgs",
    "repos repos",
    "events events{/privacy}",
    "received_events received_events",
)
_REPOSITORY_LINKS = (
    "archive {archive_format}{/ref}",
    "assignees assignees{/user}",
    "blobs git/blobs{/sha}",
    "branches branches{/branch}",
    "collaborators collaborators{/collaborator}",
    "comments comments{/number}",
    "commits commits{/sha}",
    "compare compare/{base}...{head}",
    "contents contents/{+path}",
    "contributors contributors",
    "deployments deployments",
    "downloads downloads",
    "events events",
    "forks forks",
    "git_commits git/commits{/sha}",
    "git_refs git/refs{/sha}",
    "git_tags git/tags{/sha}",
    "issue_comment issues/comments{/number}",
    "issue_events issues/events{/number}",
    "issues issues{/number}",
    "keys keys{/key_id}",
    "labels labels{/name}",
    "languages languages",
    "merges merges",
    "milestones milestones{/number}",
    "notifications notifications{?since,all,participating}",
    "pulls pulls{/number}",
    "releases releases{/id}",
    "stargazers stargazers",
    "statuses statuses/{sha}",
    "subscribers subscribers",
    "subscription subscription",
    "tags tags",
    "teams teams",
    "trees git/trees{/sha}",
    "hooks hooks",
)


def when(seconds: int) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int) -> str:
    """An opaque id."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def number_of(login: str) -> int:
    """The id of an account; the same at every start."""
    return zlib.crc32(login.encode()) or 1


class Shapes:
    """Shapes whose links point to one server."""

    def __init__(self, url: str, api: str) -> None:
        """`url` of the web pages and git, `api` of the REST API."""
        self.url, self.api = url, api

    def user(self, login: str) -> JSON:
        """A simple user; `name[bot]` is a bot."""
        place = f"{self.api}/users/{quote(login)}"
        links = dict(row.split(" ", 1) for row in _USER_LINKS)
        return {
            "login": login,
            "id": number_of(login),
            "node_id": node_id("User", number_of(login)),
            "avatar_url": f"{self.url}/avatars/{number_of(login)}",
            "gravatar_id": "",
            "url": place,
            "html_url": f"{self.url}/{quote(login)}",
            **{f"{name}_url": f"{place}/{rest}" for name, rest in links.items()},
            "type": "Bot" if login.endswith("[bot]") else "User",
            "user_view_type": "public",
            "site_admin": False,
        }

    def full_user(self, login: str) -> JSON:
        """A public user, as `GET /user` shows it."""
        empty = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
        counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        times = dict.fromkeys(("created_at", "updated_at"), when(0))
        return self.user(login) | empty | {"twitter_username": None} | counts | times

    def collaborator(self, person: Person, public: bool) -> JSON:
        """What somebody may do in a repository."""
        right = person.permission if person.permission != "none" or not public else "read"
        rights = {"pull": right != "none", "triage": False, "push": right in {"write", "admin"}}
        rights |= {"maintain": right == "admin", "admin": right == "admin"}
        user = self.user(person.login) | {"permissions": rights, "role_name": right}
        return {"permission": right, "role_name": right, "user": user}

    def repository(self, repository: Repository, default_branch: str, person: Person | None, empty: bool) -> JSON:
        """A repository, as it stands in pull requests."""
        place = f"{self.api}/repos/{repository.full_name}"
        page = f"{self.url}/{repository.full_name}"
        links = dict(row.split(" ", 1) for row in _REPOSITORY_LINKS)
        right = person.permission if person else "none"
        opened = sum(issue.state == "open" for issue in repository.issues.values())
        zero = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count")
        off = ("fork", "has_pages", "has_projects", "has_wiki", "has_discussions", "has_downloads", "disabled")
        return {
            "id": repository.id,
            "node_id": node_id("Repository", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "owner": self.user(repository.owner),
            "private": repository.private,
            "html_url": page,
            "description": None,
            "url": place,
            **{f"{name}_url": f"{place}/{rest}" for name, rest in links.items()},
            "git_url": f"{page}.git",
            "ssh_url": f"{page}.git",
            "clone_url": f"{page}.git",
            "svn_url": page,
            "mirror_url": None,
            "homepage": None,
            "language": None,
            "license": None,
            **dict.fromkeys(zero, 0),
            **dict.fromkeys(off, False),
            "has_issues": True,
            "size": 0 if empty else 1,
            "default_branch": default_branch,
            "open_issues": opened,
            "open_issues_count": opened,
            "is_template": False,
            "topics": list(repository.topics),
            "archived": repository.archived,
            "visibility": "private" if repository.private else "public",
            "pushed_at": when(repository.pushed),
            "created_at": when(repository.created),
            "updated_at": when(repository.pushed),
            "permissions": {
                "admin": right == "admin",
                "maintain": right == "admin",
                "push": right in {"write", "admin"},
                "triage": right in {"write", "admin"},
                "pull": True,
            },
        }

    def full_repository(self, repository: Repository, default_branch: str, person: Person | None, empty: bool) -> JSON:
        """A repository, as its own route shows it."""
        merging = ("allow_squash_merge", "allow_merge_commit", "allow_rebase_merge")
        return self.repository(repository, default_branch, person, empty) | {
            **dict.fromkeys(merging, True),
            "delete_branch_on_merge": False,
            "allow_auto_merge": False,
            "allow_forking": True,
            "web_commit_signoff_required": False,
            "subscribers_count": 0,
            "network_count": 0,
        }

    def ref(self, full_name: str, name: str, sha: str, kind: str) -> JSON:
        """A ref by its full name."""
        place = f"{self.api}/repos/{full_name}/git"
        target = {"sha": sha, "type": kind, "url": f"{place}/{kind}s/{sha}"}
        return {"ref": name, "node_id": node_id("Ref", 1), "url": f"{place}/{quote(name)}", "object": target}

    def commit(self, full_name: str, facts: CommitFacts) -> JSON:
        """A commit. Whose account it is, nobody knows here."""
        place = f"{self.api}/repos/{full_name}"
        people = {
            role: {"name": who[0], "email": who[1], "date": when(who[2])}
            for role, who in (("author", facts.author), ("committer", facts.committer))
        }
        unsigned = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
        return {
            "sha": facts.sha,
            "node_id": node_id("Commit", int(facts.sha[:8], 16)),
            "url": f"{place}/commits/{facts.sha}",
            "html_url": f"{self.url}/{full_name}/commit/{facts.sha}",
            "comments_url": f"{place}/commits/{facts.sha}/comments",
            "commit": people
            | {
                "message": facts.message,
                "tree": {"sha": facts.tree, "url": f"{place}/git/trees/{facts.tree}"},
                "url": f"{place}/git/commits/{facts.sha}",
                "comment_count": 0,
                "verification": unsigned,
            },
            "author": None,
            "committer": None,
            "parents": [
                {
                    "sha": parent,
                    "url": f"{place}/commits/{parent}",
                    "html_url": f"{self.url}/{full_name}/commit/{parent}",
                }
                for parent in facts.parents
            ],
        }

    def branch(self, full_name: str, name: str, facts: CommitFacts) -> JSON:
        """A branch with its commit; none is protected."""
        place = f"{self.api}/repos/{full_name}/branches/{quote(name)}"
        return {
            "name": name,
            "commit": self.commit(full_name, facts),
            "_links": {"self": place, "html": f"{self.url}/{full_name}/tree/{quote(name)}"},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": f"{place}/protection",
        }
