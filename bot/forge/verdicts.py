"""What the gate said, as GitHub shows it on a commit: a check run, which only Apps may make, or a commit status."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from bot.forge.words import plain

NAME = "fleet-bot/gate"
_SHORT, _LONG = 140, 4000
"""Characters of a status' description, and of a check run's summary that we use."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say."""

    passed: bool
    text: str
    url: str | None

    @property
    def link(self) -> str | None:
        """The address, if it is one that a browser opens."""
        return self.url if self.url is not None and self.url.startswith(("https://", "http://")) else None


class Form(Protocol):
    """How it is said. Both paths are relative to the repository's."""

    found_at: str
    """Below `commits/<sha>`: what was said so far."""
    made_at: str
    """Where it is said; `{sha}` is the commit."""

    def says(self, found: object, verdict: Verdict) -> bool:
        """Whether the answer from `found_at` says this already."""
        ...

    def body(self, sha: str, verdict: Verdict) -> dict[str, Any]:
        """What is sent."""
        ...


class _Status:
    found_at, made_at = "status", "statuses/{sha}"

    def says(self, found: object, verdict: Verdict) -> bool:
        wanted = ("success" if verdict.passed else "failure", plain(verdict.text, _SHORT))
        rows = _rows(found, "statuses")
        said = [(row.get("state"), row.get("description")) for row in rows if row.get("context") == NAME]
        return said[:1] == [wanted]

    def body(self, sha: str, verdict: Verdict) -> dict[str, Any]:
        state = "success" if verdict.passed else "failure"
        sent = {"state": state, "description": plain(verdict.text, _SHORT), "context": NAME}
        return sent | ({"target_url": verdict.link} if verdict.link else {})


class _CheckRun:
    found_at, made_at = "check-runs", "check-runs"

    def says(self, found: object, verdict: Verdict) -> bool:
        wanted = ("success" if verdict.passed else "failure", plain(verdict.text, _LONG))
        rows = [row for row in _rows(found, "check_runs") if row.get("name") == NAME]
        newest = max(rows, key=lambda row: int(row.get("id") or 0), default=None)
        return newest is not None and (newest.get("conclusion"), (newest.get("output") or {}).get("summary")) == wanted

    def body(self, sha: str, verdict: Verdict) -> dict[str, Any]:
        sent: dict[str, Any] = {
            "name": NAME,
            "head_sha": sha,
            "status": "completed",
            "conclusion": "success" if verdict.passed else "failure",
            "output": {
                "title": "The gate let it pass" if verdict.passed else "The gate refused it",
                "summary": plain(verdict.text, _LONG),
            },
        }
        return sent | ({"details_url": verdict.link} if verdict.link else {})


STATUS: Form = _Status()
CHECK_RUN: Form = _CheckRun()


def _rows(found: object, name: str) -> list[dict[str, Any]]:
    rows = found.get(name) if isinstance(found, dict) else None
    return [row for row in rows or () if isinstance(row, dict)]
