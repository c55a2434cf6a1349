"""The questions of GraphQL that the virtual GitHub knows, word for word: what its interface by REST does not tell."""

from __future__ import annotations

import msgspec

from bot.virtual.github.errors import Refused
from bot.virtual.github.hub import Hub
from bot.virtual.github.records import Person
from bot.virtual.github.shapes import JSON, when

_VIEWER = "query { viewer { login } }"
_EDITED = (
    "query($owner: String!, $name: String!, $number: Int!) "
    "{ repository(owner: $owner, name: $name) { issue(number: $number) { lastEditedAt } } }"
)


class _Question(msgspec.Struct, frozen=True):
    query: str
    variables: dict[str, str | int] = {}


def answered(hub: Hub, person: Person, asked: object) -> JSON | None:
    """The answer to a request's document, or None when the question is not one of those known here."""
    try:
        question = msgspec.convert(asked, _Question)
    except msgspec.ValidationError:
        return None
    match question:
        case _Question(query=str(query), variables={}) if query == _VIEWER:
            return {"data": {"viewer": {"login": person.login}}}
        case _Question(query=str(query), variables={"owner": str(owner), "name": str(name), "number": int(number)}):
            return _edited(hub, person, f"{owner}/{name}", number) if query == _EDITED else None
    return None


def _edited(hub: Hub, person: Person, full_name: str, number: int) -> JSON:
    try:
        hub.enter(full_name, person, "read")
    except Refused:
        message = f"Could not resolve to a Repository with the name '{full_name}'."
        return _not_found(["repository"], message) | {"data": {"repository": None}}
    issue = hub.store.get(full_name).issues.get(number)
    if issue is None or issue.pull is not None:
        message = f"Could not resolve to an Issue with the number of {number}."
        return _not_found(["repository", "issue"], message) | {"data": {"repository": {"issue": None}}}
    edited = None if issue.edited is None else when(issue.edited)
    return {"data": {"repository": {"issue": {"lastEditedAt": edited}}}}


def _not_found(path: list[str], message: str) -> JSON:
    return {"errors": [{"type": "NOT_FOUND", "path": path, "message": message}]}
