"""Names of branches: which ones git takes, and which ones are ours."""

from __future__ import annotations

import re

from bot.base.canonical import sha256
from bot.base.values import Report

BRANCH = (
    r"^(?!refs/)(?![-/.])(?!@$)(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|$)))"
    r"[^\x00-\x20\x7f~^:?*\[\\]{1,200}(?<![/.])$"
)
"""Names that git takes as they are (git-check-ref-format), and that no command line reads as an option."""
_TICKET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,58}[A-Za-z0-9])?")
_HASH = 8


def is_branch(name: str) -> bool:
    """Whether git takes the name."""
    return re.search(BRANCH[:-1] + r"\Z", name) is not None


def campaign_branch(campaign: str, plugin: str | None = None) -> str:
    """The branch of a campaign; with the plugin's name where several plugins live in one repository."""
    return _ours(f"fleet-bot/{campaign}" + (f"-{plugin}" if plugin else ""))


def fix_branch(report: Report, plugin: str | None = None) -> str:
    """`fix/TICKET-123`, `fix/issue-7`, and without a ticket `fix/bug-<hash>`."""
    return _ours(f"fix/{ticket_of(report)}" + (f"-{plugin}" if plugin else ""))


def ticket_of(report: Report) -> str:
    """How the report is called in branches and titles. Whatever a stranger wrote, it is a harmless word."""
    ticket = report.ticket or ""
    if _TICKET.fullmatch(ticket) and is_branch(ticket):
        return ticket
    return f"bug-{sha256(report.text)[:_HASH]}"


def _ours(name: str) -> str:
    if not is_branch(name):
        raise AssertionError(name)
    return name
