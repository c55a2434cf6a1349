"""Two playbooks on the same scenarios and seeds: what the one does right that the other does not."""

from __future__ import annotations

import msgspec

from bot.base.errors import UsageError
from bot.base.values import Playbook
from bot.windtunnel.crews import Item, open_crew
from bot.windtunnel.flight import Airfield
from bot.windtunnel.judgement import Trial
from bot.windtunnel.scenario import Scenario
from bot.windtunnel.statistics import sign_test

Side = tuple[Playbook, tuple[Scenario, ...]]


class Pairs(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, or the whole run, over all pairs of trials."""

    rule: str
    both: int
    """Pairs in which both are good."""
    first: int
    """Only the first playbook's run is good."""
    second: int
    neither: int
    p: float
    """How likely a difference like this is when the better one is in truth no better (exact, one-sided)."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    playbook: str
    against: str
    scenarios: tuple[str, ...]
    pairs: int
    """Pairs that count: of both trials none was broken by the infrastructure."""
    runs: Pairs
    """Whole runs."""
    rules: tuple[Pairs, ...]
    """Rules on which they differ, or that one of them broke."""
    folders: tuple[str, str]


def compare(one: Side, other: Side, field: Airfield, *, seeds: int) -> Comparison:
    """Fly both on every scenario that both have, with the same seeds. Raises `UsageError` when there is none."""
    one, other = in_common(one, other)
    names = [scenario.name for scenario in one[1]]
    first, first_folder = _fly(one, names, field, seeds)
    second, second_folder = _fly(other, names, field, seeds)
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if "error" not in {a.result, b.result}]
    broken = sorted({failure.rule for pair in pairs for trial in pair for failure in trial.failures})
    return Comparison(
        playbook=one[0].file or one[0].id,
        against=other[0].file or other[0].id,
        scenarios=tuple(names),
        pairs=len(pairs),
        runs=_pairs("the whole run", [(a.result == "passed", b.result == "passed") for a, b in pairs]),
        rules=tuple(_pairs(rule, [(_kept(a, rule), _kept(b, rule)) for a, b in pairs]) for rule in broken),
        folders=(first_folder, second_folder),
    )


def in_common(one: Side, other: Side) -> tuple[Side, Side]:
    """Both with the scenarios that both have, in the same order. Raises `UsageError` when there is none."""
    theirs = {scenario.name: scenario for scenario in other[1]}
    mine = tuple(scenario for scenario in one[1] if scenario.name in theirs)
    if not mine:
        msg = f"{one[0].id} and {other[0].id} have no scenario in common."
        raise UsageError(msg, "Compare two versions of one playbook, or name virtual plugins that both know.")
    return (one[0], mine), (other[0], tuple(theirs[scenario.name] for scenario in mine))


def _fly(side: Side, names: list[str], field: Airfield, seeds: int) -> tuple[list[Trial], str]:
    playbook, scenarios = side
    log = field.log(playbook, scenarios)
    items = [Item(scenario=name, seed=seed) for name in names for seed in range(seeds)]
    missing = [item for item in items if log.find(item.scenario, item.seed) is None]
    with open_crew(scenarios, field.pilot, field.redactor, field.jobs, expected=len(missing)) as crew:
        for trial in crew.fly(missing):
            log.add(trial)
    return [found for item in items if (found := log.find(item.scenario, item.seed))], str(log.folder.absolute())


def _kept(trial: Trial, rule: str) -> bool:
    return all(failure.rule != rule for failure in trial.failures)


def _pairs(rule: str, seen: list[tuple[bool, bool]]) -> Pairs:
    first, second = seen.count((True, False)), seen.count((False, True))
    return Pairs(
        rule=rule,
        both=seen.count((True, True)),
        first=first,
        second=second,
        neither=seen.count((False, False)),
        p=sign_test(max(first, second), min(first, second)),
    )
