"""Tokens of a GitHub App: for one repository, with the least permissions, renewed before they end.

By REST, since PyGithub's own installation tokens can be narrowed neither to a repository nor to permissions.
Source: https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from bot.base.clock import Clock
from bot.base.errors import ConfigurationError, ForgeError
from bot.forge.address import check_server, full_name
from bot.forge.asking import Asking
from bot.forge.client import AppKey, client

READING: Mapping[str, str] = {"contents": "read", "issues": "read", "metadata": "read", "pull_requests": "read"}
WRITING: Mapping[str, str] = {
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
WRITING_WORKFLOWS: Mapping[str, str] = {**WRITING, "workflows": "write"}
"""GitHub takes no file below `.github/workflows` from an App without it."""
TALKING: Mapping[str, str] = {"issues": "write", "metadata": "read"}
"""For a reaction or an answer under an issue."""
_EARLY = 300.0
"""Seconds before its end that a token is renewed: a push under way has to finish."""


class _Issued(msgspec.Struct, frozen=True):
    token: str
    until: float


class AppTokens:
    """Asks for tokens as an App. Safe to share between threads; nothing is written down."""

    def __init__(self, app: AppKey, *, api_url: str, server_url: str, clock: Clock) -> None:
        """`api_url` and `server_url` as `GITHUB_API_URL` and `GITHUB_SERVER_URL`. No request is sent yet."""
        self._app, self._clock = app, clock
        self._api = check_server(api_url, "GITHUB_API_URL")
        self._server = check_server(server_url, "GITHUB_SERVER_URL")
        self._asking = Asking(clock=clock, pace=0.0, server=self._server, anonymous=False)
        self._issued: dict[tuple[str, str], _Issued] = {}
        self._lock = threading.Lock()

    def token(self, repo: str, permissions: Mapping[str, str]) -> str:
        """A token for this repository alone, that may do this and no more.

        Raises `ConfigurationError` when the App or its key is refused, `ForgeError` when it is not installed there or
        has not been given the permissions.
        """
        name = full_name(repo, self._server)
        key = (name.casefold(), ",".join(f"{what}={how}" for what, how in sorted(permissions.items())))
        with self._lock:
            known = self._issued.get(key)
            if known is None or known.until - _EARLY <= self._clock.now():
                known = self._issued[key] = self._ask(name, permissions)
            return known.token

    def _ask(self, name: str, permissions: Mapping[str, str]) -> _Issued:
        installation = self._send("GET", f"/repos/{name}/installation", f"find the App's installation on {name}", None)
        body = {"repositories": [name.partition("/")[2]], "permissions": dict(permissions)}
        place = f"/app/installations/{int(installation['id'])}/access_tokens"
        found = self._send("POST", place, f"get a token for {name}", body)
        return _Issued(str(found["token"]), datetime.fromisoformat(str(found["expires_at"])).timestamp())

    def _send(self, method: str, place: str, what: str, body: dict[str, Any] | None) -> dict[str, Any]:
        signed = self._signed()

        def call() -> dict[str, Any]:
            # A new client each time: what it signs with is good for a few minutes only, and this is asked once an hour.
            github = client(self._api, signed, signed=True)
            try:
                _, data = github.requester.requestJsonAndCheck(method, f"{self._api}{place}", input=body)
            finally:
                github.close()
            return data if isinstance(data, dict) else {}

        try:
            return self._asking.read(what, call)
        except ConfigurationError as error:
            msg = "GitHub refused the App's id or its private key."
            raise ConfigurationError(msg, "Compare FLEET_BOT_APP_ID and FLEET_BOT_APP_PRIVATE_KEY with it.") from error
        except ForgeError as error:
            if error.status == 404:
                msg = f"The App is not installed on {place.removeprefix('/repos/').removesuffix('/installation')}."
                raise ForgeError(msg, "Install it there: the App's settings → Install App.", 404) from error
            if error.status == 422:
                wanted = ", ".join(f"{name}: {level}" for name, level in (body or {}).get("permissions", {}).items())
                cure = f"Give the App these permissions, and accept them in its installation: {wanted}."
                raise ForgeError(error.what, cure, 422) from error
            raise

    def _signed(self) -> str:
        """What proves for a few minutes that we are the App. Its clock may be a minute behind GitHub's."""
        import jwt

        now = int(self._clock.now())
        claims = {"iat": now - 60, "exp": now + 480, "iss": self._app.id}
        try:
            return jwt.encode(claims, self._app.key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError) as error:
            msg = "The App's private key cannot be read."
            raise ConfigurationError(msg, "Put the whole .pem file into FLEET_BOT_APP_PRIVATE_KEY.") from error
