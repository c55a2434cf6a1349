"""Whether whoever caused the event may start a run. Asked before anything is cloned."""

from __future__ import annotations

from typing import Protocol

from bot.base.errors import RefusedError
from bot.gha.event import Event
from bot.ports import Access

_MAY_WRITE = frozenset({"write", "admin"})
_ANYBODY = frozenset({"", "schedule", "workflow_dispatch", "push", "pull_request"})
"""Events that GitHub itself lets only people with write access cause, or nobody."""


class Reception(Protocol):
    """What has to be known of people."""

    def login(self) -> str:
        """Who we are."""
        ...

    def access(self, repo: str, login: str) -> Access:
        """What an account may do in a repository."""
        ...


def may_write(access: Access) -> bool:
    """Whether an account may change the repository."""
    return access.permission in _MAY_WRITE


def admit(event: Event, reception: Reception, allowed_bots: tuple[str, ...]) -> None:
    """Let the event through, or raise `RefusedError`.

    People need write access to the repository of the event, looked up now and not believed from the event. Bots need
    to be on the list; whether an account is a bot is what GitHub says of it, not what its name looks like. What we did
    ourselves never starts a run.
    """
    if event.name in _ANYBODY:
        return
    sender = event.sender
    if sender is None or not sender.login:
        raise RefusedError("The event does not say who caused it.", "Start the run by hand.")
    me = reception.login()
    if sender.login.casefold() == me.casefold():
        msg = f"The event was caused by {me}, which is this bot itself."
        raise RefusedError(msg, "Somebody else has to ask for the run.")
    if sender.bot:
        if sender.login.casefold() not in {name.casefold() for name in allowed_bots}:
            msg = f"{sender.login} is a bot that may not start a run."
            raise RefusedError(msg, "Name it in the input `allowed-bots` if it should.")
        return
    access = reception.access(event.repository, sender.login)
    if access.bot:
        raise RefusedError(f"{sender.login} is no person.", "Name it in the input `allowed-bots` if it should.")
    if not may_write(access):
        msg = f"{sender.login} has the permission {access.role or 'none'} in {event.repository}; write is needed."
        raise RefusedError(msg, "Ask somebody with write access to set the label again.")
