"""Issues of plugins whose label asks for a fix, found by looking: events of another repository start nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from bot.base.errors import ForgeError, RefusedError
from bot.base.values import Report
from bot.fleet.error_reports import commit_in, versions_in
from bot.fleet.manifest import Manifest
from bot.forge.desk import Wanted
from bot.gha.actor import Reception, admit, may_write
from bot.gha.event import Event, Person
from bot.gha.plan_file import Asked, Request
from bot.gha.requests import FIX, plugins_of
from bot.ports import Comment
from bot.trace.inert import inert


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


class Voice(Protocol):
    """What is said under a plugin's issue, by a token that may."""

    def seen(self, repo: str, number: int) -> None:
        """Show that it was seen."""
        ...

    def answer(self, repo: str, number: int, mark: str, body: str) -> None:
        """Write one comment that starts with `mark`, or replace it."""
        ...


_WORKFLOW = "github-actions[bot]"
"""Who answers when it is a plugin's own workflow. GitHub says of no bot what it may do; no person is called so."""
_REFUSED = "<!-- fleet-bot:refused -->"
"""The line that the comment begins with which says why a label starts nothing; the answer of a run has another one."""


def mark(event: int) -> str:
    """The line of an answer that says which setting of the label it answers."""
    return f"<!-- fleet-bot:asked {event} -->"


def waiting(
    manifest: Manifest,
    desk: Callable[[str], Counter],
    voice: Callable[[str], Voice],
    *,
    label: str,
    playbook: str,
    allowed_bots: tuple[str, ...],
    told: Callable[[str], None],
) -> Iterator[tuple[Request, Asked]]:
    """The fixes that labels on the plugins' own issues ask for and nobody has answered yet.

    Who set the label is looked up before anything else. What cannot be read, or may not ask, is `told` and left out.
    Why a label starts nothing is said under the issue too, once for each setting of it, if the token of `voice` may.
    """
    repos = dict.fromkeys(plugin.repo for plugin in manifest.plugins if not plugin.is_path and not plugin.archived)
    for repo in repos:
        try:
            counter = desk(repo)
            for issue in counter.labelled(repo, label):
                if _answered(issue, counter):
                    continue
                refused = _refusal(issue, manifest, counter, allowed_bots)
                _say(issue, refused, voice, told)
                if refused is None:
                    yield _request(issue, manifest, playbook or FIX)
                else:
                    told(f"{repo}#{issue.number}: {refused}")
        except ForgeError as error:
            told(f"{repo}: {error}")


def _answered(issue: Wanted, counter: Counter) -> bool:
    written = counter.comments(issue.repo, issue.number)
    authors = {said.author for said in written if mark(issue.event) in said.body}
    # Of two tokens each may be another account's. A stranger's word that this was answered is none.
    ours = {counter.login(), _WORKFLOW}
    return bool(authors & ours) or any(may_write(counter.access(issue.repo, who)) for who in sorted(authors))


def _refusal(issue: Wanted, manifest: Manifest, counter: Counter, allowed_bots: tuple[str, ...]) -> str | None:
    """Why this setting of the label starts nothing, or None."""
    event = Event(name="issues", action="labeled", repository=issue.repo, sender=Person(issue.login, issue.bot))
    try:
        admit(event, counter, allowed_bots)
    except RefusedError as error:
        return str(error)
    # Whoever set the label read other words than those that an agent would get now.
    if counter.reworded(issue):
        return "Its text was changed after the label was set; set the label anew."
    if len(plugins_of(manifest, issue.repo)) != 1:
        return "Several plugins live here; ask in the control repository."
    return None


def _say(issue: Wanted, refused: str | None, voice: Callable[[str], Voice], told: Callable[[str], None]) -> None:
    """Show under an issue that it was seen, or why it is `refused`."""
    try:
        speaker = voice(issue.repo)
        if refused is None:
            speaker.seen(issue.repo, issue.number)
        else:
            said = f"{mark(issue.event)}\nThe label starts no run. {inert(refused)}"
            speaker.answer(issue.repo, issue.number, _REFUSED, said)
    except ForgeError as error:
        told(f"{issue.repo}#{issue.number}: the token may say nothing there: {error}")


def _request(issue: Wanted, manifest: Manifest, playbook: str) -> tuple[Request, Asked]:
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
    [plugin] = plugins_of(manifest, issue.repo)
    asked = Asked(repo=issue.repo, number=issue.number, event=issue.event)
    return Request(playbook=playbook, plugins=(plugin.name,), report=report), asked
