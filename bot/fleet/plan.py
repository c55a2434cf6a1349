"""From manifest, playbook and selection to tasks: pure, nothing is cloned and nobody is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from bot.base import schema
from bot.base.canonical import digest
from bot.base.errors import UsageError
from bot.base.values import Limits, Playbook, Plugin, Report, Scalar, Task
from bot.fleet import repository
from bot.fleet.branch import campaign_branch, fix_branch, is_branch
from bot.fleet.bug_report import commit_in
from bot.fleet.manifest import Manifest
from bot.fleet.rendering import Filling, fill, needs_report
from bot.fleet.select import compile_selection
from bot.fleet.variables import values_for

_DIGITS = 6
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_WHOLE = ("steps", "tokens")
_MOST_SHARDS = 256
"""Jobs that a matrix can have, https://docs.github.com/actions/reference/limits."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would run where."""

    playbook: Playbook
    campaign: str
    tasks: tuple[Task, ...]
    """In the order of the manifest; those with `skip` too."""


def make_plan(
    manifest: Manifest,
    playbook: Playbook,
    *,
    names: tuple[str, ...] = (),
    select: str | None = None,
    variables: Mapping[str, Scalar] | None = None,
    report: Report | None = None,
    commit: str | None = None,
    limits: Mapping[str, float] | None = None,
) -> Plan:
    """One task per plugin that is selected.

    `names` and `select` both have to fit; without either the whole fleet is meant. `commit` is where the work starts,
    or else the commit that the report names. `limits` lowers what manifest and playbook allow.
    Raises `UsageError` for unknown plugins and variables, missing values, a selection that is wrong or fits nothing,
    and a playbook that needs a report where there is none.
    """
    chosen = selected(manifest, names, select)
    values = values_for(playbook, variables or {})
    _need_report(playbook, report)
    start = _commit(commit, report)
    campaign = campaign_id(playbook, values, select=select, report=report, commit=start)
    shared = Counter(repository.identity(plugin.repo) for plugin in (chosen if report else manifest.plugins))
    tasks = tuple(
        _task(
            playbook,
            Filling(plugin=plugin, variables=values, report=report, commit=start),
            campaign,
            shares=shared[repository.identity(plugin.repo)] > 1,
            limits=limits_for(plugin, playbook, limits or {}),
            by_report=commit is None and start is not None,
        )
        for plugin in chosen
    )
    return Plan(playbook=playbook, campaign=campaign, tasks=tasks)


def selected(manifest: Manifest, names: tuple[str, ...], select: str | None) -> tuple[Plugin, ...]:
    """The plugins that are meant, in the order of the manifest. Raises `UsageError` as `make_plan` does."""
    known = [plugin.name for plugin in manifest.plugins]
    strange = [name for name in dict.fromkeys(names) if name not in known]
    if strange:
        hints = [f"{name} (did you mean {guess}?)" if (guess := schema.near(name, known)) else name for name in strange]
        msg = f"{manifest.file} has no plugin {', '.join(hints)}."
        raise UsageError(msg, f"It has: {', '.join(known[:20]) or 'none'}{', …' if len(known) > 20 else ''}.")
    fits = compile_selection(select) if select is not None else None
    found = tuple(
        plugin for plugin in manifest.plugins if (not names or plugin.name in names) and (fits is None or fits(plugin))
    )
    if fits is not None and not found:
        topics = sorted({topic for plugin in manifest.plugins for topic in plugin.topics})
        msg = f"No plugin of {manifest.file} fits the selection `{select}`."
        raise UsageError(msg, f"Its topics are: {', '.join(topics) or 'none'}.")
    return found


def campaign_id(
    playbook: Playbook,
    variables: Mapping[str, Scalar],
    *,
    select: str | None = None,
    report: Report | None = None,
    commit: str | None = None,
) -> str:
    """The playbook's id and a few digits, the same for the same variables, selection, report and start.

    The selection counts as it is written, not as what it fits today, so that a fleet can grow within a campaign.
    Plugins given by name do not count: one first and then the others, or one again, is one campaign.
    """
    about = None if report is None else [report.ticket, report.issue, report.text]
    selection = " ".join((select or "").split())
    return f"{playbook.id}-{digest([playbook.id, dict(variables), selection, about, commit])[:_DIGITS]}"


def limits_for(plugin: Plugin, playbook: Playbook, most: Mapping[str, float]) -> Limits:
    """What a task may spend. A playbook's wish counts up to what the manifest sets; `most` caps everything."""
    found: dict[str, float] = msgspec.structs.asdict(plugin.limits)
    for name, wish in playbook.limits.items():
        found[name] = min(found[name], wish) if name in plugin.ceilings else wish
    for name, cap in most.items():
        found[name] = min(found[name], cap)
    whole = {name: int(value) if name in _WHOLE else float(value) for name, value in found.items()}
    return msgspec.convert(whole, Limits)


def shards(tasks: tuple[Task, ...], count: int) -> tuple[tuple[Task, ...], ...]:
    """The tasks in `count` parts, or fewer where there are fewer tasks; none is empty.

    The same tasks always fall into the same parts. Tasks that start are spread evenly, then those that are skipped.
    Raises `UsageError` when `count` is not 1 to 256.
    """
    if not 1 <= count <= _MOST_SHARDS:
        msg = f"{count} shards cannot be made."
        raise UsageError(msg, f"Actions runs 1 to {_MOST_SHARDS} jobs of a matrix.")
    parts = min(count, len(tasks))
    spread = sorted(tasks, key=lambda task: task.skip is not None)
    return tuple(tuple(spread[part::parts]) for part in range(parts))


def matrix(tasks: tuple[Task, ...], count: int) -> dict[str, Any]:
    """The value of `strategy.matrix`: one entry per shard, with what `propose --shard` takes and the plugins' names.

    `id` is the shard as a word that file names and artifacts take.
    """
    parts = shards(tasks, count)
    return {
        "include": [
            {
                "shard": f"{number}/{len(parts)}",
                "id": f"{number}-of-{len(parts)}",
                "plugins": [task.plugin.name for task in part],
                "tasks": sum(task.skip is None for task in part),
            }
            for number, part in enumerate(parts, 1)
        ]
    }


def shard(tasks: tuple[Task, ...], word: str) -> tuple[Task, ...]:
    """The part that `I/N` names, counted from 1; empty when there are fewer tasks. Raises `UsageError` otherwise."""
    found = re.fullmatch(r"([0-9]{1,3})/([0-9]{1,3})", word)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        msg = f"{word} names no shard."
        raise UsageError(msg, "Write I/N, such as 1/4 for the first of four.")
    parts = shards(tasks, count)
    return parts[number - 1] if number <= len(parts) else ()


def _task(
    playbook: Playbook, filling: Filling, campaign: str, *, shares: bool, limits: Limits, by_report: bool
) -> Task:
    plugin, report = filling.plugin, filling.report
    filled, prompt = fill(playbook, filling)
    suffix = plugin.name if shares else None
    return Task(
        plugin=plugin,
        playbook=filled,
        campaign=campaign,
        variables=dict(filling.variables),
        prompt=prompt,
        limits=limits,
        branch=fix_branch(report, suffix) if report else campaign_branch(campaign, suffix),
        report=report,
        commit=filling.commit,
        commit_from_report=by_report,
        skip="archived in fleet.yaml" if plugin.archived else None,
    )


def _need_report(playbook: Playbook, report: Report | None) -> None:
    if report is None and needs_report(playbook):
        msg = f"The playbook {playbook.id} works on a report, and there is none."
        raise UsageError(msg, "Give --bug TEXT, --issue ID or --error-report FILE.")


def _commit(given: str | None, report: Report | None) -> str | None:
    if given is None:
        return (report.commit or commit_in(report.text)) if report is not None else None
    commit = given.strip().lower()
    if _COMMIT.fullmatch(commit) is None:
        msg = f"{given!r} is no commit."
        cure = "Give 7 to 40 hexadecimal digits; branches and tags are not taken here."
        raise UsageError(msg, cure if is_branch(given) else "Give 7 to 40 hexadecimal digits.")
    return commit
