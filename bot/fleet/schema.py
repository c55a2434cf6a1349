"""What may stand in `fleet.yaml` and in the front matter of a playbook, as JSON Schema with the cure of each mistake.

`python -P -m bot.fleet.schema DIR` (`make schemas`) writes them for editors; the same values check the files here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from bot.base.schema import Schema
from bot.fleet.branch import BRANCH
from bot.task.narrow import GLOB, NARROW_SCHEMA

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
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

_NAME = r"^(?!.*\.\.)(?!.*\.lock$)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$"
_IDENTIFIER = r"^[a-z][a-z0-9_]{0,49}$"
# A path that goes down from where it starts: no root, no climbing, no backslash, no control character.
_BELOW = r"^(?!/)(?!~)(?!.*(?:^|/)\.\.(?:/|$))(?!-)[^\x00-\x1f\\]+$"
_LOGIN = r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:_[A-Za-z0-9]+)?(?:/[A-Za-z0-9_.-]{1,100})?$"


def _text(description: str, write: str = "", **more: object) -> dict[str, Any]:
    return {"type": "string", "description": description} | ({"x-write": write} if write else {}) | more


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"type": [schema["type"], "null"]}


def _list(items: dict[str, Any], description: str, write: str = "", **more: object) -> dict[str, Any]:
    listed = {"type": "array", "items": items, "description": description} | more
    return listed | ({"x-write": write} if write else {})


def _mapping(properties: dict[str, Any], description: str = "", **more: object) -> dict[str, Any]:
    mapping = {"type": "object", "additionalProperties": False, "properties": properties}
    return mapping | ({"description": description} if description else {}) | more


def _either(*options: dict[str, Any], description: str, write: str) -> dict[str, Any]:
    return {"anyOf": list(options), "description": description, "x-write": write}


_COMMAND = _text("A shell command.", "a command", minLength=1)
_GLOBS = _list(
    _text("A glob, relative to the plugin's directory.", 'a glob such as "src/**"', pattern=GLOB),
    "Globs.",
    '["src/**", "tests/**"]',
)
_LABELS = _list(
    _text("A label.", "a label of 1 to 50 characters", minLength=1, maxLength=50),
    "Labels of the pull request.",
    "[fleet-bot]",
    uniqueItems=True,
)
_REVIEWERS = _list(
    _text("A login, or a team.", "a login (without @) or org/team", pattern=_LOGIN),
    "Who is asked for a review: logins, and teams as `org/team`.",
    "[octocat, acme/maintainers]",
    uniqueItems=True,
)


def _amount(description: str, kind: str = "number") -> dict[str, Any]:
    return {"type": kind, "exclusiveMinimum": 0, "description": description}


_LIMITS = _mapping(
    {
        "steps": _amount("Model turns.", "integer"),
        "minutes": _amount("Wall time of a whole task, waiting for the model included."),
        "tokens": _amount("Tokens billed, prompt and output together.", "integer"),
        "cost_usd": _amount("US dollars."),
        "command_seconds": _amount("Wall time of one command; its whole process tree is killed then."),
    },
    "What one task may spend before it is stopped.",
    **{"x-write": "{steps: 40, minutes: 20}"},
)
_TEST = _either(
    _COMMAND,
    _mapping(
        {
            "command": _COMMAND,
            "junit": _text(
                "Where the command leaves JUnit XML; pytest needs no help.", "a file such as report.xml", pattern=_BELOW
            ),
            "paths": _GLOBS | {"description": "Globs of the files that are tests; empty means the usual names."},
        },
        required=["command"],
    ),
    {"type": "null"},
    description="How the tests are run.",
    write="python -m pytest -q, or {command: …, junit: …, paths: […]}",
)
_PLUGIN_SETTINGS: dict[str, Any] = {
    "base": _maybe(
        _text("Branch that changes go to; default: the repository's own.", "a branch such as main", pattern=BRANCH)
    ),
    "setup": _maybe(
        _text(
            "Shell command that installs what the tests need; runs with network before the model sees anything.",
            "a command",
            minLength=1,
        )
    ),
    "test": {"$ref": "#/$defs/test"},
    "version_file": _maybe(
        _text(
            "File that holds the version, relative to the directory.", "a file such as pyproject.toml", pattern=_BELOW
        )
    ),
    "changelog": _maybe(
        _text("The changelog, relative to the directory.", "a file such as CHANGE_LOG.md", pattern=_BELOW)
    ),
    "allowed_paths": _GLOBS | {"description": "Globs that changes have to fit, relative to the directory; empty: all."},
    "labels": _LABELS,
    "reviewers": _REVIEWERS,
    "draft": {"type": "boolean", "description": "Whether pull requests are opened as drafts.", "x-write": "true"},
    "network": {
        "enum": ["none", "loopback", "full"],
        "type": "string",
        "description": "What the agent's commands and the tests may reach.",
    },
    "limits": {"$ref": "#/$defs/limits"},
}
_PLUGIN = _mapping(
    {
        "name": _text(
            "Unique; letters, digits, dot, underscore, hyphen.", "a name such as my-first-plugin", pattern=_NAME
        ),
        "repo": _text(
            "`owner/name` on the forge, an https URL, or a path relative to this file.",
            "owner/name, https://host/owner/name, or ./path",
            minLength=1,
        ),
        "directory": _text(
            "The project's folder inside the repository.", "a folder such as packages/core", pattern=_BELOW
        ),
        "topics": _list(
            _text("A topic.", "a word", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
            "Words to select plugins by.",
            "[python]",
            uniqueItems=True,
        ),
    }
    | _PLUGIN_SETTINGS
    | {
        "archived": {
            "type": "boolean",
            "description": "Leave the plugin out without deleting the entry.",
            "x-write": "true",
        }
    },
    "One repository of the fleet, or one project inside it.",
    required=["name", "repo"],
    **{"x-write": "{name: my-plugin, repo: acme/my-plugin}"},
)
_SCALAR = {"type": ["string", "number", "boolean"], "x-write": "text, a number, or true or false"}
_SCHEDULE = _mapping(
    {
        "playbook": _text("The playbook's id.", "the id of a playbook", pattern=_IDENTIFIER),
        "cron": _text("When, as cron in UTC: minute, hour, day, month, weekday.", '"0 4 * * 1"', minLength=1),
        "select": _text("Which plugins, as with --select.", '"topic:python"', minLength=1),
        "plugins": _list(_text("A plugin's name."), "Which plugins, by name.", "[my-plugin]", minItems=1),
        "vars": {
            "type": "object",
            "additionalProperties": _SCALAR,
            "description": "The playbook's variables.",
            "x-write": "{dependency: requests}",
        },
    },
    "A campaign that starts by the clock.",
    required=["playbook", "cron"],
    **{"x-write": '{playbook: update_dependency, cron: "0 4 * * 1"}'},
)
_POLICY = _mapping(
    {
        "protected": _list(
            _text("A glob.", 'a glob such as "docs/**"', pattern=GLOB),
            "Globs that are protected besides the built-in ones.",
            '["docs/**"]',
        ),
        "max_files": _amount("Files that one pull request may change.", "integer"),
        "max_lines": _amount("Lines that one pull request may add and remove, together.", "integer"),
        "max_bytes": _amount("Size of the patch.", "integer"),
        "binaries": {"type": "boolean", "description": "Whether binary files may change."},
        "symlinks": {"type": "boolean", "description": "Whether symbolic links may be made."},
        "executables": {"type": "boolean", "description": "Whether a file may become executable."},
        "weaker_tests": {
            "type": "boolean",
            "description": "Whether tests may be deleted, skipped or lose assertions.",
        },
    },
    "What the gate allows to be published.",
)
FLEET_SCHEMA: Schema = {
    "$schema": _DIALECT,
    "title": "fleet.yaml",
    **_mapping(
        {
            "version": {"const": 1, "description": "The version of this format."},
            "defaults": _mapping(_PLUGIN_SETTINGS, "What holds for every plugin that does not say otherwise."),
            "plugins": _list(_PLUGIN, "The fleet.", "a list, or [] for none"),
            "schedules": _list(_SCHEDULE, "Campaigns that start by the clock."),
            "policy": _POLICY,
            "sandbox": {
                "enum": ["strict", "best-effort"],
                "type": "string",
                "description": "Whether a machine that cannot confine commands refuses to run them.",
            },
        },
        required=["version", "plugins"],
        **{"x-write": "version: 1 and plugins: [{name: …, repo: …}]"},
    ),
    "$defs": {"test": _TEST, "limits": _LIMITS},
}

_CONTAINS = _mapping(
    {
        "path": _text("A glob, relative to the plugin's directory.", "a glob", minLength=1),
        "pattern": _text("A regular expression that some line has to match.", "a regular expression", minLength=1),
    },
    required=["path", "pattern"],
    **{"x-write": '{path: "*.toml", pattern: "^version"}'},
)
_CONDITION = _mapping(
    {
        "exists": _text("A glob that some file fits.", "a glob", minLength=1),
        "missing": _text("A glob that no file fits.", "a glob", minLength=1),
        "contains": _CONTAINS | {"description": "Some file that fits `path` has a line that matches `pattern`."},
        "lacks": _CONTAINS | {"description": "No file that fits `path` has a line that matches `pattern`."},
        "command": _text("A shell command that exits 0; runs in the sandbox.", "a command", minLength=1),
    },
    "A question to the checkout; all parts given have to hold.",
    **{"x-write": "{exists: pyproject.toml}"},
)


def _conditions(description: str) -> dict[str, Any]:
    return _either(
        {"$ref": "#/$defs/condition"},
        _list({"$ref": "#/$defs/condition"}, "All of them have to hold."),
        description=description,
        write="{exists: pyproject.toml}, or a list of such",
    )


_VARIABLE = _mapping(
    {
        "type": {"enum": ["string", "integer", "number", "boolean"], "type": "string", "description": "Its type."},
        "description": _text("What it is, for people."),
        "default": _SCALAR | {"description": "Its value when none is given."},
        "required": {"type": "boolean", "description": "False: without a value it is empty text."},
        "choices": _list(_SCALAR, "The values it can have.", "[major, minor]", minItems=1),
        "pattern": _text("Regular expression that the whole value has to match.", "a regular expression", minLength=1),
        "untrusted": {
            "type": "boolean",
            "description": "Strangers may have written it: fenced as data for the model, never in a command or title.",
        },
    },
    "A value that the playbook takes. Without a default it has to be given.",
    **{"x-write": "{type: string, description: …}"},
)
PLAYBOOK_SCHEMA: Schema = {
    "$schema": _DIALECT,
    "title": "Front matter of a playbook",
    **_mapping(
        {
            "id": _text("The file's name without .md.", "the file's name: lower case, digits, _", pattern=_IDENTIFIER),
            "version": _text(
                "Semantic version of the playbook.", '"1.0.0", in quotes', pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$"
            ),
            "summary": _text("What it does, in one line.", "one line", pattern=r"^[^\n]{1,200}\n?$"),
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
            "include": _list(
                _text("A file in the playbooks' folder.", "a path such as parts/care.md", pattern=_BELOW),
                "Shared parts, pasted in after the text, in this order.",
                "[parts/care.md]",
                uniqueItems=True,
            ),
            "variables": {
                "type": "object",
                "propertyNames": {
                    "pattern": _IDENTIFIER,
                    "x-write": "a name of lower case letters, digits and _",
                },
                "additionalProperties": _VARIABLE,
                "description": "The values it takes.",
                "x-write": "{dependency: {type: string}}",
            },
            "applies_if": _conditions("Where these do not all hold there is nothing to do."),
            "done_if": _conditions("Where these all hold it is already done."),
            "tools": _list(
                {"enum": list(TOOLS), "type": "string"},
                "Tools that the model may use; empty means all.",
                "[read_file, list_files]",
                uniqueItems=True,
            ),
            "limits": _LIMITS,
            "allowed_paths": _list(
                _text("A glob, a template.", 'a glob such as "src/**"', pattern=GLOB),
                "Globs that changes have to fit, relative to the plugin's directory; empty: all.",
                '["src/**"]',
            ),
            "opens": _list(
                _text("A glob.", "a glob such as .github/dependabot.yml", pattern=GLOB),
                "Protected files that the playbook is for.",
                "[.github/dependabot.yml]",
            ),
            "allow_empty": {"type": "boolean", "description": "Whether changing nothing is a good end."},
            "verification": _mapping(
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
                    "commands": _list(_COMMAND, "Commands that have to exit 0 on the result; templates."),
                },
                "What has to be seen before anything is published.",
                **{"x-write": "{tests: no_regression}"},
            ),
            "pull_request": _mapping(
                {
                    "title": _text("A template.", "a line", pattern=r"^[^\n]{1,200}\n?$"),
                    "body": _text("A template, markdown.", "markdown"),
                    "labels": _LABELS,
                },
                "What the pull request says.",
                required=["title"],
                **{"x-write": "{title: …, body: …}"},
            ),
            "script": _text(
                "The shell command of a script playbook; variables reach it as VAR_<NAME>.", "a command", minLength=1
            ),
            "expect": _list({"type": "object"}, "Expected behaviour: rules over the trace and the result."),
            "let": {"type": "object", "description": "Named selectors for `expect`."},
        },
        required=["id", "version", "summary"],
        **{"x-write": "id, version and summary"},
    ),
    "$defs": {"condition": _CONDITION},
}
SCHEMAS: dict[str, Schema] = {
    "fleet": FLEET_SCHEMA,
    "playbook": PLAYBOOK_SCHEMA,
    "plugin": NARROW_SCHEMA,
}
"""File name → schema: fleet.yaml, a playbook's front matter, a plugin's own `.fleet-bot.yaml`."""


def render(schema: Schema) -> str:
    """A schema as its file in `docs/schemas/` has it."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def write_schemas(folder: Path) -> None:
    """Write all schemas as `<name>.schema.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in SCHEMAS.items():
        (folder / f"{name}.schema.json").write_text(render(schema), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
