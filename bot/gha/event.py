"""What started the workflow, read once from the runner's event file. Titles, bodies and errors in it are hostile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bot.base.canonical import sha256
from bot.base.errors import ConfigurationError, RefusedError
from bot.gha.inputs import Command

KNOWN = ("workflow_dispatch", "schedule", "issues", "repository_dispatch", "push", "pull_request")
"""Events that a run may come from; a reusable workflow sees the event of its caller."""
_LARGEST = 16 << 20
_LOOKING: tuple[Command, ...] = ("plan",)


class Person(msgspec.Struct, frozen=True):
    """Who did something, as GitHub says: an account's type is not a matter of its name."""

    login: str
    bot: bool


class LabelledIssue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue as it was when it got its label."""

    number: int
    title: str
    body: str
    label: str
    url: str
    is_pull: bool
    author: str

    @property
    def digest(self) -> str:
        """Tells whether title or body were edited since."""
        return text_digest(self.title, self.body)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The event of a workflow run."""

    name: str = ""
    """Empty outside of Actions."""
    action: str = ""
    repository: str = ""
    """`owner/name` of the repository that the workflow runs in."""
    private: bool | None = None
    """Whether only some people can read that repository, and so its artifacts; None: the event does not say."""
    sender: Person | None = None
    cron: str = ""
    """Which line of `on.schedule` it was."""
    issue: LabelledIssue | None = None
    payload: dict[str, Any] = {}
    """`client_payload` of a `repository_dispatch`."""
    run: int = 0
    """The number of the workflow run; 0 outside of Actions."""
    run_url: str = ""
    """Its page."""
    from_fork: bool = False


def read_event(environ: Mapping[str, str]) -> Event:
    """The event. Raises `ConfigurationError` when its file cannot be read."""
    name, repository = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_REPOSITORY", "")
    data = _document(environ.get("GITHUB_EVENT_PATH", ""))
    server, run = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_RUN_ID", "")
    pull = _map(data, "pull_request")
    head = _text(_map(_map(pull, "head"), "repo"), "full_name")
    sender = _map(data, "sender")
    private = _map(data, "repository").get("private")
    return Event(
        name=name,
        action=_text(data, "action"),
        repository=repository,
        private=private if isinstance(private, bool) else None,
        sender=Person(_text(sender, "login"), _text(sender, "type") != "User") if sender else None,
        cron=_text(data, "schedule"),
        issue=_issue(data) if name == "issues" else None,
        payload=_map(data, "client_payload"),
        run=int(run) if re.fullmatch("[0-9]{1,18}", run) else 0,
        run_url=f"{server}/{repository}/actions/runs/{run}" if server and repository and run else "",
        from_fork=bool(pull) and head.casefold() != repository.casefold(),
    )


def refuse_event(event: Event, command: Command) -> None:
    """Refuse what must not start a run with secrets at hand. Raises `RefusedError`."""
    if event.name == "pull_request_target":
        msg = "A run does not start from `pull_request_target`: it would hand secrets to strangers' code."
        raise RefusedError(msg, "Start it by workflow_dispatch, schedule, a label or repository_dispatch.")
    if event.from_fork:
        raise RefusedError("A run does not start from a fork's pull request.", "Push the branch to this repository.")
    if event.name and event.name not in KNOWN:
        msg = f"A run does not start from the event `{event.name}`."
        raise RefusedError(msg, f"It starts from {', '.join(KNOWN)}.")
    if event.name == "pull_request" and command not in _LOOKING:
        # Its manifest and playbooks are a proposal themselves until they are merged.
        msg = f"`{command}` does not run for a pull request."
        raise RefusedError(msg, "Use `command: plan` there; the rest runs from the default branch.")


def text_digest(title: str, body: str) -> str:
    """A hash of what an issue says; line endings do not count."""
    return sha256(f"{title}\n{body}".replace("\r\n", "\n"))


def _issue(data: dict[str, Any]) -> LabelledIssue | None:
    found = _map(data, "issue")
    number = found.get("number")
    if not isinstance(number, int):
        return None
    return LabelledIssue(
        number=number,
        title=_text(found, "title"),
        body=_text(found, "body"),
        label=_text(_map(data, "label"), "name"),
        url=_text(found, "html_url"),
        is_pull="pull_request" in found and found["pull_request"] is not None,
        author=_text(_map(found, "user"), "login"),
    )


def _document(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        data = Path(path).read_bytes()
        found = msgspec.json.decode(data) if 0 < len(data) <= _LARGEST else {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("The event's file cannot be read.", "GITHUB_EVENT_PATH names it.") from error
    return found if isinstance(found, dict) else {}


def _map(holder: dict[str, Any], key: str) -> dict[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _text(holder: dict[str, Any], key: str) -> str:
    found = holder.get(key)
    return re.sub("[\ud800-\udfff]", "\ufffd", found) if isinstance(found, str) else ""
