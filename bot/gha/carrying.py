"""Private repositories, fetched by the plan job as git bundles, so that a job with a model has no token for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.base.canonical import sha256
from bot.base.errors import ForgeError
from bot.base.git import GitDir
from bot.base.values import Report, Task
from bot.gha.event import Event
from bot.gha.plan_file import Carried
from bot.ports import ForgeRead, PullRequest, Remote, RepositoryFacts


def facts_of(tasks: tuple[Task, ...], forge: Callable[[str], ForgeRead]) -> dict[str, RepositoryFacts]:
    """What the forge says of each repository on a forge; one that cannot be read is left to its own task to tell."""
    found: dict[str, RepositoryFacts] = {}
    for task in tasks:
        repo = task.plugin.repo
        if repo not in found and not task.plugin.is_path:
            try:
                found[repo] = forge(repo).facts(repo)
            except ForgeError:
                continue
    return found


def exposed(
    tasks: tuple[Task, ...],
    facts: dict[str, RepositoryFacts],
    event: Event,
    allowed: tuple[str, ...],
    ask: Callable[[str], RepositoryFacts],
) -> dict[str, str]:
    """Private plugins whose trace would be an artifact that everybody can read: name → why it is left out.

    `ask` tells of the workflow's own repository where the event does not, as that of a schedule.
    """
    private = {
        task.plugin.name
        for task in tasks
        if task.plugin.name not in allowed and task.plugin.repo in facts and facts[task.plugin.repo].private
    }
    if not private or not _public(event, ask):
        return {}
    why = f"it is private and {event.repository}, where its trace would lie, is public; see the input private-plugins"
    return dict.fromkeys(sorted(private), why)


def _public(event: Event, ask: Callable[[str], RepositoryFacts]) -> bool:
    """Whether everybody can read the workflow's repository; what cannot be known counts as public."""
    if event.private is not None or not event.repository:
        return event.private is False
    try:
        return not ask(event.repository).private
    except ForgeError:
        return True


def carry(repo: str, facts: RepositoryFacts, remote: Remote, folder: Path, scratch: Path) -> Carried:
    """Fetch a repository whole into a bundle in `folder`. Raises `GitError`."""
    git = GitDir.init(scratch / "git")
    git.fetch(remote.url, ["+refs/heads/*:refs/heads/*"], token=remote.token)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{sha256(repo)[:16]}.bundle"
    git.run("bundle", "create", "--quiet", str((folder / name).absolute()), "--branches", "--tags")
    return Carried(facts=facts, bundle=name)


class CarriedRepositories:
    """Read access to what was carried, and to everything else as before. Implements `ForgeRead`."""

    def __init__(self, carried: dict[str, Carried], folder: Path, others: ForgeRead) -> None:
        """`folder` holds the bundles."""
        self._carried, self._folder, self._others = carried, folder.absolute(), others

    def remote(self, repo: str) -> Remote:
        """The bundle, or where it is fetched from."""
        if repo in self._carried:
            return Remote(url=str(self._folder / self._carried[repo].bundle))
        return self._others.remote(repo)

    def facts(self, repo: str) -> RepositoryFacts:
        """As they were when the plan was made."""
        return self._carried[repo].facts if repo in self._carried else self._others.facts(repo)

    def find_pulls(self, repo: str, branch: str) -> tuple[PullRequest, ...]:
        """None for what was carried: who runs it has no token to ask with, and publishing asks again."""
        return () if repo in self._carried else self._others.find_pulls(repo, branch)

    def issue(self, repo: str, number: int) -> Report:
        """An issue; never asked for here, since reports are in the plan."""
        return self._others.issue(repo, number)
