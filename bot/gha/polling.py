"""Issues of plugins whose label asks for a fix, found by looking: events of another repository start nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from bot.base.errors import ForgeError, RefusedError
from bot.base.values import Report
from bot.fleet.error_reports import commit_in, versions_in
from bot.fleet.manifest import Manifest
from bot.forge.desk import Wanted
from bot.gha.actor import Reception, admit
from bot.gha.event import Event, Person
from bot.gha.plan_file import Asked, Request
from bot.gha.requests import FIX, plugins_of
from bot.ports import Comment


class Counter(Reception, Protocol):
    """What has to be known of a plugin's issues."""

    def labelled(self, repo: str, label: str) -> tuple[Wanted, ...]:
        """The open issues with a label."""
        ...

    def reworded(self, issue: Wanted) -> bool:
        """Whether its words were changed since it got its label."""
        ...

    def comments(self, repo: str, number: int) -> tuple[Comment, ...]:
        """What was said under one."""
        ...

    def seen(self, repo: str, number: int) -> None:
        """Show that it was seen."""
        ...


def mark(event: int) -> str:
    """The line of an answer that says which setting of the label it answers."""
    return f"<!-- fleet-bot:asked {event} -->"


def waiting(
    manifest: Manifest,
    desk: Callable[[str], Counter],
    *,
    label: str,
    playbook: str,
    allowed_bots: tuple[str, ...],
    told: Callable[[str], None],
) -> Iterator[tuple[Request, Asked]]:
    """The fixes that labels on the plugins' own issues ask for and nobody has answered yet.

    Who set the label is looked up before anything else. What cannot be read, or may not ask, is `told` and left out.
    """
    repos = dict.fromkeys(plugin.repo for plugin in manifest.plugins if not plugin.is_path and not plugin.archived)
    for repo in repos:
        try:
            counter = desk(repo)
            for issue in counter.labelled(repo, label):
                if (found := _one(issue, manifest, counter, playbook or FIX, allowed_bots, told)) is not None:
                    yield found
        except ForgeError as error:
            told(f"{repo}: {error}")


def _one(
    issue: Wanted,
    manifest: Manifest,
    counter: Counter,
    playbook: str,
    allowed_bots: tuple[str, ...],
    told: Callable[[str], None],
) -> tuple[Request, Asked] | None:
    me = counter.login()
    answers = (said for said in counter.comments(issue.repo, issue.number) if said.author == me)
    if any(mark(issue.event) in said.body for said in answers):
        return None
    event = Event(name="issues", action="labeled", repository=issue.repo, sender=Person(issue.login, issue.bot))
    try:
        admit(event, counter, allowed_bots)
    except RefusedError as error:
        told(f"{issue.repo}#{issue.number}: {error}")
        return None
    # Whoever set the label read other words than those that an agent would get now.
    if counter.reworded(issue):
        told(f"{issue.repo}#{issue.number}: its text was changed after the label was set; set the label anew.")
        return None
    here = plugins_of(manifest, issue.repo)
    if len(here) != 1:
        told(f"{issue.repo}#{issue.number}: several plugins live there; ask in the control repository.")
        return None
    try:
        counter.seen(issue.repo, issue.number)
    except ForgeError:
        told(f"{issue.repo}#{issue.number}: seen, and the token may not show it.")
    report = Report(
        text=issue.body.strip() or issue.title,
        title=issue.title,
        ticket=f"issue-{issue.number}",
        issue=f"{issue.repo}#{issue.number}",
        url=issue.url,
        commit=commit_in(issue.body),
        version=next(iter(versions_in(issue.body)), None),
        source="issue",
    )
    asked = Asked(repo=issue.repo, number=issue.number, event=issue.event)
    return Request(playbook=playbook, plugins=(here[0].name,), report=report), asked
