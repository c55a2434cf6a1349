"""What may stand in `profile.yaml`, as JSON Schema with the cure of each mistake."""

from __future__ import annotations

from typing import Any

from bot.base.schema import Schema

_Part = dict[str, Any]


def _text(write: str = "", **more: Any) -> _Part:
    return {"type": "string", "x-write": write or "text", **more}


def _list(items: _Part, write: str = "[…]") -> _Part:
    return {"type": "array", "items": items, "x-write": write}


def _mapping(properties: _Part, required: tuple[str, ...] = ()) -> _Part:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


def _either(*options: _Part, write: str) -> _Part:
    return {"anyOf": list(options), "x-write": write}


_NUMBER: _Part = {"type": "number", "minimum": 0}
_COUNT: _Part = {"type": "integer", "minimum": 0}
_FLAG: _Part = {"type": "boolean"}
_SCALAR: _Part = {"type": ["string", "number", "boolean"], "x-write": "text, a number, true or false"}
_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
_PATH = _text("a path such as src/app.py", pattern=r"^(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\x00]+$")
_WORDS = _text("the first words of a command, such as pytest", minLength=1)
_RUN = _either(_WORDS, _list(_WORDS), write="pytest, or a list of alternatives")
_FACT = _either(
    _text("the name of a fact"),
    {"type": "object", "$ref": "#/$defs/fact"},
    write="a fact such as {file: a.py, matches: x}",
)
_STATE: _Part = {"type": "object", "additionalProperties": _SCALAR, "propertyNames": {"pattern": _NAME}}
_PYTHON = _mapping({
    "parses": _FLAG, "inside": _text(), "defines": _text(), "contains": _text(), "lacks": _text(), "returns": _text(),
})  # fmt: skip
_FILE = _either(
    _text(),
    _mapping({"text": _text(), "base64": _text(), "link": _text("where it points"), "executable": _FLAG}),
    write="its text, or {text: …, executable: true}",
)
_RESPOND = _mapping({
    "exit": {"type": "integer", "minimum": 0, "maximum": 255}, "stdout": _text(), "stderr": _text(),
    "tests": _mapping({"passed": _COUNT, "failed": _COUNT, "skipped": _COUNT, "errors": _COUNT}),
    "suite": _FLAG, "seconds": _NUMBER,
})  # fmt: skip
_FAULT = _mapping(
    {
        "id": _text("a name", pattern=_NAME),
        "kind": {"type": "string", "enum": ["flaky", "hang", "flood", "rate_limit", "half_write", "inject"]},
        "run": _RUN, "file": _text("a glob"), "text": _text(), "bytes": _COUNT,
        "into": {"type": "string", "enum": ["stdout", "stderr", "file", "name"]},
        "chance": {"type": "number", "minimum": 0, "maximum": 1},
        "nth": _list({"type": "integer", "minimum": 1}, "[1, 3]"),
    },
    ("id", "kind"),
)  # fmt: skip
_OUTCOMES = ["changed", "no_change", "blocked", "skipped", "failed", "error"]
PROFILE_SCHEMA: Schema = {
    **_mapping(
        {
            "summary": _text("one sentence: what it is for", minLength=1),
            "from": _text("repo, or a path relative to this file"),
            "files": {"type": "object", "additionalProperties": _FILE},
            "facts": {"type": "object", "additionalProperties": _FACT, "propertyNames": {"pattern": _NAME}},
            "suite": _mapping({
                "files": _list(_text("a glob")), "config": _FACT, "seconds": _NUMBER,
                "runner": {"type": "string", "enum": ["pytest", "unittest", "node"]},
                "fails": _list(_mapping({
                    "unless": _FACT, "test": _text(), "body": _text(), "says": _text(), "collects": _FLAG,
                })),
            }),
            "commands": _list(_mapping({
                "run": _RUN, "when": _FACT, "respond": _RESPOND, "set": _STATE,
                "write": {"type": "object", "additionalProperties": _text()}, "delete": _list(_text("a glob")),
            }, ("run",))),
            "faults": _list(_FAULT),
            "tripwires": _mapping({"secrets": _list(_text("a glob")), "commands": _list(_WORDS)}),
            "state": _STATE,
            "test": _text("python -m pytest -q"), "version_file": _PATH, "changelog": _PATH,
            "scenarios": _list(_mapping(
                {
                    "playbook": _text("the id of a playbook", pattern=_NAME), "variables": _STATE, "report": _text(),
                    "issue": {"type": "integer", "minimum": 1},
                    "outcomes": _list({"type": "string", "enum": _OUTCOMES}),
                },
                ("playbook", "outcomes"),
            )),
            "env": {"type": "object", "additionalProperties": _text()},
            "unknown": {"type": "string", "enum": ["miss"], "x-write": "miss"},
        },
        ("summary",),
    ),
    "$defs": {
        "fact": _mapping({
            "all": _list(_FACT), "any": _list(_FACT), "not": _either(_text(), {"type": "array", "items": _FACT},
                {"type": "object", "$ref": "#/$defs/fact"}, write="a fact"),
            "same": _list(_mapping({"file": _PATH, "value": _text(), "matches": _text()}, ("file",))),
            "state": _STATE, "file": _PATH, "exists": _FLAG, "changed": _FLAG, "matches": _text(), "lacks": _text(),
            "python": _PYTHON, "value": _text("a key path such as project.version"), "equals": _SCALAR,
            "newer_than": _text("a version"), "at_least": _text("a version"),
        }),
    },
}  # fmt: skip
