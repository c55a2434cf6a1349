"""A flight plan: what is to be shown, how long to try, and what that costs and can prove, said before it starts."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from bot.windtunnel.statistics import log_evidence, log_futility, pass_hat

MOST_TRIALS = 100_000
"""A scenario; more are never flown."""
Decision = Literal["CERTIFIED", "REJECTED", "INCONCLUSIVE", "ERROR"]


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is claimed, and when to stop. Fixed before the first trial; part of the certificate."""

    target: float = 0.95
    """The pass rate to be exceeded, on every scenario by itself."""
    confidence: float = 0.95
    max_trials: int = 200
    """Per scenario, errors left out."""
    max_errors: float = 0.05
    """The share of attempts that may end in an error of the infrastructure before the flight says nothing."""
    max_harm: int = 0
    """How many trials may do what must never happen."""

    def __post_init__(self) -> None:
        if not (0 < self.target < 1 and 0 < self.confidence < 1 and self.max_trials > 0):
            msg = "target and confidence lie between 0 and 1, max_trials is at least 1"
            raise ValueError(msg)


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How the trials of one scenario ended so far."""

    passed: int = 0
    failed: int = 0
    """Trials that are no success, harmful ones included."""
    harm: int = 0
    errors: int = 0
    """Attempts that the infrastructure broke; they count neither way."""

    @property
    def trials(self) -> int:
        """Those that count."""
        return self.passed + self.failed


class Characteristic(msgspec.Struct, frozen=True, kw_only=True):
    """How a plan ends for a playbook of this true rate on one scenario, computed exactly."""

    rate: float
    certify: float
    reject: float
    trials: float
    """The mean."""


def decide(tally: Tally, plan: Plan) -> Decision | None:
    """The verdict on a scenario; None: go on."""
    if tally.harm > plan.max_harm:
        return "REJECTED"
    if tally.errors > _tolerated(plan, max(tally.trials + tally.errors, plan.max_trials)):
        return "ERROR"
    border = _border(plan)
    broken = tally.errors > _tolerated(plan, tally.trials + tally.errors)
    if tally.trials >= _at(border.certify, tally.failed, math.inf):
        return "ERROR" if broken else "CERTIFIED"
    if tally.failed and tally.trials <= _at(border.reject, tally.failed, math.inf):
        return "REJECTED"
    if tally.trials >= plan.max_trials:
        return "ERROR" if broken else "INCONCLUSIVE"
    return None


def _tolerated(plan: Plan, attempts: int) -> float:
    """A single error never voids a flight."""
    return max(plan.max_errors * attempts, 1)


def _at(border: tuple[float, ...], failed: int, beyond: float) -> float:
    return border[failed] if failed < len(border) else beyond


def combine(decisions: Iterable[Decision | None]) -> Decision | None:
    """The verdict on a playbook: certified only if it is on every scenario (intersection-union, no correction needed).

    None while a scenario is still undecided and none is rejected.
    """
    found = set(decisions)
    if "REJECTED" in found:
        return "REJECTED"
    if None in found or not found:
        return None if found else "ERROR"
    if "ERROR" in found:
        return "ERROR"
    return "INCONCLUSIVE" if "INCONCLUSIVE" in found else "CERTIFIED"


def fewest_trials(plan: Plan) -> int | None:
    """How many trials without a failure certify, or None when even `max_trials` do not."""
    fewest = _border(plan).certify[0]
    return int(fewest) if fewest <= plan.max_trials else None


def flight_plan(target: float) -> Plan:
    """The plan for a target, with as many trials as it takes: by default, or twice as often until it can certify."""
    plan = Plan(target=target)
    while fewest_trials(plan) is None and plan.max_trials < MOST_TRIALS:
        plan = msgspec.structs.replace(plan, max_trials=min(2 * plan.max_trials, MOST_TRIALS))
    return plan


def characteristic(plan: Plan, rate: float) -> Characteristic:
    """What the plan does with a playbook of this true rate: follows the probability of every count of failures."""
    border = _border(plan)
    alive = {0: 1.0}
    certify = reject = trials = 0.0
    for number in range(1, plan.max_trials + 1):
        trials += math.fsum(alive.values())
        after: dict[int, float] = {}
        for failed, chance in alive.items():
            after[failed] = after.get(failed, 0.0) + chance * rate
            after[failed + 1] = after.get(failed + 1, 0.0) + chance * (1 - rate)
        alive = {}
        for failed, chance in after.items():
            if number >= border.certify[failed]:
                certify += chance
            elif number <= border.reject[failed]:
                reject += chance
            elif chance > 0.0:
                alive[failed] = chance
    return Characteristic(rate=rate, certify=certify, reject=reject, trials=trials)


def characteristics(plan: Plan, rates: Iterable[float] | None = None) -> tuple[Characteristic, ...]:
    """The operating characteristic at telling rates, from perfect to clearly too low."""
    miss = 1 - plan.target
    chosen = rates or (1.0, *(1 - miss * share for share in (0.1, 0.2, 0.4, 1.0, 2.0, 4.0) if miss * share < 1))
    return tuple(characteristic(plan, round(rate, 6)) for rate in chosen)


def fleet_success(tally: Tally, plugins: int) -> float | None:
    """pass^k for a fleet of this size, or None when there are fewer trials than plugins."""
    return pass_hat(tally.passed, tally.trials, plugins) if plugins <= tally.trials else None


class _Border(msgspec.Struct, frozen=True):
    certify: tuple[float, ...]
    """By number of failures: from how many trials on the evidence suffices."""
    reject: tuple[float, ...]
    """By number of failures: up to how many trials it is hopeless."""


@functools.lru_cache(maxsize=32)
def _border(plan: Plan) -> _Border:
    threshold = -math.log(1 - plan.confidence)
    certify: list[float] = []
    reject: list[float] = []
    trials = 1
    for failed in range(plan.max_trials + 2):
        trials = max(trials, failed)
        while trials <= plan.max_trials and log_evidence(trials - failed, failed, plan.target) < threshold:
            trials += 1
        certify.append(trials if trials <= plan.max_trials else math.inf)
        reject.append(_hopeless(failed, plan.target, threshold))
    return _Border(tuple(certify), tuple(reject))


def _hopeless(failed: int, target: float, threshold: float) -> float:
    """The most trials at which so many failures show that the rate is below the target; less than `failed`: none."""
    per_pass = -log_futility(1, 0, target)
    return failed + math.floor((log_futility(0, failed, target) - threshold) / per_pass)
