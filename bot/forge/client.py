"""PyGithub's client, set up our way: without its retries, pacing and logging. The only importer of the library."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from bot import __version__

if TYPE_CHECKING:
    from github import Github

API_VERSION = "2022-11-28"
_TIMEOUT = 30


class AppKey(msgspec.Struct, frozen=True, kw_only=True):
    """An App of GitHub: who it is, and the private key that proves it."""

    id: str
    key: str
    """PEM."""

    def __repr__(self) -> str:
        # A key must not reach a log by way of a traceback or an assertion.
        return f"AppKey(id={self.id!r})"


def client(api: str, token: str | None, *, signed: bool = False) -> Github:
    """A client of the API at `api`, by a token or as nobody. `signed`: the token is what an App signed itself."""
    from github import Auth, Github

    # Importing it adds a handler, and at DEBUG it logs whole answers, fresh tokens among them.
    logger = logging.getLogger("github")
    logger.handlers.clear()
    logger.setLevel(logging.WARNING)
    made = Auth.AppAuthToken if signed else Auth.Token
    return Github(
        auth=made(token) if token else None,
        base_url=api,
        timeout=_TIMEOUT,
        user_agent=f"fleet-bot/{__version__}",
        per_page=100,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
        api_version=API_VERSION,
    )
