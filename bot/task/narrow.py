"""What a plugin's own repository says about us in `.fleet-bot.yaml`: it narrows what the fleet allows, never widens it.

The file is read from the base branch, so nobody can slip it into a pull request; it is hostile all the same.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bot.base import documents, glob, schema
from bot.base.errors import Problem, TaskBlocked, TaskSkipped
from bot.base.values import Limits, Network, Task

NARROW_FILE = ".fleet-bot.yaml"
"""Its path in the repository."""
GLOB = r"^(?![/!~])(?!.*(?:^|/)\.\.(?:/|$))[^\x00-\x1f\\]+$"
"""A glob that goes down from where it starts."""
_REACH: tuple[Network, ...] = ("none", "loopback", "full")
_SIZE = 64 << 10
_SHOWN = 200


def _globs(description: str) -> dict[str, Any]:
    item = {"type": "string", "pattern": GLOB, "maxLength": 300, "x-write": 'a glob such as "src/**"'}
    return {"type": "array", "minItems": 1, "maxItems": 100, "items": item, "description": description}


def _at_most(kind: str, description: str) -> dict[str, Any]:
    return {"type": kind, "exclusiveMinimum": 0, "description": description}


NARROW_SCHEMA: schema.Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": NARROW_FILE,
    "type": ["object", "null"],
    "additionalProperties": False,
    "x-write": "enabled: false, or any other of its keys",
    "properties": {
        "enabled": {"type": "boolean", "description": "False: the bot does not come here."},
        "reason": {"type": "string", "maxLength": 500, "description": "Why it is not enabled, for the report."},
        "allowed_paths": _globs("Changes have to fit these too; relative to the plugin's directory."),
        "protected": _globs("Files that must not change, besides those the fleet protects."),
        "labels": {
            "type": "array",
            "maxItems": 20,
            "items": {"type": "string", "minLength": 1, "maxLength": 50},
            "description": "Labels that pull requests get besides the fleet's.",
        },
        "draft": {"const": True, "description": "Pull requests are drafts here."},
        "network": {"type": "string", "enum": list(_REACH), "description": "What commands may reach at most."},
        "limits": {
            "type": "object",
            "additionalProperties": False,
            "description": "What one task may spend at most.",
            "properties": {
                "steps": _at_most("integer", "Model turns."),
                "minutes": _at_most("number", "Wall time of a whole task."),
                "tokens": _at_most("integer", "Tokens billed."),
                "cost_usd": _at_most("number", "US dollars."),
                "command_seconds": _at_most("number", "Wall time of one command."),
            },
        },
    },
}


def narrowed(task: Task, text: bytes) -> Task:
    """The task as the plugin's own file lets it be.

    `text` is the file as the base branch has it. Raises `TaskSkipped` where it says `enabled: false`, and
    `TaskBlocked` with the lines of all mistakes when it cannot be understood: nobody should have to guess what a
    maintainer meant to forbid.
    """
    settings = _read(text)
    if settings.get("enabled") is False:
        reason = " ".join(str(settings.get("reason", "")).split())[:_SHOWN]
        msg = f"{NARROW_FILE} of the repository says `enabled: false`" + (f": {reason}" if reason else "")
        raise TaskSkipped(msg)
    limits = settings.get("limits", {})
    plugin = task.plugin
    narrower = msgspec.structs.replace(
        plugin,
        own_allowed_paths=tuple(settings.get("allowed_paths", ())),
        own_protected_paths=(*plugin.own_protected_paths, *settings.get("protected", ())),
        labels=tuple(dict.fromkeys((*plugin.labels, *settings.get("labels", ())))),
        draft=plugin.draft or settings.get("draft", False),
        network=min(plugin.network, settings.get("network", "full"), key=_REACH.index),
        limits=lower(plugin.limits, limits),
    )
    return msgspec.structs.replace(task, plugin=narrower, limits=lower(task.limits, limits))


def lower(limits: Limits, most: dict[str, float]) -> Limits:
    """The limits, none of them above what `most` says for its field."""
    bounded = {name: min(getattr(limits, name), value) for name, value in most.items()}
    whole = {name: int(value) if name in {"steps", "tokens"} else float(value) for name, value in bounded.items()}
    return msgspec.structs.replace(limits, **whole)


def _read(text: bytes) -> dict[str, Any]:
    if len(text) > _SIZE:
        raise _blocked([Problem(file=NARROW_FILE, line=1, what=f"is larger than {_SIZE >> 10} KiB")])
    decoded, problems = documents.decode(text, NARROW_FILE)
    if problems:
        raise _blocked(list(problems))
    document = documents.parse(decoded, NARROW_FILE)
    found = list(document.problems) or schema.check(document, NARROW_SCHEMA)
    if not found:
        found = [
            document.problem((key, index), f"`{item[:_SHOWN]}` {reason}")
            for key in ("allowed_paths", "protected")
            for index, item in enumerate((document.value or {}).get(key, ()))
            if (reason := glob.trouble(item)) is not None
        ]
    if found:
        raise _blocked(found)
    return document.value or {}


def _blocked(problems: list[Problem]) -> TaskBlocked:
    return TaskBlocked(
        "The repository's own settings cannot be understood: " + "; ".join(str(problem) for problem in problems[:5]),
        f"Somebody has to correct {NARROW_FILE} on the base branch.",
    )
