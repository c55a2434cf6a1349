"""The REST API: from a request to GitHub's answer, with its rate-limit headers. Unknown is refused, never guessed."""

from __future__ import annotations

import threading
from collections import deque
from urllib.parse import parse_qsl, unquote

import msgspec

from bot.virtual.github import (
    artifacts,
    rest_apps,
    rest_comments,
    rest_issues,
    rest_labels,
    rest_pulls,
    rest_repository,
    runs,
)
from bot.virtual.github.apps import narrow
from bot.virtual.github.errors import DOCS, Refused, requires_authentication
from bot.virtual.github.graphql import answered
from bot.virtual.github.hub import Hub
from bot.virtual.github.records import Person
from bot.virtual.github.routing import Answer, Call, Route, Router

VERSIONS: tuple[str, ...] = ("2022-11-28", "2026-03-10")
_HOUR = 3600


class Limits:
    """The primary rate limit: so many requests an hour for each account."""

    def __init__(self, hub: Hub, limit: int) -> None:
        """`limit` is the number of requests."""
        self._hub, self.limit = hub, limit
        self._lock = threading.Lock()
        self._used: dict[tuple[str, int], int] = {}

    def count(self, person: Person | None, *, free: bool = False) -> dict[str, str]:
        """Count a request; the headers that say so. Raises GitHub's 403 when the hour's are used up."""
        hour = self._hub.store.now() // _HOUR
        key = (person.login if person else "", hour)
        with self._lock:
            self._used = {at: count for at, count in self._used.items() if at[1] == hour}
            used = self._used.get(key, 0) + (not free)
            self._used[key] = min(used, self.limit)
        left = max(self.limit - used, 0)
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Used": str(min(used, self.limit)),
            "X-RateLimit-Reset": str((hour + 1) * _HOUR),
            "X-RateLimit-Resource": "core",
        }
        if used > self.limit:
            raise Refused(403, "API rate limit exceeded for user ID 1.", headers=headers)
        return headers


class Rest:
    """Answers requests to the API."""

    def __init__(self, hub: Hub, *, rate_limit: int) -> None:
        """`rate_limit` is per account and hour."""
        self.hub = hub
        self.limits = Limits(hub, rate_limit)
        self.violations: deque[str] = deque(maxlen=1000)
        """Requests that GitHub's documentation does not know: routes and query parameters."""
        self._router = Router(
            (
                *rest_repository.ROUTES,
                *rest_issues.ROUTES,
                *rest_labels.ROUTES,
                *rest_comments.ROUTES,
                *rest_pulls.ROUTES,
                *rest_apps.ROUTES,
                *artifacts.ROUTES,
                *runs.ROUTES,
                Route(method="GET", template="/rate_limit", handler=self._rate_limit, needs="nothing"),
            )
        )

    def answer(self, method: str, target: str, headers: dict[str, str], token: str | None, raw: bytes) -> Answer:
        """One request, `target` below the API's root with its query, header names in lower case. Never raises."""
        limits: dict[str, str] = {}
        method = "GET" if method == "HEAD" else method
        try:
            person = self.hub.person(token)
            path, _, query = target.partition("?")
            limits = self.limits.count(person, free=path == "/rate_limit")
            version = _check_headers(headers)
            made = self._routed(method, path, dict(parse_qsl(query, keep_blank_values=True)), person, raw)
            extra = {"X-GitHub-Api-Version-Selected": version, "X-GitHub-Media-Type": "github.v3; format=json"}
        except Refused as refused:
            return Answer(status=refused.status, body=refused.body, headers=limits | refused.headers)
        return Answer(status=made.status, body=made.body, headers=limits | extra | made.headers)

    def graphql(self, token: str | None, raw: bytes) -> Answer:
        """What REST does not tell; which questions are known stands in `bot.virtual.github.graphql`."""
        try:
            person = self.hub.person(token)
            if person is None:
                raise requires_authentication()
            headers = self.limits.count(person)
            asked = _document(raw)
        except Refused as refused:
            return Answer(status=refused.status, body=refused.body, headers=refused.headers)
        body = answered(self.hub, person, asked)
        if body is None:
            self.violations.append("POST /graphql: not one of the questions that are known here")
            body = {"errors": [{"message": "The virtual GitHub does not know this question."}]}
        return Answer(body=body, headers=headers)

    def _routed(self, method: str, path: str, query: dict[str, str], person: Person | None, raw: bytes) -> Answer:
        found = self._router.find(method, path)
        if found is None:
            self.violations.append(f"{method} {path}: no such route")
            raise Refused(404, "Not Found")
        route, parts = found
        parts = {name: unquote(part) for name, part in parts.items()}
        call = Call(method=method, path=path, query=query, body=None, person=person, parts=parts)
        narrow(person, route)
        if route.needs == "person":
            _ = call.login
        elif route.needs != "nothing":
            self.hub.enter(call.full_name, person, route.needs)
        self.violations.extend(
            f"{method} {route.template}: no query parameter {name!r}" for name in query if name not in route.query
        )
        body = _document(raw) if raw else None
        route.check(body)
        return route.handler(
            self.hub, Call(method=method, path=path, query=query, body=body, person=person, parts=parts)
        )

    def _rate_limit(self, hub: Hub, call: Call) -> Answer:
        headers = self.limits.count(call.person, free=True)
        core = {name: int(headers[f"X-RateLimit-{name.title()}"]) for name in ("limit", "remaining", "used", "reset")}
        return Answer(body={"resources": {"core": core, "search": core, "graphql": core}, "rate": core})


def _check_headers(headers: dict[str, str]) -> str:
    if not headers.get("user-agent"):
        words = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
        raise Refused(403, f"{words} ({DOCS}/overview/resources-in-the-rest-api#user-agent-required).")
    version = headers.get("x-github-api-version", VERSIONS[0])
    if version not in VERSIONS:
        raise Refused(400, f"The version {version} is not supported.")
    return version


def _document(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(400, "Problems parsing JSON") from None
