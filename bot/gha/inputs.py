"""The Action's inputs and outputs: one table, which `action.yml` and `docs/github.md` are held to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from bot.base.errors import UsageError

Command = Literal["plan", "propose", "publish", "report", "run"]
COMMANDS: tuple[Command, ...] = ("plan", "propose", "publish", "report", "run")
OUTPUTS: dict[str, str] = {
    "matrix": 'The value of `strategy.matrix`, one entry for each propose job; `{"include":[]}` when nothing is due.',
    "tasks": "How many tasks there are to run.",
    "campaign": "The campaign's name, for `concurrency`; several are joined by a comma.",
    "plan-digest": "The hash of `plan.json`, for the jobs after it.",
    "report": "Path of `report.json`.",
    "proposals": "Path of the folder that holds the proposals.",
    "changed": "How many tasks ended in `changed`.",
    "pull-requests": "The pull requests' URLs, a JSON list.",
    "failed": "How many tasks ended in `blocked`, `failed` or `error`.",
    "cost": "What the model cost, in US dollars.",
}
"""Output → what it is."""
SECRETS: dict[str, str] = {
    "api-key": "GEMINI_API_KEY",
    "github-token": "GITHUB_TOKEN",
    "event-token": "FLEET_BOT_EVENT_TOKEN",
    "app-id": "FLEET_BOT_APP_ID",
    "app-private-key": "FLEET_BOT_APP_PRIVATE_KEY",
}
"""Inputs that are no words: the variable that `action.yml` puts each into, taken out of the environment at once."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What `with:` of the Action says. A field is an input's name with `_` for `-`."""

    command: Command = "run"
    """`plan`, `propose`, `publish`, `report`, or `run` for all of them in one job."""
    playbook: str = ""
    """The playbook's id; empty where the event says it (a schedule), `fix_bug` for an issue or an error."""
    plugins: tuple[str, ...] = ()
    """Plugins by name, separated by white space or commas."""
    select: str = ""
    """Plugins by topic and name, as with `--select`."""
    variables: dict[str, str] = {}
    """The playbook's variables, one `NAME=VALUE` a line."""
    bug: str = ""
    """The bug, in words."""
    issue: str = ""
    """The issue or ticket that is worked on, as with `--issue`."""
    commit: str = ""
    """Start from this commit and not from the base branch."""
    error_report: str = ""
    """A file that holds a production error: Sentry, DataDog, or text."""
    manifest: Path = Path("fleet.yaml")
    """The fleet."""
    playbooks: str = ""
    """Folder of playbooks; the shipped ones are there besides."""
    published: str = ""
    """`report`: folder of the publish job's `report.json` files, where there was one."""
    model: str = ""
    """The model, instead of the default."""
    jobs: int = 2
    """Tasks at a time in one job."""
    shards: int = 20
    """The most propose jobs that `plan` makes, 1 to 256."""
    shard: str = ""
    """Which part `propose` runs, `I/N`, from the matrix."""
    out: Path = Path("fleet-bot-out")
    """Folder of proposals and report."""
    plan: str = ""
    """Folder of the plan; empty means that of `out`."""
    plan_digest: str = ""
    """The plan job's output of that name: a plan that is another one is refused."""
    dry_run: bool = False
    """`run`: do everything but publish."""
    budget_usd: float | None = None
    """What the whole campaign may cost; divided among its tasks."""
    label: str = "fleet-bot:fix"
    """The label that asks for a fix."""
    poll: bool = False
    """`plan`, `run`: look for issues of the plugins that have the label and have no answer yet."""
    allowed_bots: tuple[str, ...] = ()
    """Logins of bots that may start a run, such as `sentry-io[bot]`; no bot may otherwise."""
    private_plugins: tuple[str, ...] = ()
    """Private plugins whose traces may be read by everybody who reads this public repository."""


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """The inputs, from `INPUT_<NAME>`. Raises `UsageError` that names the input."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Inputs):
        text = environ.get(variable(field.name), "").strip()
        if text:
            found[field.name] = _value(field.name, text)
    if found.get("command", "run") not in COMMANDS:
        msg = f"The input `command` is {found['command']!r}."
        raise UsageError(msg, f"Write one of {', '.join(COMMANDS)}.")
    return Inputs(**found)


def variable(field: str) -> str:
    """The environment variable of an input."""
    return f"INPUT_{field.replace('-', '_').upper()}"


def _value(name: str, text: str) -> Any:
    match name:
        case "plugins" | "allowed_bots" | "private_plugins":
            return tuple(word for word in re.split(r"[\s,]+", text) if word)
        case "variables":
            return _variables(text)
        case "manifest" | "out":
            return Path(text)
        case "jobs":
            return _number(name, text, 1, 64)
        case "shards":
            return _number(name, text, 1, 256)
        case "dry_run" | "poll":
            return _yes(name, text)
        case "budget_usd":
            return _amount(name, text)
        case _:
            return text


def _variables(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not equals or not _NAME.fullmatch(key.strip()):
            msg = f"The input `variables` has the line {line!r}."
            raise UsageError(msg, "Write one NAME=VALUE a line.")
        found[key.strip()] = value.strip()
    return found


def _number(name: str, text: str, low: int, high: int) -> int:
    if re.fullmatch(r"[0-9]{1,4}", text) and low <= int(text) <= high:
        return int(text)
    msg = f"The input `{name}` is {text!r}."
    raise UsageError(msg, f"Write a whole number from {low} to {high}.")


def _amount(name: str, text: str) -> float:
    if re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", text):
        return float(text)
    msg = f"The input `{name.replace('_', '-')}` is {text!r}."
    raise UsageError(msg, "Write an amount such as 5 or 2.50.")


def _yes(name: str, text: str) -> bool:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    msg = f"The input `{name.replace('_', '-')}` is {text!r}."
    raise UsageError(msg, "Write true or false.")
