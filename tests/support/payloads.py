"""Payloads of the events we read, whole, as GitHub sends them: none leaves here that does not fit its published schema."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema_rs

from bot.virtual.github.records import Issue, Label, Repository
from bot.virtual.github.shapes import Shapes
from bot.virtual.github.shapes_issue import IssueShapes

SCHEMAS = Path(__file__).resolve().parent.parent / "golden" / "github-openapi" / "webhooks.json"
_SHAPES = Shapes("https://github.invalid", "https://github.invalid/api/v3")
_THEN = 1_790_000_000


def labelled(
    repo: str,
    number: int,
    body: str,
    *,
    title: str = "It breaks",
    sender: str = "ada",
    kind: str = "User",
    label: str = "fleet-bot:fix",
) -> dict[str, Any]:
    """`issues: labeled`."""
    issue = Issue(
        id=9000 + number,
        number=number,
        title=title,
        body=body,
        author="ada",
        created=_THEN,
        updated=_THEN,
        labels=(label,),
    )
    held = Label(id=77, name=label)
    repository = Repository(id=1, full_name=repo, created=_THEN, pushed=_THEN, private=True, labels=(held,))
    made = IssueShapes(_SHAPES, repository, lambda: _repository(repo, private=True))
    return sent(
        "issues",
        {"action": "labeled", "issue": made.issue(issue), "label": made.label(held)} | _around(repo, sender, kind),
    )


def error_dispatched(repo: str, payload: dict[str, Any], *, sender: str = "ada") -> dict[str, Any]:
    """`repository_dispatch` with this `client_payload`."""
    body = {"action": "fleet-bot-error", "branch": "main", "client_payload": payload}
    body["installation"] = {"id": 7000, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uNzAwMA=="}
    return sent("repository_dispatch", body | _around(repo, sender, "User"))


def started(repo: str, *, private: bool = True, **inputs: str) -> dict[str, Any]:
    """`workflow_dispatch`, by hand."""
    body = {"inputs": inputs or None, "ref": "refs/heads/main", "workflow": ".github/workflows/fleet.yml"}
    return sent("workflow_dispatch", body | _around(repo, "ada", "User", private=private))


def sent(event: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload, if it fits. Raises `AssertionError` with what does not."""
    faults = [f"{list(error.instance_path)}: {error.message}" for error in _validator(event).iter_errors(payload)]
    assert not faults, faults
    return payload


@functools.cache
def _validator(event: str) -> Any:
    document = json.loads(SCHEMAS.read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for(document["events"][event] | {"components": document["components"]})


def _around(repo: str, sender: str, kind: str, *, private: bool = True) -> dict[str, Any]:
    return {"repository": _repository(repo, private=private), "sender": _SHAPES.user(sender) | {"type": kind}}


def _repository(repo: str, *, private: bool) -> dict[str, Any]:
    record = Repository(id=1, full_name=repo, created=_THEN, pushed=_THEN, private=private)
    return _SHAPES.repository(record, "main", None, empty=False)
