"""Routes: which method and path calls which function, what it needs, and which parameters and keys it knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from bot.virtual.github.errors import Refused, missing, not_permitted, requires_authentication, wrong_type
from bot.virtual.github.records import Person

if TYPE_CHECKING:
    from bot.virtual.github.hub import Hub

Keys = dict[str, type | tuple[type, ...]]
"""Keys of a body and the types they may have; the first one is named in the refusal."""
Needs = Literal["nothing", "person", "read", "write"]
"""`read` and `write` are rights on the repository in the path."""
_KINDS: dict[type, str] = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object"}
PAGING: tuple[str, ...] = ("per_page", "page")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, its parts already checked against the route."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    person: Person | None
    parts: dict[str, str]
    """What stood in the path's placeholders."""

    @property
    def full_name(self) -> str:
        """The repository in the path."""
        return f"{self.parts['owner']}/{self.parts['repo']}"

    @property
    def login(self) -> str:
        """Who asks. Raises the 401 of GitHub for nobody."""
        if self.person is None:
            raise requires_authentication()
        return self.person.login

    @property
    def number(self) -> int:
        """The number in the path."""
        return int(self.parts["number"])


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[["Hub", Call], Answer]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation. `template` as in GitHub's documentation; `{ref*}` takes slashes too."""

    method: str
    template: str
    handler: Handler
    needs: Needs = "read"
    query: tuple[str, ...] = ()
    keys: Keys | None = None
    """Keys of the body and their types; None: a body of another shape, checked by the handler."""
    required: tuple[str, ...] = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        """What its paths look like."""

        def group(match: re.Match[str]) -> str:
            name = match[1]
            if name.endswith("*"):
                return f"(?P<{name[:-1]}>.+)"
            return f"(?P<{name}>[0-9]{{1,18}})" if name in {"number", "id"} else f"(?P<{name}>[^/]+)"

        return re.compile(re.sub(r"\{(\w+\*?)\}", group, self.template))

    def check(self, body: object) -> None:
        """Refuse a body that GitHub's description does not allow."""
        if self.keys is None or body is None:
            if self.required and body is None:
                raise missing(self.required[0])
            return
        if not isinstance(body, dict):
            raise Refused(400, "Body should be a JSON object")
        for key, value in body.items():
            if key not in self.keys:
                raise not_permitted(str(key))
            kinds = self.keys[key]
            first = kinds[0] if isinstance(kinds, tuple) else kinds
            if not isinstance(value, kinds) or (isinstance(value, bool) and first is int):
                raise wrong_type(str(key), _KINDS[first])
        for key in self.required:
            if key not in body:
                raise missing(key)


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Routes without placeholders win over those with them."""
        ordered = sorted(routes, key=lambda route: route.template.count("{"))
        self._routes = [(route.pattern, route) for route in ordered]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and what stands in its placeholders, or None."""
        for pattern, route in self._routes:
            if route.method == method and (match := pattern.fullmatch(path)):
                return route, match.groupdict()
        return None


def paged(items: list[Any], call: Call, address: str) -> Answer:
    """One page of a list, with GitHub's `Link` header. `address` is the absolute URL of the route."""
    size = min(max(_number(call.query.get("per_page"), 30), 1), 100)
    page = max(_number(call.query.get("page"), 1), 1)
    last = max((len(items) + size - 1) // size, 1)
    places = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    if page >= last:
        del places["next"], places["last"]
    if page == 1:
        del places["prev"], places["first"]
    links = [f'<{address}?{urlencode(call.query | {"page": str(to)})}>; rel="{name}"' for name, to in places.items()]
    headers = {"Link": ", ".join(links)} if links else {}
    return Answer(body=items[(page - 1) * size : page * size], headers=headers)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default
