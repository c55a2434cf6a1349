"""The trace comment: one for each pull request, and the sign that a pull request has all that it was to get."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bot.base.redact import Redactor
from bot.ports import Comment, ForgeWrite, PullRequest, TraceSink
from bot.task.proposal import Proposal
from bot.task.store import TRACE
from bot.trace.comment import render_comment
from bot.trace.events import CommentWritten

_MARK = "<!-- fleet-bot:trace"
_UNFINISHED = "<!-- fleet-bot:unfinished: labels or reviewers are missing -->"
_PLACE = "**Full trace**: "
"""How the line begins that says where the trace lies: elsewhere on every machine that publishes the same proposal."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where people find the full trace of a proposal."""

    trace: str
    """The address of what holds it, or a path."""
    page: str | None = None
    """The address of the trace as a page that a browser opens, where there is one."""


def place_of(folder: Path, url: str | None) -> Place:
    """Where people find the trace of a proposal: at `url`, or else in its folder on this machine."""
    if url:
        return Place(trace=url)
    place, home = folder.absolute() / TRACE, Path.home()
    # A pull request may be public, and a home folder is called like its owner.
    return Place(trace=f"$HOME/{place.relative_to(home)}" if place.is_relative_to(home) else str(place))


def text_of(
    proposal: Proposal, trace: Path, redactor: Redactor, *, place: Place | None, certified: str = "", kept: str = ""
) -> str:
    """What the comment says. Raises `WorldError` when the trace cannot be read."""
    link, page = (place.trace, place.page) if place else (None, None)
    text = render_comment(trace, msgspec.to_builtins(proposal), link=link, page=page, certified=certified, kept=kept)
    return redactor.text(text) if redactor.found(text) else text


def find(proposal: Proposal, forge: ForgeWrite, pull: PullRequest) -> Comment | None:
    """Our trace comment on a pull request, if it is there."""
    me = forge.login()
    written = forge.comments(proposal.repo, pull.number)
    return next((comment for comment in written if comment.author == me and _MARK in comment.body), None)


def finished(found: Comment | None) -> bool:
    """Whether labels and reviewers were seen to, once: whoever took one away since then meant it."""
    return found is not None and _UNFINISHED not in found.body


def bring(
    proposal: Proposal, forge: ForgeWrite, journal: TraceSink, pull: PullRequest, found: Comment | None, text: str
) -> None:
    """Write the comment, or bring the one that was `found` up to date."""
    if found is None:
        action, written = "created", forge.create_comment(proposal.repo, pull.number, text)
    elif _lines(found.body) == _lines(text):
        action, written = "unchanged", found
    else:
        action, written = "updated", forge.update_comment(proposal.repo, found.id, text)
    journal.append(CommentWritten(id=written.id, url=written.url, action=action))  # type: ignore[arg-type]


def unfinished(text: str) -> str:
    """The text with a sign for the next run that labels or reviewers are missing."""
    return f"{text}\n{_UNFINISHED}\n"


def _lines(text: str) -> list[str]:
    # Forges store line endings and trailing white space as they like.
    return [line.rstrip() for line in text.strip().splitlines() if not line.startswith(_PLACE)]
