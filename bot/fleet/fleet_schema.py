"""What may stand in `fleet.yaml`, as JSON Schema with the cure of each mistake."""

from __future__ import annotations

from typing import Any

from bot.base.schema import Schema
from bot.fleet.branch import BRANCH
from bot.fleet.schema_words import (
    BELOW,
    COMMAND,
    DIALECT,
    GLOBS,
    IDENTIFIER,
    LABELS,
    LIMITS,
    LOGIN,
    NAME,
    SCALAR,
    amount,
    either,
    listed,
    mapping,
    maybe,
    text,
)
from bot.task.narrow import GLOB

_REVIEWERS = listed(
    text("A login, or a team.", "a login (without @) or org/team", pattern=LOGIN),
    "Who is asked for a review: logins, and teams as `org/team`.",
    "[octocat, acme/maintainers]",
    uniqueItems=True,
)


_TEST = either(
    COMMAND,
    mapping(
        {
            "command": COMMAND,
            "junit": text(
                "Where the command leaves JUnit XML; pytest needs no help.", "a file such as report.xml", pattern=BELOW
            ),
            "paths": GLOBS | {"description": "Globs of the files that are tests; empty means the usual names."},
        },
        required=["command"],
    ),
    {"type": "null"},
    description="How the tests are run.",
    write="python -m pytest -q, or {command: …, junit: …, paths: […]}",
)
_PLUGIN_SETTINGS: dict[str, Any] = {
    "base": maybe(
        text("Branch that changes go to; default: the repository's own.", "a branch such as main", pattern=BRANCH)
    ),
    "setup": maybe(
        text(
            "Shell command that installs what the tests need; runs with network before the model sees anything.",
            "a command",
            minLength=1,
        )
    ),
    "test": {"$ref": "#/$defs/test"},
    "version_file": maybe(
        text("File that holds the version, relative to the directory.", "a file such as pyproject.toml", pattern=BELOW)
    ),
    "changelog": maybe(
        text("The changelog, relative to the directory.", "a file such as CHANGE_LOG.md", pattern=BELOW)
    ),
    "allowed_paths": GLOBS | {"description": "Globs that changes have to fit, relative to the directory; empty: all."},
    "labels": LABELS,
    "reviewers": _REVIEWERS,
    "draft": {"type": "boolean", "description": "Whether pull requests are opened as drafts.", "x-write": "true"},
    "network": {
        "enum": ["none", "loopback", "full"],
        "type": "string",
        "description": "What the agent's commands and the tests may reach.",
    },
    "limits": {"$ref": "#/$defs/limits"},
}
_PLUGIN = mapping(
    {
        "name": text(
            "Unique; letters, digits, dot, underscore, hyphen.", "a name such as my-first-plugin", pattern=NAME
        ),
        "repo": text(
            "`owner/name` on the forge, an https URL, or a path relative to this file.",
            "owner/name, https://host/owner/name, or ./path",
            minLength=1,
        ),
        "directory": text(
            "The project's folder inside the repository.", "a folder such as packages/core", pattern=BELOW
        ),
        "topics": listed(
            text("A topic.", "a word", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
            "Words to select plugins by.",
            "[python]",
            uniqueItems=True,
        ),
    }
    | _PLUGIN_SETTINGS
    | {
        "keep_trace": {
            "type": "boolean",
            "description": "Also push the full trace to `refs/fleet-bot/traces/…` of the repository; it outlives the "
            "artifacts of workflows. Whoever can read the repository can read it.",
        },
        "archived": {
            "type": "boolean",
            "description": "Leave the plugin out without deleting the entry.",
            "x-write": "true",
        },
    },
    "One repository of the fleet, or one project inside it.",
    required=["name", "repo"],
    **{"x-write": "{name: my-plugin, repo: acme/my-plugin}"},
)
_SCHEDULE = mapping(
    {
        "playbook": text("The playbook's id.", "the id of a playbook", pattern=IDENTIFIER),
        "cron": text("When, as cron in UTC: minute, hour, day, month, weekday.", '"0 4 * * 1"', minLength=1),
        "select": text("Which plugins, as with --select.", '"topic:python"', minLength=1),
        "plugins": listed(text("A plugin's name."), "Which plugins, by name.", "[my-plugin]", minItems=1),
        "vars": {
            "type": "object",
            "additionalProperties": SCALAR,
            "description": "The playbook's variables.",
            "x-write": "{dependency: requests}",
        },
    },
    "A campaign that starts by the clock.",
    required=["playbook", "cron"],
    **{"x-write": '{playbook: update_dependency, cron: "0 4 * * 1"}'},
)
_POLICY = mapping(
    {
        "allowed_paths": listed(
            text("A glob.", 'a glob such as "src/**"', pattern=GLOB),
            "Globs, relative to the repository: nothing else may change anywhere in the fleet.",
            '["src/**"]',
        ),
        "protected": listed(
            text("A glob.", 'a glob such as "docs/**"', pattern=GLOB),
            "Globs that are protected besides the built-in ones.",
            '["docs/**"]',
        ),
        "max_files": amount("Files that one pull request may change.", "integer"),
        "max_lines": amount("Lines that one pull request may add and remove, together.", "integer"),
        "max_bytes": amount("Size of the patch.", "integer"),
        "binaries": {"type": "boolean", "description": "Whether binary files may change."},
        "symlinks": {"type": "boolean", "description": "Whether symbolic links may be made."},
        "executables": {"type": "boolean", "description": "Whether a file may become executable."},
        "weaker_tests": {
            "type": "boolean",
            "description": "Whether tests may be deleted, skipped or lose assertions.",
        },
        "secrets": {
            "type": "boolean",
            "description": "Whether what looks like a key may be added, as in the fixtures of a scanner.",
        },
    },
    "What the gate allows to be published.",
)
_CERTIFICATES = mapping(
    {
        "require": {
            "enum": ["fleet", "always", "never"],
            "type": "string",
            "description": "Which campaigns of an agent need a valid certificate: those over several plugins (fleet), "
            "all, or none.",
        },
        "target": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 0.9999,
            "description": "The rate of good runs that a certificate has to show at least.",
            "x-write": "0.95",
        },
        "fidelity": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "How like its trials real runs have to be (fidelity cards); 0 lets nothing become stale.",
            "x-write": "0.5",
        },
    },
    "What the wind tunnel has to show before a playbook touches plugins.",
)
FLEET_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "fleet.yaml",
    **mapping(
        {
            "version": {"const": 1, "description": "The version of this format."},
            "defaults": mapping(_PLUGIN_SETTINGS, "What holds for every plugin that does not say otherwise."),
            "plugins": listed(_PLUGIN, "The fleet.", "a list, or [] for none"),
            "schedules": listed(_SCHEDULE, "Campaigns that start by the clock."),
            "policy": _POLICY,
            "certificates": _CERTIFICATES,
            "campaign": mapping(
                {"cost_usd": LIMITS["properties"]["cost_usd"], "tokens": LIMITS["properties"]["tokens"]},
                "What all tasks of one run of a campaign may spend together.",
                **{"x-write": "{cost_usd: 50}"},
            ),
            "sandbox": {
                "enum": ["strict", "best-effort"],
                "type": "string",
                "description": "Whether a machine that cannot confine commands refuses to run them.",
            },
        },
        required=["version", "plugins"],
        **{"x-write": "version: 1 and plugins: [{name: …, repo: …}]"},
    ),
    "$defs": {"test": _TEST, "limits": LIMITS},
}
