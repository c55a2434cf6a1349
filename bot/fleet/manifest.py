"""Reading `fleet.yaml`: the plugins with their defaults folded in, schedules, policy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from bot.base import glob, schema
from bot.base.documents import Document, read_document
from bot.base.errors import ConfigurationError, Problem, UsageError
from bot.base.values import Limits, Plugin, Scalar, TestCommand
from bot.base.yaml_reader import KeyPath
from bot.fleet import cron, repository
from bot.fleet.fleet_schema import FLEET_SCHEMA
from bot.fleet.select import compile_selection

if TYPE_CHECKING:
    from bot.publish.gate import Policy

_NOT_THERE = "run `fleet-bot` where your fleet.yaml is, or name it with --manifest"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that starts by the clock."""

    playbook: str
    cron: str
    """Five fields, UTC, as Actions reads them."""
    select: str | None = None
    plugins: tuple[str, ...] = ()
    vars: dict[str, Scalar] = {}


class CertificatePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which campaigns need a certificate of the wind tunnel before they touch a plugin."""

    require: Literal["fleet", "always", "never"] = "fleet"
    """`fleet`: those of an agent over more than one plugin; one alone is warned of in its pull request."""
    target: float | None = None
    """The rate of good runs that it has to show at least; None: the one that it was flown for."""
    fidelity: float = 0.5
    """How like its trials the real runs have to be, 0 to 1; a certificate whose virtual plugins fall below is stale."""


class CampaignBudget(msgspec.Struct, frozen=True, kw_only=True):
    """What all tasks of one run of a campaign may spend together; None means no limit."""

    cost_usd: float | None = None
    tokens: int | None = None
    """Tokens billed, prompt and output together."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet."""

    file: Path
    plugins: tuple[Plugin, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    sandbox: Literal["strict", "best-effort"] = "strict"
    policy_settings: dict[str, Any] = {}
    """`policy:` as it is written."""
    certificates: CertificatePolicy = CertificatePolicy()
    campaign: CampaignBudget = CampaignBudget()

    @property
    def policy(self) -> Policy:
        """What the gate allows."""
        # Late: the gate brings half of the house with it, and `validate` has to start at once.
        from bot.publish.gate import Policy

        return msgspec.convert(self.policy_settings, Policy)


def read_manifest(path: Path) -> Manifest:
    """The fleet. Raises `ConfigurationError` that lists *all* mistakes, each with its line and its cure."""
    manifest, problems, _ = look_at_manifest(path)
    if manifest is None:
        count = f"{len(problems)} mistakes" if len(problems) > 1 else "a mistake"
        msg = f"{path} has {count}."
        raise ConfigurationError(msg, problems=tuple(problems))
    return manifest


def look_at_manifest(path: Path) -> tuple[Manifest | None, list[Problem], Document]:
    """The fleet, or None and everything that is wrong with it; and the document, for who wants to look further."""
    document = read_document(path)
    problems = list(document.problems)
    if problems and document.value is None:
        if not path.exists():
            problems = [dataclasses.replace(problem, cure=_NOT_THERE) for problem in problems]
        return None, problems, document
    problems += schema.check(document, FLEET_SCHEMA)
    problems += _beyond_the_schema(document)
    problems = sorted(set(problems))
    return (None if problems else _build(document.value, path)), problems, document


def _beyond_the_schema(document: Document) -> Iterator[Problem]:
    data = document.value if isinstance(document.value, dict) else {}
    entries: list[tuple[KeyPath, dict[str, Any]]] = [
        (("plugins", index), entry) for index, entry in enumerate(_list(data, "plugins")) if isinstance(entry, dict)
    ]
    yield from _plugins(document, entries)
    for key in ("defaults", "policy"):
        if isinstance(data.get(key), dict):
            yield from _globs(document, (key,), data[key])
    for path, entry in entries:
        yield from _globs(document, path, entry)
    names = {entry.get("name") for _, entry in entries}
    for index, entry in enumerate(_list(data, "schedules")):
        if isinstance(entry, dict):
            yield from _schedule(document, ("schedules", index), entry, names)


def _plugins(document: Document, entries: list[tuple[KeyPath, dict[str, Any]]]) -> Iterator[Problem]:
    names: dict[str, int] = {}
    places: dict[tuple[Any, ...], int] = {}
    for path, entry in entries:
        name, repo = entry.get("name"), entry.get("repo")
        if isinstance(name, str):
            line = document.line((*path, "name"))
            first = names.setdefault(name.casefold(), line)
            if first != line:
                what = f"the name {name} is taken, see line {first}"
                yield document.problem((*path, "name"), what, "write another name; case does not count")
        if not isinstance(repo, str) or not repo:
            continue
        if (wrong := repository.trouble(repo)) is not None:
            yield document.problem((*path, "repo"), f"`repo` is {schema.shown(repo)}: it {wrong[0]}", wrong[1])
            continue
        line = document.line((*path, "repo"))
        place = (repository.identity(repo), str(entry.get("directory", ".")), str(entry.get("base")))
        first = places.setdefault(place, line)
        if first != line:
            what = f"{repo} is in the fleet already, see line {first}"
            yield document.problem((*path, "repo"), what, "delete one, or give each its own directory or base")


def _globs(document: Document, path: KeyPath, holder: dict[str, Any]) -> Iterator[Problem]:
    test = holder.get("test")
    for keys, globs in (
        (("allowed_paths",), _list(holder, "allowed_paths")),
        (("protected",), _list(holder, "protected")),
        (("test", "paths"), _list(test, "paths") if isinstance(test, dict) else []),
    ):
        for index, item in enumerate(globs):
            if isinstance(item, str) and (reason := glob.trouble(item)) is not None:
                yield document.problem((*path, *keys, index), f"`{item}` {reason}", "write a simpler glob")


def _schedule(document: Document, path: KeyPath, entry: dict[str, Any], names: set[Any]) -> Iterator[Problem]:
    when = entry.get("cron")
    if isinstance(when, str) and (wrong := cron.trouble(when)) is not None:
        yield document.problem((*path, "cron"), f"`cron` {wrong[0]}", wrong[1])
    select = entry.get("select")
    if isinstance(select, str) and select:
        try:
            compile_selection(select)
        except UsageError as error:
            yield document.problem((*path, "select"), error.what, error.cure)
    for index, name in enumerate(_list(entry, "plugins")):
        if isinstance(name, str) and name not in names:
            guess = schema.near(name, [known for known in names if isinstance(known, str)])
            cure = f"write {guess}" if guess else "write the name of a plugin"
            yield document.problem((*path, "plugins", index), f"there is no plugin {name}", cure)


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []


def _build(data: dict[str, Any], path: Path) -> Manifest:
    folder = path.absolute().parent
    defaults = data.get("defaults", {})
    return Manifest(
        file=path,
        plugins=tuple(_plugin(entry, defaults, folder) for entry in data["plugins"]),
        schedules=tuple(msgspec.convert(entry, Schedule) for entry in data.get("schedules", ())),
        sandbox=data.get("sandbox", "strict"),
        policy_settings=_whole(data.get("policy", {}), ("max_files", "max_lines", "max_bytes")),
        campaign=msgspec.convert(_whole(data.get("campaign", {}), ("tokens",)), CampaignBudget),
        certificates=msgspec.convert(data.get("certificates", {}), CertificatePolicy),
    )


def _plugin(entry: dict[str, Any], defaults: dict[str, Any], folder: Path) -> Plugin:
    settings = {**defaults, **entry}
    written = _whole({**defaults.get("limits", {}), **entry.get("limits", {})}, ("steps", "tokens"))
    test = settings.pop("test", None)
    settings |= {
        "repo": repository.absolute(entry["repo"], folder),
        "directory": "/".join(part for part in entry.get("directory", ".").split("/") if part not in {"", "."}) or ".",
        "limits": msgspec.convert(written, Limits),
        "ceilings": sorted(written),
        "test": msgspec.convert({"command": test} if isinstance(test, str) else test, TestCommand | None),
    }
    return msgspec.convert(settings, Plugin)


def _whole(settings: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """With whole numbers where they belong: `20.0` is a whole number to YAML."""
    return {name: int(value) if name in names else value for name, value in settings.items()}
