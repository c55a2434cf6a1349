"""The wind tunnel: trials over scenarios and seeds until the statistic has seen enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot.base.redact import Redactor
from bot.windtunnel import certificate
from bot.windtunnel.crews import Item, open_crew
from bot.windtunnel.judgement import Trial
from bot.windtunnel.logbook import Logbook
from bot.windtunnel.pilots import Pilot
from bot.windtunnel.plan import Decision, Plan, decide, fewest_trials
from bot.windtunnel.scenario import Scenario

_NOTHING_NEW = 60
"""Attempts of a scripted model without anything new, after which there will be nothing new."""


@dataclass(kw_only=True)
class Flown:
    """One scenario so far."""

    scenario: Scenario
    scripted: bool
    trials: list[Trial] = field(default_factory=list)
    """In the order of their seeds."""
    decision: Decision | None = None
    exhausted: bool = False
    """Nothing new comes of flying on."""

    @property
    def attempts(self) -> tuple[certificate.Attempt, ...]:
        """As the certificate lists them."""
        return tuple(
            certificate.Attempt(
                seed=trial.seed,
                result=trial.result,
                trace=trial.head,
                behaviour=trial.behaviour,
                failed_rules=tuple(failure.rule for failure in trial.failures),
            )
            for trial in self.trials
        )

    def add(self, trial: Trial, plan: Plan) -> None:
        """Count one more."""
        self.trials.append(trial)
        counts = certificate.tally(self.attempts, scripted=self.scripted)
        self.decision = decide(counts, plan)
        if self.scripted and self.decision is None:
            last = {one.behaviour for one in self.trials[-_NOTHING_NEW:]}
            before = {one.behaviour for one in self.trials[:-_NOTHING_NEW]}
            self.exhausted = len(self.trials) > _NOTHING_NEW and last <= before


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """What flights need."""

    plan: Plan
    pilot: Pilot
    log: Logbook
    jobs: int = 1
    redactor: Redactor = field(default_factory=lambda: Redactor(()))
    landed: Callable[[Flown, Trial], None] = lambda flown, trial: None
    """Told of each attempt that counts, in order."""

    def fly(self, scenarios: tuple[Scenario, ...]) -> tuple[Flown, ...]:
        """Fly until each scenario is decided, or one is rejected.

        Attempts count in the order of their seeds, however many are under way at a time, so the result does not depend
        on `jobs`. What was under way when the last verdict fell is in the log and nowhere else.
        Raises `ConfigurationError` when the model refuses us, `WorldError` when the disk does; the log keeps the rest.
        """
        scripted = self.pilot.identity.adapter in {"scripted", "replay"}
        state = {one.name: Flown(scenario=one, scripted=scripted) for one in scenarios}
        expected = len(scenarios) * (fewest_trials(self.plan) or self.plan.max_trials)
        with open_crew(scenarios, self.pilot, self.redactor, self.jobs, expected=expected) as crew:
            for first in itertools.count(step=crew.wave):
                seeds = range(first, first + crew.wave)
                missing = [
                    Item(scenario=flown.scenario.name, seed=seed)
                    for seed in seeds
                    for flown in _open(state)
                    if self.log.find(flown.scenario.name, seed) is None
                ]
                ahead = crew.fly(missing)
                if not self._count(state, seeds, ahead):
                    return tuple(state.values())
        raise AssertionError

    def _count(self, state: dict[str, Flown], seeds: range, ahead: Iterator[Trial]) -> bool:
        """Count a wave in order; whether there is more to fly."""
        flying = list(_open(state))
        for seed in seeds:
            for flown in flying:
                name = flown.scenario.name
                trial = self.log.find(name, seed) or self.log.add(next(ahead))
                if flown.decision is None and not flown.exhausted:
                    flown.add(trial, self.plan)
                    self.landed(flown, trial)
                if flown.decision == "REJECTED":
                    return False
            if not any(True for _ in _open(state)):
                return False
        return True


def _open(state: dict[str, Flown]) -> Iterator[Flown]:
    return (flown for flown in state.values() if flown.decision is None and not flown.exhausted)
