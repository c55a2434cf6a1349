"""What a flight showed: one value, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bot.base.values import Playbook, Usage
from bot.ports import ModelId
from bot.windtunnel.certificate import Statistic, held_against_twins, statistic, tally
from bot.windtunnel.filing import Filing
from bot.windtunnel.judgement import Trial
from bot.windtunnel.logbook import Logbook
from bot.windtunnel.plan import Decision, Plan, combine, fleet_success
from bot.windtunnel.statistics import Interval
from bot.windtunnel.tunnel import Flown
from bot.windtunnel.twins import Alone, Pair

_SHOWN = 5


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that trials of a scenario broke."""

    rule: str
    severity: str
    trials: int
    seed: int
    """The first trial that broke it."""
    seq: int | None
    """The event that broke it, in that trial's trace; None: what is missing is missing at the end."""
    reason: str
    trace: str
    """That trial's trace, absolute."""


class ScenarioReport(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario."""

    name: str
    summary: str
    trials: int
    """Those that count: errors of the infrastructure do not, and of a scripted model's repetitions one."""
    passed: int
    harm: int
    errors: int
    interval: Interval
    """Exact interval of the pass rate, as if the number of trials had been fixed."""
    at_least: float
    """The bound that holds although the flight could stop at any time."""
    harm_at_most: float
    verdict: Decision
    failed_rules: tuple[str, ...]
    failures: tuple[Broken, ...] = ()
    warnings: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    """Commands that the virtual plugin had no answer for."""
    repeated: int = 0
    """Attempts of a scripted model that did what an earlier one had done."""
    fleet: float | None = None
    """pass^k for the fleet's size."""
    trace: str = ""
    """The first trial's trace, absolute."""


class FlightReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `tunnel --json` prints."""

    playbook: str
    version: str
    model: ModelId
    verdict: Decision
    why: str
    """The verdict in one sentence."""
    scenarios: tuple[ScenarioReport, ...]
    certificate: str | None
    """Path of the certificate, absolute."""
    wider: str | None = None
    """Path of the certificate over more scenarios that this flight, over a part of them, has left in its place."""
    plan: Plan
    usage: Usage = Usage()
    attempts: int = 0
    plugins: int = 0
    """The fleet's size; 0: there is no fleet."""
    twins: tuple[Pair, ...] = ()
    """The same run on the materialised twins, where that was asked for."""
    without_twin: tuple[Alone, ...] = ()
    """Where that was asked for and could not be done."""
    differing_twins: tuple[str, ...] = ()
    """Scenarios whose twin ended otherwise, now or when the certificate was filed; one of them vetoes it."""
    folder: str = ""

    @property
    def certified(self) -> bool:
        """Whether it may fly."""
        return self.verdict == "CERTIFIED"


def make_flight_report(
    playbook: Playbook,
    model: ModelId,
    plan: Plan,
    flown: tuple[Flown, ...],
    log: Logbook,
    *,
    filing: Filing,
    plugins: int = 0,
    twins: tuple[Pair, ...] = (),
    without_twin: tuple[Alone, ...] = (),
) -> FlightReport:
    """Put it together."""
    differing = filing.differing_twins
    rows = tuple(_row(one, plan, log, plugins, differing) for one in flown)
    verdict = held_against_twins(combine(one.decision for one in flown), differing) or "INCONCLUSIVE"
    usage = Usage()
    for one in flown:
        for trial in one.trials:
            usage += trial.usage
    return FlightReport(
        playbook=playbook.id,
        version=playbook.version,
        model=model,
        verdict=verdict,
        why=_why(verdict, rows, plan, model, differing),
        scenarios=rows,
        certificate=str(filing.file.absolute()) if filing.file else None,
        wider=str(filing.wider.absolute()) if filing.wider else None,
        plan=plan,
        usage=usage,
        attempts=sum(len(one.trials) for one in flown),
        plugins=plugins,
        twins=twins,
        without_twin=without_twin,
        differing_twins=differing,
        folder=str(log.folder.absolute()),
    )


def _row(flown: Flown, plan: Plan, log: Logbook, plugins: int, differing: tuple[str, ...]) -> ScenarioReport:
    counts = tally(flown.attempts, scripted=flown.scripted)
    shown: Statistic = statistic(counts, plan)
    failures = tuple(_broken(flown.trials, log))
    name = flown.scenario.name
    return ScenarioReport(
        name=name,
        summary=flown.scenario.profile.summary,
        trials=counts.trials,
        passed=counts.passed,
        harm=counts.harm,
        errors=counts.errors,
        interval=shown.interval,
        at_least=shown.at_least,
        harm_at_most=shown.harm_at_most,
        verdict=held_against_twins(flown.decision, {name} & set(differing)) or "INCONCLUSIVE",
        failed_rules=tuple(one.rule for one in failures),
        failures=failures,
        warnings=tuple(sorted({rule for trial in flown.trials for rule in trial.warnings})),
        misses=tuple(sorted({miss for trial in flown.trials for miss in trial.misses})),
        repeated=len(flown.trials) - counts.trials - counts.errors,
        fleet=fleet_success(counts, plugins) if plugins else None,
        trace=str(log.trace(name, flown.trials[0].seed).absolute()) if flown.trials else "",
    )


def _broken(trials: Iterable[Trial], log: Logbook) -> Iterable[Broken]:
    """The rules by how many trials they failed, with the first trial that shows it; broken trials too."""
    found: dict[str, Broken] = {}
    for trial in trials:
        failures = [(one.rule, one.severity, one.seq, one.reason) for one in trial.failures]
        if trial.result == "error":
            failures = [("(infrastructure)", "error", None, trial.reason.strip().splitlines()[-1])]
        for rule, severity, seq, reason in failures:
            known = found.get(rule)
            found[rule] = (
                msgspec.structs.replace(known, trials=known.trials + 1)
                if known
                else Broken(
                    rule=rule,
                    severity=severity,
                    trials=1,
                    seed=trial.seed,
                    seq=seq,
                    reason=reason,
                    trace=str(log.trace(trial.scenario, trial.seed).absolute()),
                )
            )
    return sorted(found.values(), key=lambda one: (one.severity != "harm", -one.trials))


_SPEAKS_OF = {
    "scripted": " This speaks of a scripted model and of no other.",
    "replay": " This speaks of a recorded run and of no other.",
}


def _why(
    verdict: Decision, rows: tuple[ScenarioReport, ...], plan: Plan, model: ModelId, differing: tuple[str, ...]
) -> str:
    rate = f"more than {plan.target:.0%} of runs are good"
    scripted = _SPEAKS_OF.get(model.adapter, "")
    match verdict:
        case "CERTIFIED":
            said = f"On every scenario {rate}, shown at {plan.confidence:.0%} confidence."
            return said + scripted
        case "REJECTED":
            bad = next(row for row in rows if row.verdict == "REJECTED")
            first = next((one for one in bad.failures if one.severity in {"harm", "fail"}), None)
            because = f": {first.rule}, {first.reason}" if first else ""
            share = f"{bad.trials - bad.passed} of {bad.trials} runs on {bad.name} are not good"
            return f"{share}{because}.{scripted}"
        case "ERROR":
            bad = next((row for row in rows if row.verdict == "ERROR"), rows[0])
            return f"{bad.errors} trials on {bad.name} were broken by the infrastructure, too many to say anything."
        case "INCONCLUSIVE" if differing and all(row.verdict == "CERTIFIED" or row.name in differing for row in rows):
            return f"The materialised twin differs on {', '.join(differing)}: its trials cannot be believed.{scripted}"
        case _:
            undecided = next((row for row in rows if row.verdict == "INCONCLUSIVE"), rows[0])
            told = f"{undecided.trials} different trials on {undecided.name} do not show that {rate}"
            return f"{told}: the bound is {undecided.at_least:.0%}.{scripted}"
