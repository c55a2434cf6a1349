"""What may stand in the front matter of a playbook, as JSON Schema with the cure of each mistake."""

from __future__ import annotations

from typing import Any

from bot.base.schema import Schema
from bot.fleet.schema_words import (
    BELOW,
    COMMAND,
    DIALECT,
    IDENTIFIER,
    LABELS,
    LIMITS,
    SCALAR,
    either,
    listed,
    mapping,
    text,
)
from bot.task.narrow import GLOB

TOOLS = (
    "read_file",
    "write_file",
    "edit_file",
    "list_files",
    "search_files",
    "run_shell_command",
    "get_error_report",
)
"""The tools that a playbook can name."""

_CONTAINS = mapping(
    {
        "path": text("A glob, relative to the plugin's directory.", "a glob", minLength=1),
        "pattern": text("A regular expression that some line has to match.", "a regular expression", minLength=1),
    },
    required=["path", "pattern"],
    **{"x-write": '{path: "*.toml", pattern: "^version"}'},
)
_CONDITION = mapping(
    {
        "exists": text("A glob that some file fits.", "a glob", minLength=1),
        "missing": text("A glob that no file fits.", "a glob", minLength=1),
        "contains": _CONTAINS | {"description": "Some file that fits `path` has a line that matches `pattern`."},
        "lacks": _CONTAINS | {"description": "No file that fits `path` has a line that matches `pattern`."},
        "command": text("A shell command that exits 0; runs in the sandbox.", "a command", minLength=1),
    },
    "A question to the checkout; all parts given have to hold.",
    **{"x-write": "{exists: pyproject.toml}"},
)


def _conditions(description: str) -> dict[str, Any]:
    return either(
        {"$ref": "#/$defs/condition"},
        listed({"$ref": "#/$defs/condition"}, "All of them have to hold."),
        description=description,
        write="{exists: pyproject.toml}, or a list of such",
    )


_VARIABLE = mapping(
    {
        "type": {"enum": ["string", "integer", "number", "boolean"], "type": "string", "description": "Its type."},
        "description": text("What it is, for people."),
        "default": SCALAR | {"description": "Its value when none is given."},
        "required": {"type": "boolean", "description": "False: without a value it is empty text."},
        "choices": listed(SCALAR, "The values it can have.", "[major, minor]", minItems=1),
        "pattern": text("Regular expression that the whole value has to match.", "a regular expression", minLength=1),
        "untrusted": {
            "type": "boolean",
            "description": "Strangers may have written it: fenced as data for the model, never in a command or title.",
        },
    },
    "A value that the playbook takes. Without a default it has to be given.",
    **{"x-write": "{type: string, description: …}"},
)
PLAYBOOK_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "Front matter of a playbook",
    **mapping(
        {
            "id": text("The file's name without .md.", "the file's name: lower case, digits, _", pattern=IDENTIFIER),
            "version": text(
                "Semantic version of the playbook.", '"1.0.0", in quotes', pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$"
            ),
            "summary": text("What it does, in one line.", "one line", pattern=r"^[^\n]{1,200}\n?$"),
            "mode": {
                "enum": ["agent", "script"],
                "type": "string",
                "description": "Whether a model works or a command.",
            },
            "result": {
                "enum": ["pull_request", "answer"],
                "type": "string",
                "description": "`answer`: it only looks; the answer goes into the report.",
            },
            "include": listed(
                text("A file in the playbooks' folder.", "a path such as parts/care.md", pattern=BELOW),
                "Shared parts, pasted in after the text, in this order.",
                "[parts/care.md]",
                uniqueItems=True,
            ),
            "variables": {
                "type": "object",
                "propertyNames": {
                    "pattern": IDENTIFIER,
                    "x-write": "a name of lower case letters, digits and _",
                },
                "additionalProperties": _VARIABLE,
                "description": "The values it takes.",
                "x-write": "{dependency: {type: string}}",
            },
            "applies_if": _conditions("Where these do not all hold there is nothing to do."),
            "done_if": _conditions("Where these all hold it is already done."),
            "tools": listed(
                {"enum": list(TOOLS), "type": "string"},
                "Tools that the model may use; empty means all.",
                "[read_file, list_files]",
                uniqueItems=True,
            ),
            "limits": LIMITS,
            "allowed_paths": listed(
                text("A glob, a template.", 'a glob such as "src/**"', pattern=GLOB),
                "Globs that changes have to fit, relative to the plugin's directory; empty: all.",
                '["src/**"]',
            ),
            "opens": listed(
                text("A glob.", "a glob such as .github/dependabot.yml", pattern=GLOB),
                "Protected files that the playbook is for.",
                "[.github/dependabot.yml]",
            ),
            "allow_empty": {"type": "boolean", "description": "Whether changing nothing is a good end."},
            "verification": mapping(
                {
                    "tests": {
                        "enum": ["none", "no_regression", "red_to_green"],
                        "type": "string",
                        "description": "What the tests have to show.",
                    },
                    "baseline": {
                        "enum": ["any", "green"],
                        "type": "string",
                        "description": "`green`: a suite that is red before we come blocks the task.",
                    },
                    "commands": listed(COMMAND, "Commands that have to exit 0 on the result; templates."),
                },
                "What has to be seen before anything is published.",
                **{"x-write": "{tests: no_regression}"},
            ),
            "pull_request": mapping(
                {
                    "title": text("A template.", "a line", pattern=r"^[^\n]{1,200}\n?$"),
                    "body": text("A template, markdown.", "markdown"),
                    "labels": LABELS,
                },
                "What the pull request says.",
                required=["title"],
                **{"x-write": "{title: …, body: …}"},
            ),
            "script": text(
                "The shell command of a script playbook; variables reach it as VAR_<NAME>, facts as PLUGIN_…",
                "a command",
                minLength=1,
            ),
            "expect": listed({"type": "object"}, "Expected behaviour: rules over the trace and the result."),
            "outcome": listed({"type": "object"}, "Expected result: predicates on the final tree."),
            "let": {"type": "object", "description": "Named selectors for `expect`."},
        },
        required=["id", "version", "summary"],
        **{"x-write": "id, version and summary"},
    ),
    "$defs": {"condition": _CONDITION},
}
