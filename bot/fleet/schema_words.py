"""The words that the schemas of this room are written with: kinds of values, and pieces that several share."""

from __future__ import annotations

from typing import Any

from bot.task.narrow import GLOB

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = r"^(?!.*\.\.)(?!.*\.lock$)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$"
IDENTIFIER = r"^[a-z][a-z0-9_]{0,49}$"
# A path that goes down from where it starts: no root, no climbing, no backslash, no control character.
BELOW = r"^(?!/)(?!~)(?!.*(?:^|/)\.\.(?:/|$))(?!-)[^\x00-\x1f\\]+$"
LOGIN = r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:_[A-Za-z0-9]+)?(?:/[A-Za-z0-9_.-]{1,100})?$"


def text(description: str, write: str = "", **more: object) -> dict[str, Any]:
    """Text; `write` is what to write instead of something wrong."""
    return {"type": "string", "description": description} | ({"x-write": write} if write else {}) | more


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, or empty."""
    return schema | {"type": [schema["type"], "null"]}


def listed(items: dict[str, Any], description: str, write: str = "", **more: object) -> dict[str, Any]:
    """A list."""
    found = {"type": "array", "items": items, "description": description} | more
    return found | ({"x-write": write} if write else {})


def mapping(properties: dict[str, Any], description: str = "", **more: object) -> dict[str, Any]:
    """A mapping that knows no other keys."""
    found = {"type": "object", "additionalProperties": False, "properties": properties}
    return found | ({"description": description} if description else {}) | more


def either(*options: dict[str, Any], description: str, write: str) -> dict[str, Any]:
    """One of several forms, told apart by their types."""
    return {"anyOf": list(options), "description": description, "x-write": write}


COMMAND = text("A shell command.", "a command", minLength=1)
GLOBS = listed(
    text("A glob, relative to the plugin's directory.", 'a glob such as "src/**"', pattern=GLOB),
    "Globs.",
    '["src/**", "tests/**"]',
)
LABELS = listed(
    text("A label.", "a label of 1 to 50 characters", minLength=1, maxLength=50),
    "Labels of the pull request.",
    "[fleet-bot]",
    uniqueItems=True,
)


def amount(description: str, kind: str = "number") -> dict[str, Any]:
    """A number above zero."""
    return {"type": kind, "exclusiveMinimum": 0, "description": description}


LIMITS = mapping(
    {
        "steps": amount("Model turns.", "integer"),
        "minutes": amount("Wall time of a whole task, waiting for the model included."),
        "tokens": amount("Tokens billed, prompt and output together.", "integer"),
        "cost_usd": amount("US dollars."),
        "command_seconds": amount("Wall time of one command; its whole process tree is killed then."),
    },
    "What one task may spend before it is stopped.",
    **{"x-write": "{steps: 40, minutes: 20}"},
)
SCALAR = {"type": ["string", "number", "boolean"], "x-write": "text, a number, or true or false"}
