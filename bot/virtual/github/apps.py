"""GitHub Apps: who they are, and what a token of theirs may do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import msgspec

from bot.virtual.github.errors import not_accessible
from bot.virtual.github.records import Person
from bot.virtual.github.routing import Route

LIFETIME = 3600
"""Seconds that a token of an installation is good for."""
_LONGEST = 600
"""Seconds that what an App signs may be good for."""
_SCOPES = (
    ("/check-runs", "checks"),
    ("/statuses", "statuses"),
    ("/status", "statuses"),
    ("/pulls", "pull_requests"),
    ("/issues", "issues"),
    ("/labels", "issues"),
    ("/git/", "contents"),
    ("/branches", "contents"),
    ("/collaborators", "metadata"),
    ("/actions/", "actions"),
)
"""Part of a route -> the permission that it asks for; the first that fits counts."""


class App(msgspec.Struct, frozen=True, kw_only=True):
    """A GitHub App with one installation."""

    id: str
    slug: str
    public_key: str
    """PEM."""
    installation: int
    repositories: tuple[str, ...]
    """Full names of those that it is installed on."""
    permissions: dict[str, str]
    """What it was given, `read` or `write` by permission."""


@dataclass
class Apps:
    """All Apps of this GitHub."""

    known: dict[str, App] = field(default_factory=dict)
    """By id."""

    def signed(self, token: str, now: int) -> App | None:
        """The App that signed this token, which has to be good now and not for long; None for any other token."""
        if token.count(".") != 2:
            return None
        import jwt

        try:
            app = self.known.get(str(jwt.decode(token, options={"verify_signature": False}).get("iss")))
            if app is None:
                return None
            # The clock is the virtual one, so its times are looked at here.
            found = jwt.decode(
                token,
                app.public_key,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "require": ["iat", "exp", "iss"]},
            )
        except jwt.PyJWTError:
            return None
        fits = found["iat"] <= now < found["exp"] <= now + _LONGEST
        return app if fits else None

    def issue(self, app: App, full_name: str, wanted: dict[str, str], now: int) -> tuple[str, Person]:
        """A fresh token for one repository. Raises `KeyError` with a permission that the App was not given."""
        for name, level in wanted.items():
            given = app.permissions.get(name, "read" if name == "metadata" else "")
            if given != level and (given, level) != ("write", "read"):
                raise KeyError(name)
        person = Person(login=f"{app.slug}[bot]", app=True, only=full_name, rights=dict(wanted), until=now + LIFETIME)
        return f"ghs_{secrets.token_hex(18)}", person


def narrow(person: Person | None, route: Route) -> None:
    """Refuse what an installation's token was not made for."""
    if person is None or person.rights is None or route.needs == "nothing":
        return
    scope = next((scope for part, scope in _SCOPES if part in route.template), "metadata")
    names = (scope, "pull_requests") if scope == "issues" else (scope,)
    level = "write" if route.method != "GET" else "read"
    if not any(may(person, name, level) for name in names):
        raise not_accessible()


def may(person: Person, permission: str, level: str) -> bool:
    """Whether a token has a permission; writing has reading in it."""
    given = (person.rights or {}).get(permission, "read" if permission == "metadata" else "")
    return given == level or (given, level) == ("write", "read")
