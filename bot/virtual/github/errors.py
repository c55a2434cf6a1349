"""Refusals in GitHub's own shapes and words, as far as its documentation and public threads show them."""

from __future__ import annotations

from typing import Any

DOCS = "https://docs.github.com/rest"
BODY_LIMIT = 65_536
TITLE_LIMIT = 256


class Refused(Exception):
    """An answer that is an error. `errors` is the list under a 422."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`message` as GitHub writes it."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        document: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            document["errors"] = self.errors
        return document | {"documentation_url": DOCS, "status": str(self.status)}


def bad_credentials() -> Refused:
    """The token is not known."""
    return Refused(401, "Bad credentials")


def requires_authentication() -> Refused:
    """There is no token."""
    return Refused(401, "Requires authentication")


def not_found() -> Refused:
    """Not there, or not visible to the token: GitHub does not say which."""
    return Refused(404, "Not Found")


def no_access() -> Refused:
    """The token can see it and may not change it."""
    return Refused(403, "Resource not accessible by personal access token")


def not_accessible() -> Refused:
    """An App's token, and something that it was not made for."""
    return Refused(403, "Resource not accessible by integration")


def archived() -> Refused:
    """Nothing can be written in an archived repository."""
    return Refused(403, "Repository was archived so is read-only.")


def empty_repository() -> Refused:
    """Git data was asked for where there is none."""
    return Refused(409, "Git Repository is empty.")


def invalid(resource: str, field: str | None, code: str, message: str | None = None) -> Refused:
    """The 422 that names a field."""
    error: dict[str, Any] = {"resource": resource, "code": code}
    if field is not None:
        error["field"] = field
    if message is not None:
        error["message"] = message
    return Refused(422, "Validation Failed", [error])


def not_permitted(key: str) -> Refused:
    """A key in the body that the route does not know."""
    return Refused(422, f'Invalid request.\n\n"{key}" is not a permitted key.')


def wrong_type(key: str, kind: str) -> Refused:
    """A value in the body of another type."""
    return Refused(422, f"Invalid request.\n\nFor 'properties/{key}', the value is not a {kind}.")


def missing(key: str) -> Refused:
    """A key that the body lacks."""
    return Refused(422, f'Invalid request.\n\n"{key}" wasn\'t supplied.')
