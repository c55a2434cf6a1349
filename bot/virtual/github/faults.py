"""The fault switch: makes chosen requests go wrong the way GitHub and networks do."""

from __future__ import annotations

import fnmatch
import threading
from typing import Any, Literal

import msgspec

from bot.virtual.github.errors import DOCS

_WORDS = {
    403: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    429: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    500: "Server Error",
    502: "Server Error",
    503: "Service unavailable",
}
_UNICORN = b"<html>\n<head><title>504 Gateway Time-out</title></head>\n<body>Too long.</body></html>"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong, with which request.

    Requests are counted per fault: it acts on the `nth` that fits and on `times - 1` after it.
    """

    method: str = "*"
    path: str = "*"
    """A glob over the path: of the API below `/api/v3` (`/repos/*/pulls`), of git as it is (`*/git-receive-pack`)."""
    nth: int = 1
    times: int = 1
    kind: Literal["status", "drop", "hang"] = "status"
    """An answer with an error status; a connection that closes without an answer; one that stays silent."""
    status: int = 502
    after: bool = False
    """Let the request take effect first, so that only its answer is lost."""
    retry_after: int | None = None
    """Seconds, as a header."""
    reset_in: int | None = None
    """Make it the primary limit: none remaining, reset in so many seconds."""
    seconds: float = 30.0
    """How long a silent connection is held."""

    def answer(self, now: float) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of a `status` fault."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.status == 504:
            return 504, headers | {"Content-Type": "text/html"}, _UNICORN
        message = _WORDS.get(self.status, "Server Error")
        if self.reset_in is not None:
            message = "API rate limit exceeded for user ID 1."
            headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(now) + self.reset_in)}
        body: dict[str, Any] = {"message": message, "documentation_url": DOCS, "status": str(self.status)}
        return self.status, headers | {"Content-Type": "application/json; charset=utf-8"}, msgspec.json.encode(body)


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        """None at first."""
        self._lock = threading.Lock()
        self._on: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Switch one on; its counting starts now."""
        with self._lock:
            self._on.append((fault, [0]))

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._on.clear()

    def hit(self, method: str, path: str) -> Fault | None:
        """Count a request, and say what goes wrong with it. The first fault that acts wins."""
        found = None
        with self._lock:
            for fault, seen in self._on:
                if fault.method in {"*", method} and fnmatch.fnmatchcase(path, fault.path):
                    seen[0] += 1
                    if found is None and fault.nth <= seen[0] < fault.nth + fault.times:
                        found = fault
        return found
