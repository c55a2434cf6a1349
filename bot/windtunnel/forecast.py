"""What a flight will cost and what it can prove, said before anything is spent."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bot.ports import ModelId
from bot.trace.inert import counted
from bot.windtunnel.plan import Characteristic, Plan, characteristics, fewest_trials
from bot.windtunnel.scenario import Scenario


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Before the first trial."""

    scenarios: tuple[str, ...]
    fewest: int | None
    """Trials a scenario that certify when none fails; None: this plan cannot certify anything."""
    most: int
    """Trials a scenario at which it ends in any case."""
    cost_usd: float
    """The most that all trials together can cost, by the limits of a task; 0 for a scripted model."""
    ends: tuple[Characteristic, ...]
    """How a flight ends by the true rate of good runs."""


class PairsForecast(msgspec.Struct, frozen=True, kw_only=True):
    """Before two playbooks are compared."""

    scenarios: tuple[str, ...]
    pairs: int
    """A scenario; each is a trial of both playbooks."""
    trials: int
    """Of both playbooks, on all scenarios."""
    cost_usd: float
    """The most that all trials together can cost, by the limits of a task; 0 for a scripted model."""


def forecast(plan: Plan, scenarios: tuple[Scenario, ...], model: ModelId) -> Forecast:
    """What will happen."""
    return Forecast(
        scenarios=tuple(one.name for one in scenarios),
        fewest=fewest_trials(plan),
        most=plan.max_trials,
        cost_usd=_dearest(scenarios, model) * plan.max_trials,
        ends=characteristics(plan),
    )


def forecast_pairs(one: tuple[Scenario, ...], other: tuple[Scenario, ...], seeds: int, model: ModelId) -> PairsForecast:
    """What comparing will cost: `one` and `other` are the same scenarios, each for its own playbook."""
    return PairsForecast(
        scenarios=tuple(scenario.name for scenario in one),
        pairs=seeds,
        trials=seeds * (len(one) + len(other)),
        cost_usd=_dearest((*one, *other), model) * seeds,
    )


def _dearest(scenarios: Iterable[Scenario], model: ModelId) -> float:
    live = model.adapter in {"gemini", "vertex"}
    return sum(one.task.limits.cost_usd for one in scenarios) if live else 0.0


def told_pairs(seen: PairsForecast) -> list[str]:
    """It in words, a line each."""
    return [
        _named(seen.scenarios),
        f"{counted(seen.pairs, 'pair')} of trials a scenario, {seen.trials:,} trials of both playbooks in all",
        *_priced(seen.cost_usd),
    ]


def _named(scenarios: tuple[str, ...]) -> str:
    return f"{counted(len(scenarios), 'scenario')}: {', '.join(scenarios)}"


def _priced(cost_usd: float) -> list[str]:
    return [f"at most ${cost_usd:,.2f}, if every trial used up its limits"] if cost_usd else []


def told(seen: Forecast, plan: Plan) -> list[str]:
    """It in words, a line each."""
    count = len(seen.scenarios)
    lines = [_named(seen.scenarios)]
    if seen.fewest is None:
        lines.append(
            f"This plan cannot certify: {seen.most} trials without a failure do not show a rate above "
            f"{plan.target:.0%} at {plan.confidence:.0%} confidence. It can only reject."
        )
    else:
        lines.append(
            f"{seen.fewest} to {seen.most} trials a scenario, {count * seen.fewest} at least in all, to show a rate "
            f"above {plan.target:.0%} on each at {plan.confidence:.0%} confidence"
        )
    lines += _priced(seen.cost_usd)
    for one in seen.ends:
        lines.append(
            f"  if {one.rate:.1%} of runs are good: certified {one.certify:.0%}, rejected {one.reject:.0%}, "
            f"{one.trials:.0f} trials a scenario"
        )
    return lines
