"""The certificate: which playbook flies how well with which model, with everything needed to check that claim again."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from bot.base.errors import ConfigurationError, Problem
from bot.ports import ModelId
from bot.windtunnel.plan import Decision, Plan, Tally, combine, decide
from bot.windtunnel.statistics import Interval, anytime_lower_bound, exact_interval, upper_bound

LIFETIME = datetime.timedelta(days=90)
"""Models drift without changing their name; a certificate does not outlive this."""
AttemptResult = Literal["passed", "failed", "harm", "error"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One trial as it ended. All are listed, the ones that broke too."""

    seed: int
    result: AttemptResult
    trace: str
    """Hash of the trace's last line; empty when the trial broke before there was one."""
    behaviour: str = ""
    """Hash of what the model did, without clock and names; what a scripted model repeats counts once."""
    failed_rules: tuple[str, ...] = ()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """The trials of one scenario."""

    name: str
    virtual_plugin: str
    attempts: tuple[Attempt, ...]
    ways: tuple[tuple[str, ...], ...] = ()
    """The steps of attempts that passed, without what changes from run to run: what real runs are held against."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate speaks of. Hashes are SHA-256; any change of one makes it stale."""

    playbook: str
    playbook_version: str
    playbook_hash: str
    rules_hash: str
    tools_hash: str
    prompts_hash: str
    model: ModelId
    bot_version: str = ""


class Validity(msgspec.Struct, frozen=True):
    """Whether a certificate covers something, and if not, why not."""

    valid: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.valid


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The statement, as it lies in `playbooks/certificates/<playbook>.<model>.json`."""

    v: int = 1
    subject: Subject
    verdict: Decision
    issued: str
    """ISO date."""
    expires: str
    plan: Plan
    model_versions: tuple[str, ...] = ()
    """What the provider said who answered."""
    prior_runs: int = 0
    """Flights of the same subject before this one that ended otherwise: nobody rolls the dice until they fall right."""
    virtual_plugins: dict[str, str]
    """Name → hash of the virtual plugins that it flew on."""
    scenarios: tuple[Scenario, ...]
    statistics: dict[str, Statistic] = {}
    differing_twins: tuple[str, ...] = ()
    """Scenarios whose materialised twin ended otherwise: what the trials there show is not believed."""

    def is_valid_for(
        self,
        subject: Subject,
        *,
        today: datetime.date,
        virtual_plugins: Mapping[str, str] | None = None,
        target: float | None = None,
    ) -> Validity:
        """Whether it still covers `subject`; `virtual_plugins` and `target` are compared when they are given."""
        reason = (
            self.stale(subject, today=today, virtual_plugins=virtual_plugins)
            or self._too_little(target)
            or self._contradicts_itself()
        )
        return Validity(not reason, reason)

    def stale(self, subject: Subject, *, today: datetime.date, virtual_plugins: Mapping[str, str] | None = None) -> str:
        """Why it speaks of `subject` no longer, whatever its verdict; empty while it does."""
        return self._changed(subject) or self._outdated(today) or self._other_plugins(virtual_plugins)

    def _changed(self, now: Subject) -> str:
        then = self.subject
        if then.playbook != now.playbook:
            return f"it is for the playbook {then.playbook}"
        parts = {
            "playbook": (then.playbook_hash, now.playbook_hash),
            "rules": (then.rules_hash, now.rules_hash),
            "tools": (then.tools_hash, now.tools_hash),
            "prompts": (then.prompts_hash, now.prompts_hash),
        }
        changed = [name for name, (old, new) in parts.items() if old != new]
        if changed:
            return f"changed since it was issued: {', '.join(changed)}"
        for name in ("adapter", "name", "endpoint", "parameters"):
            old, new = getattr(then.model, name), getattr(now.model, name)
            if old != new:
                return f"another model: {name} was {old or 'the default'} and is {new or 'the default'}"
        return ""

    def _outdated(self, today: datetime.date) -> str:
        expires = datetime.date.fromisoformat(self.expires)
        return f"it expired on {self.expires}" if today > expires else ""

    def _other_plugins(self, now: Mapping[str, str] | None) -> str:
        if now is None:
            return ""
        changed = sorted(name for name, digest in self.virtual_plugins.items() if now.get(name) != digest)
        return f"changed since it was issued: virtual plugin {', '.join(changed)}" if changed else ""

    def _too_little(self, target: float | None) -> str:
        if self.verdict != "CERTIFIED":
            unlike = f", since the materialised twin differs: {', '.join(self.differing_twins)}"
            return f"its verdict is {self.verdict}{unlike if self.differing_twins else ''}"
        if target is not None and self.plan.target < target:
            return f"it shows a rate above {self.plan.target:g}, and {target:g} is asked for"
        return ""

    def _contradicts_itself(self) -> str:
        """The verdict has to follow from the attempts that are listed: a file that anybody can edit is no proof."""
        scripted = self.subject.model.adapter in {"scripted", "replay"}
        for scenario in self.scenarios:
            seeds = [attempt.seed for attempt in scenario.attempts if attempt.result != "error"]
            if len(seeds) != len(set(seeds)):
                return f"it counts a seed twice in {scenario.name}"
            if scenario.virtual_plugin not in self.virtual_plugins:
                return f"it does not say which {scenario.virtual_plugin} it flew on"
        decisions = (decide(tally(scenario.attempts, scripted=scripted), self.plan) for scenario in self.scenarios)
        shown = held_against_twins(combine(decisions), self.differing_twins)
        return "" if shown == self.verdict else f"its attempts show {shown or 'nothing yet'}, not {self.verdict}"


class Statistic(msgspec.Struct, frozen=True, kw_only=True):
    """What the trials of one scenario show."""

    tally: Tally
    decision: Decision | None
    interval: Interval
    """Exact two-sided interval of the pass rate, as if the number of trials had been fixed."""
    at_least: float
    """The bound that holds although the flight could stop at any time."""
    harm_at_most: float
    """One-sided upper bound of the rate of harm."""


def held_against_twins(shown: Decision | None, differing: Iterable[str]) -> Decision | None:
    """The verdict that trials show, unless materialised twins ended otherwise: then nothing is certified."""
    return "INCONCLUSIVE" if shown == "CERTIFIED" and any(differing) else shown


def tally(attempts: tuple[Attempt, ...], *, scripted: bool = False) -> Tally:
    """How the attempts ended. Of a scripted model's attempts that did the very same, one counts."""
    if scripted:
        key = {(one.seed if one.result == "error" else one.behaviour or one.trace, one.result): one for one in attempts}
        attempts = tuple(key.values())
    results = [attempt.result for attempt in attempts]
    return Tally(
        passed=results.count("passed"),
        failed=results.count("failed") + results.count("harm"),
        harm=results.count("harm"),
        errors=results.count("error"),
    )


def statistic(counts: Tally, plan: Plan) -> Statistic:
    """What is reported of one scenario."""
    trials = counts.trials
    return Statistic(
        tally=counts,
        decision=decide(counts, plan),
        interval=exact_interval(counts.passed, trials, plan.confidence) if trials else Interval(0.0, 1.0),
        at_least=anytime_lower_bound(counts.passed, counts.failed, plan.confidence),
        harm_at_most=upper_bound(counts.harm, trials, plan.confidence) if trials else 1.0,
    )


def issue(
    subject: Subject,
    plan: Plan,
    scenarios: tuple[Scenario, ...],
    virtual_plugins: dict[str, str],
    *,
    today: datetime.date,
    model_versions: tuple[str, ...] = (),
    prior_runs: int = 0,
    differing_twins: tuple[str, ...] = (),
) -> Certificate:
    """The certificate that these attempts give, whatever its verdict."""
    scripted = subject.model.adapter in {"scripted", "replay"}
    found = {one.name: statistic(tally(one.attempts, scripted=scripted), plan) for one in scenarios}
    return Certificate(
        subject=subject,
        verdict=held_against_twins(combine(one.decision for one in found.values()), differing_twins) or "INCONCLUSIVE",
        issued=today.isoformat(),
        expires=(today + LIFETIME).isoformat(),
        plan=plan,
        model_versions=model_versions,
        prior_runs=prior_runs,
        virtual_plugins=virtual_plugins,
        scenarios=scenarios,
        statistics=found,
        differing_twins=differing_twins,
    )


def with_twins(one: Certificate, differing: tuple[str, ...]) -> Certificate:
    """The same attempts, with what is known of the materialised twins now."""
    shown = combine(found.decision for found in one.statistics.values())
    verdict = held_against_twins(shown, differing) or "INCONCLUSIVE"
    return msgspec.structs.replace(one, differing_twins=differing, verdict=verdict)


def certificate_file(folder: Path, playbook: str, model: str) -> Path:
    """Where the certificate of a playbook and a model lies below the folder of playbooks."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip(".-") or "model"
    return folder / "certificates" / f"{playbook}.{name}.json"


def render(certificate: Certificate) -> str:
    """The file's text: one attempt or way a line, so that a diff can be read."""
    document = msgspec.to_builtins(certificate)
    lines: list[str] = []
    for scenario in document["scenarios"]:
        for name in ("attempts", "ways"):
            first = len(lines)
            lines += [json.dumps(one, ensure_ascii=False) for one in scenario[name]]
            scenario[name] = [f"\x00{number}\x00" for number in range(first, len(lines))]
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return re.sub(r'"\\u0000(\d+)\\u0000"', lambda place: lines[int(place[1])], text) + "\n"


def read_certificate(file: Path) -> Certificate:
    """Raises `ConfigurationError` when the file is no certificate."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Certificate)
    except (OSError, msgspec.DecodeError) as error:
        msg = f"{file} is no certificate: {error}."
        problem = Problem(file=str(file), line=1, what=str(error), cure="fly the playbook again")
        raise ConfigurationError(msg, "Fly the playbook again.", problems=(problem,)) from error
