"""From inputs and event to the campaigns that are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.base.errors import RefusedError, UsageError
from bot.base.values import Plugin, Report
from bot.fleet import cron, repository
from bot.fleet.bug_report import Fetch, commit_in, find_report
from bot.fleet.error_reports import error_of, versions_in
from bot.fleet.manifest import Manifest
from bot.gha.event import Event, LabelledIssue
from bot.gha.inputs import Inputs
from bot.gha.plan_file import Asked, Request

FIX = "fix_bug"
_PLUGIN_FIELD = re.compile(r"^#{2,4} Plugin[ \t]*\r?\n+[ \t]*([A-Za-z0-9._-]{1,100})[ \t]*\r?$", re.MULTILINE)
"""How an issue form writes the field `Plugin` into the issue."""


def requests_of(
    inputs: Inputs, event: Event, manifest: Manifest, *, began: Callable[[], float], fetch: Fetch
) -> tuple[Request, ...]:
    """The campaigns that inputs and event ask for; none when nothing is due.

    `began` says when the workflow's run was created, in seconds since the epoch; `fetch` reads an issue that an input
    names. Raises `UsageError` for inputs that do not fit together, `RefusedError` for an issue that is none.
    """
    if event.name == "issues" and event.issue is not None:
        return _labelled(inputs, event, event.issue, manifest)
    if event.name == "repository_dispatch":
        return (_dispatched(inputs, event, manifest),)
    if event.name == "schedule" and not inputs.playbook:
        return due(manifest, event.cron, began())
    if not inputs.playbook:
        raise UsageError("There is no playbook.", "Give the input `playbook`.")
    report = find_report(
        bug=inputs.bug or None,
        issue=inputs.issue or None,
        file=Path(inputs.error_report) if inputs.error_report else None,
        plugins=inputs.plugins,
        manifest=manifest,
        fetch=fetch,
    )
    return (_request(inputs, inputs.playbook, inputs.plugins, report, inputs.select or None),)


def due(manifest: Manifest, tick: str, began: float) -> tuple[Request, ...]:
    """The campaigns of `schedules:` that became due between the tick before and this one.

    `tick` is the line of `on.schedule` that started the workflow. GitHub starts late at times, so what counts is when
    it should have started: an entry with the very same line is due each time, however late. `began` is when the run was
    created, and not now: a run that waits for others would take in the times of the looks behind it.
    """
    if (wrong := cron.trouble(tick)) is not None:
        msg = f"The schedule {tick!r} of the workflow {wrong[0]}."
        raise UsageError(msg, wrong[1])
    this = cron.latest(tick, datetime.fromtimestamp(began, UTC))
    last = cron.latest(tick, this, before=True) if this else None
    if this is None or last is None:
        return ()
    return tuple(
        Request(playbook=entry.playbook, plugins=entry.plugins, select=entry.select, variables=entry.vars)
        for entry in manifest.schedules
        if (at := cron.latest(entry.cron, this)) is not None and at > last
    )


def asked_by(inputs: Inputs, event: Event) -> Asked | None:
    """The issue that the event asks for a fix of, if it asks."""
    if event.issue is None or event.action != "labeled" or event.issue.label.casefold() != inputs.label.casefold():
        return None
    return Asked(repo=event.repository, number=event.issue.number)


def plugins_of(manifest: Manifest, repo: str) -> tuple[Plugin, ...]:
    """The plugins that live in the repository `owner/name`."""
    wanted = repo.casefold()
    return tuple(
        plugin
        for plugin in manifest.plugins
        if not plugin.is_path and ("/" + repository.identity(plugin.repo)).endswith("/" + wanted)
    )


def _labelled(inputs: Inputs, event: Event, issue: LabelledIssue, manifest: Manifest) -> tuple[Request, ...]:
    if asked_by(inputs, event) is None:
        return ()
    if issue.is_pull:
        msg = f"{event.repository}#{issue.number} is a pull request, not an issue."
        raise RefusedError(msg, "Set the label on an issue.")
    report = Report(
        text=issue.body.strip() or issue.title,
        title=issue.title,
        ticket=f"issue-{issue.number}",
        issue=f"{event.repository}#{issue.number}",
        url=issue.url or None,
        commit=commit_in(issue.body),
        version=next(iter(versions_in(issue.body)), None),
        source="issue",
    )
    plugin = _meant(manifest, event.repository, _PLUGIN_FIELD.search(issue.body))
    return (_request(inputs, inputs.playbook or FIX, (plugin,), report),)


def _meant(manifest: Manifest, repo: str, written: re.Match[str] | None) -> str:
    """The plugin that an issue of `repo` is about: the one it names, or the only one that lives there."""
    here = plugins_of(manifest, repo)
    # An issue of a plugin's own repository speaks for that repository only.
    may_name = {plugin.name for plugin in (here or manifest.plugins)}
    if written is not None and written[1] in may_name:
        return written[1]
    if len(here) == 1:
        return here[0].name
    msg = f"It is not clear which plugin the issue is about: {'several live in' if here else 'none lives in'} {repo}."
    raise UsageError(msg, "Write the plugin's name below a heading `### Plugin`.")


def _dispatched(inputs: Inputs, event: Event, manifest: Manifest) -> Request:
    payload = event.payload
    error = payload.get("error", payload.get("text"))
    if not error:
        msg = "The dispatch has no `error` in its `client_payload`."
        raise UsageError(msg, "Send {plugin: …, error: …}; the error as Sentry or DataDog send it, or as text.")
    found = error_of(error)
    named = payload.get("plugin")
    names = [plugin.name for plugin in manifest.plugins]
    here = plugins_of(manifest, event.repository)
    if isinstance(named, str) and named:
        plugin = named
    elif (guess := next((name for name in found.services if name in names), None)) is not None:
        plugin = guess
    elif len(here) == 1:
        plugin = here[0].name
    else:
        msg = "The error does not say which plugin it is from."
        raise UsageError(msg, "Add `plugin` to the `client_payload`, or name the service as the plugin is named.")
    return _request(inputs, inputs.playbook or FIX, (plugin,), found.report)


def _request(
    inputs: Inputs, playbook: str, plugins: tuple[str, ...], report: Report | None, select: str | None = None
) -> Request:
    return Request(
        playbook=playbook,
        plugins=plugins,
        select=select,
        variables=dict(inputs.variables),
        report=report,
        commit=inputs.commit or None,
    )
