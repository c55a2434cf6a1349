"""A whole flight: trials, certificate, reports."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bot.base.errors import ConfigurationError
from bot.base.redact import Redactor
from bot.base.values import Playbook
from bot.task.workshop import Workshop
from bot.windtunnel import certificate
from bot.windtunnel.envelope import ways
from bot.windtunnel.fidelity_card import Run, add_run
from bot.windtunnel.judgement import Trial
from bot.windtunnel.logbook import Logbook, flight_key
from bot.windtunnel.pilots import Pilot
from bot.windtunnel.plan import Plan
from bot.windtunnel.report import FlightReport, make_flight_report
from bot.windtunnel.scenario import Scenario, hashes
from bot.windtunnel.show import write_flight_report
from bot.windtunnel.subject import subject_of
from bot.windtunnel.tunnel import Flown, Tunnel
from bot.windtunnel.twins import Pair, fly_pair


@dataclass(frozen=True, kw_only=True)
class Airfield:
    """Where flights take place; the same for all playbooks."""

    pilot: Pilot
    plan: Plan
    out: Path
    """Attempts, traces and reports go below it, a folder a flight."""
    certificates: Path | None
    """The folder of playbooks that certificates are filed in; None: none is written."""
    today: datetime.date
    jobs: int = 1
    plugins: int = 0
    """The fleet's size, for what it means there."""
    redactor: Redactor = field(default_factory=lambda: Redactor(()))
    landed: Callable[[Flown, Trial], None] = lambda flown, trial: None

    def log(self, playbook: Playbook, scenarios: tuple[Scenario, ...]) -> Logbook:
        """The attempts so far of this flight."""
        subject = subject_of(playbook, self.pilot.identity)
        key = flight_key(subject, hashes(scenarios))
        return Logbook(self.out / f"{playbook.id}-{key}", hashes(scenarios))


def fly_playbook(playbook: Playbook, scenarios: tuple[Scenario, ...], airfield: Airfield) -> FlightReport:
    """Fly it, file the certificate whatever its verdict, write the reports.

    Attempts that are on disk already count and are not flown again. Raises as `Tunnel.fly`.
    """
    log = airfield.log(playbook, scenarios)
    tunnel = Tunnel(
        plan=airfield.plan,
        pilot=airfield.pilot,
        log=log,
        jobs=airfield.jobs,
        redactor=airfield.redactor,
        landed=airfield.landed,
    )
    flown = tunnel.fly(scenarios)
    file = _file(playbook, flown, airfield) if airfield.certificates is not None else None
    report = make_flight_report(
        playbook, airfield.pilot.identity, airfield.plan, flown, log, certificate=file, plugins=airfield.plugins
    )
    write_flight_report(report, log.folder)
    return report


def fly_twins(
    report: FlightReport, scenarios: tuple[Scenario, ...], airfield: Airfield, shop: Workshop
) -> FlightReport:
    """The report with each scenario flown once more on its materialised twin, in the flight's folder."""
    folder = Path(report.folder)
    pairs = []
    for scenario in scenarios:
        place = Path(tempfile.mkdtemp(prefix=f"{scenario.name}-", dir=_made(folder / "twins")))
        if (pair := fly_pair(scenario, 0, airfield.pilot, shop, place)) is not None:
            pairs.append(pair)
    if airfield.certificates is not None and report.certificate is not None:
        filed = certificate.read_certificate(Path(report.certificate))
        for pair in pairs:
            add_run(airfield.certificates, pair.scenario, _kept(pair, filed, airfield.today))
    report = msgspec.structs.replace(report, twins=tuple(pairs))
    write_flight_report(report, folder)
    return report


def _kept(pair: Pair, filed: certificate.Certificate, day: datetime.date) -> Run:
    """What the fidelity card of a virtual plugin keeps of its twin."""
    subject = filed.subject
    return Run(
        trace=pair.head,
        on="twin",
        at=day.isoformat(),
        plugin=pair.scenario,
        playbook=subject.playbook,
        playbook_hash=subject.playbook_hash,
        model=subject.model.name,
        virtual_hash=filed.virtual_plugins[pair.scenario],
        fidelity=pair.alignment.fidelity,
        rules=pair.rules,
        agreed=pair.rules - len(pair.differing),
        only_real=pair.alignment.only_real,
        misses=pair.misses,
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(playbook: Playbook, flown: tuple[Flown, ...], airfield: Airfield) -> Path:
    if airfield.certificates is None:
        raise AssertionError
    identity = airfield.pilot.identity
    # What was recorded of a model is not the model: its own certificate stays as it is.
    named = f"{identity.name}.replay" if identity.adapter == "replay" else identity.name
    file = certificate.certificate_file(airfield.certificates, playbook.id, named)
    scenarios = tuple(
        certificate.Scenario(
            name=one.scenario.name,
            virtual_plugin=one.scenario.name,
            attempts=one.attempts,
            ways=ways(trial.way for trial in one.trials if trial.result == "passed"),
        )
        for one in flown
    )
    subject = subject_of(playbook, identity)
    made = certificate.issue(
        subject,
        airfield.plan,
        scenarios,
        hashes(one.scenario for one in flown),
        today=airfield.today,
        model_versions=tuple(sorted({t.model_version for one in flown for t in one.trials if t.model_version})),
        prior_runs=_prior(file, subject, scenarios),
    )
    text = certificate.render(made)
    if _same(file, made):
        return file  # nothing new was flown: its date stays
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def _prior(file: Path, subject: certificate.Subject, scenarios: tuple[certificate.Scenario, ...]) -> int:
    """How often this very subject was flown before and ended otherwise, not counting what is gone on with here."""
    old = _read(file)
    if old is None or old.subject != subject:
        return 0
    now = {one.name: one.attempts for one in scenarios}
    goes_on = all(now.get(one.name, ())[: len(one.attempts)] == one.attempts for one in old.scenarios)
    return old.prior_runs if goes_on or old.verdict == "CERTIFIED" else old.prior_runs + 1


def _same(file: Path, made: certificate.Certificate) -> bool:
    old = _read(file)
    if old is None:
        return False
    return (old.subject, old.plan, old.scenarios, old.virtual_plugins) == (
        made.subject,
        made.plan,
        made.scenarios,
        made.virtual_plugins,
    )


def _read(file: Path) -> certificate.Certificate | None:
    try:
        return certificate.read_certificate(file) if file.is_file() else None
    except ConfigurationError:
        return None
