"""A whole flight: trials, certificate, reports."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.base.redact import Redactor
from bot.base.values import Playbook
from bot.task.workshop import Workshop
from bot.windtunnel.certificate import Subject
from bot.windtunnel.fidelity_card import Run, add_run
from bot.windtunnel.filing import Filing, file_certificate
from bot.windtunnel.judgement import Trial
from bot.windtunnel.logbook import Logbook, flight_key
from bot.windtunnel.pilots import Pilot
from bot.windtunnel.plan import Plan
from bot.windtunnel.report import FlightReport, make_flight_report
from bot.windtunnel.scenario import Scenario, hashes
from bot.windtunnel.show import write_flight_report
from bot.windtunnel.subject import subject_of
from bot.windtunnel.tunnel import Flown, Tunnel
from bot.windtunnel.twins import Alone, Pair, fly_pair, why_alone


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


def fly_playbook(
    playbook: Playbook,
    scenarios: tuple[Scenario, ...],
    airfield: Airfield,
    *,
    every: tuple[Scenario, ...] = (),
    shop: Workshop | None = None,
) -> FlightReport:
    """Fly it, file the certificate whatever its verdict, write the reports.

    `every` is all that the playbook can be flown on, where `scenarios` are only a part of it. With a `shop` each
    scenario is flown once more on its materialised twin, in the flight's folder.
    Attempts that are on disk already count and are not flown again. Raises as `Tunnel.fly` and `fly_pair`.
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
    pairs = tuple(_pairs(scenarios, airfield, shop, log.folder / "twins")) if shop is not None else ()
    alone = [(one.name, why_alone(one)) for one in scenarios] if shop is not None else []
    filing = _filed(playbook, flown, pairs, every or scenarios, airfield)
    report = make_flight_report(
        playbook,
        airfield.pilot.identity,
        airfield.plan,
        flown,
        log,
        filing=filing,
        plugins=airfield.plugins,
        twins=pairs,
        without_twin=tuple(Alone(scenario=name, why=why) for name, why in alone if why),
    )
    write_flight_report(report, log.folder)
    return report


def _pairs(scenarios: tuple[Scenario, ...], airfield: Airfield, shop: Workshop, folder: Path) -> Iterator[Pair]:
    folder.mkdir(parents=True, exist_ok=True)
    for scenario in scenarios:
        place = Path(tempfile.mkdtemp(prefix=f"{scenario.name}-", dir=folder))
        if (pair := fly_pair(scenario, 0, airfield.pilot, shop, place)) is not None:
            yield pair


def _filed(
    playbook: Playbook,
    flown: tuple[Flown, ...],
    pairs: tuple[Pair, ...],
    every: tuple[Scenario, ...],
    airfield: Airfield,
) -> Filing:
    """The certificate, and each pair on the fidelity card of its virtual plugin."""
    if airfield.certificates is None:
        return Filing(file=None, differing_twins=tuple(pair.scenario for pair in pairs if not pair.agree))
    model = airfield.pilot.identity
    filing = file_certificate(
        playbook, model, airfield.plan, flown, pairs, airfield.certificates, every=every, today=airfield.today
    )
    subject, now = subject_of(playbook, model), hashes(one.scenario for one in flown)
    for pair in pairs:
        add_run(airfield.certificates, pair.scenario, _kept(pair, subject, now[pair.scenario], airfield.today))
    return filing


def _kept(pair: Pair, subject: Subject, virtual_hash: str, day: datetime.date) -> Run:
    """What the fidelity card of a virtual plugin keeps of its twin."""
    return Run(
        trace=pair.head,
        on="twin",
        at=day.isoformat(),
        plugin=pair.scenario,
        playbook=subject.playbook,
        playbook_hash=subject.playbook_hash,
        model=subject.model.name,
        virtual_hash=virtual_hash,
        fidelity=pair.fidelity,
        rules=pair.rules,
        agreed=pair.rules - len(pair.differing),
        only_real=pair.alignment.only_real,
        misses=pair.misses,
    )
