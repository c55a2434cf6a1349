"""What a flight will cost and what it can prove, said before anything is spent."""

from __future__ import annotations

import msgspec

from bot.ports import ModelId
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


def forecast(plan: Plan, scenarios: tuple[Scenario, ...], model: ModelId) -> Forecast:
    """What will happen."""
    live = model.adapter in {"gemini", "vertex"}
    dearest = sum(one.task.limits.cost_usd for one in scenarios) * plan.max_trials if live else 0.0
    return Forecast(
        scenarios=tuple(one.name for one in scenarios),
        fewest=fewest_trials(plan),
        most=plan.max_trials,
        cost_usd=dearest,
        ends=characteristics(plan),
    )


def told(seen: Forecast, plan: Plan) -> list[str]:
    """It in words, a line each."""
    count = len(seen.scenarios)
    lines = [f"{count} scenario{'s' * (count > 1)}: {', '.join(seen.scenarios)}"]
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
    if seen.cost_usd:
        lines.append(f"at most ${seen.cost_usd:,.2f}, if every trial used up its limits")
    for one in seen.ends:
        lines.append(
            f"  if {one.rate:.1%} of runs are good: certified {one.certify:.0%}, rejected {one.reject:.0%}, "
            f"{one.trials:.0f} trials a scenario"
        )
    return lines
