"""The demo's flights: a draft that forgets something is rejected, the playbook as it is shipped is certified."""

from __future__ import annotations

import datetime
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.base.errors import RefusedError
from bot.base.values import Playbook
from bot.fleet.manifest import CertificatePolicy
from bot.fleet.plan import Plan as Campaign
from bot.fleet.playbook import read_playbook
from bot.task.proposal import Proposal
from bot.virtual.plugin import find_virtual_fleet
from bot.windtunnel.clearance import Clearance, clearance, with_notes
from bot.windtunnel.flight import Airfield, fly_playbook
from bot.windtunnel.pilots import ScriptedPilot
from bot.windtunnel.plan import Plan
from bot.windtunnel.real_run import compare
from bot.windtunnel.report import FlightReport
from bot.windtunnel.scenario import Scenario, find_scenarios, hashes
from bot.windtunnel.scripted import identity
from bot.windtunnel.subject import subject_of

FLAWED = "bump_version"
_CHANGE_LOG = re.compile(r"^4\. Give .*?(?=^5\. )", re.MULTILINE | re.DOTALL)
"""The step that the draft does without."""
_TARGET = 0.9
"""Lower than a fleet would want, so that the demo stays short."""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one playbook before it was let loose on several plugins."""

    campaign: str
    playbook: str
    draft: bool
    """Whether it is the one with the flaw."""
    before: str
    """Why the campaign was refused before the flight; empty when an earlier demo has flown it."""
    flight: FlightReport
    after: str
    """Why it is refused still; empty: it may go ahead."""


class Hangar:
    """Flies what the demo's campaigns need, in the demo's folder."""

    def __init__(self, folder: Path, *, today: datetime.date) -> None:
        """`folder` is the demo's; certificates and flights stay there."""
        self._folder, self._today = folder, today
        self._fleet = find_virtual_fleet()

    def rehearse(self, planned: Campaign) -> tuple[Rehearsal, ...]:
        """Fly a campaign's playbook, and before it the draft with the flaw where this is the one that has it.

        Empty when the campaign needs no certificate.
        """
        if not self._cleared(planned, self._folder / "playbooks").required:
            return ()
        shipped = planned.playbook
        flights = []
        if planned.playbook.id == FLAWED:
            draft = self._draft(shipped)
            flights.append(self._fly(draft, planned, self._with_drafts(self._scenarios(draft)), draft=True))
        flights.append(self._fly(shipped, planned, self._scenarios(shipped), draft=False))
        return tuple(flights)

    def cleared(self, planned: Campaign) -> Campaign:
        """The campaign as it may start. Raises `RefusedError` when its flight has not shown that it may."""
        found = self._cleared(planned, self._folder / "playbooks")
        found.enforce()
        return with_notes(planned, found.note)

    def certified(self, known: Callable[[str], Playbook | None]) -> Callable[[Proposal, Path], str]:
        """Says of a proposal whether its run stayed inside what was certified here; empty without a certificate."""

        def line(proposal: Proposal, folder: Path) -> str:
            found = compare(
                proposal,
                folder,
                known(proposal.playbook),
                self._folder / "playbooks",
                today=self._today,
                model=identity(),
            )
            return found.likeness.line if found.likeness is not None else ""

        return line

    def _fly(self, playbook: Playbook, planned: Campaign, scenarios: tuple[Scenario, ...], *, draft: bool) -> Rehearsal:
        place = self._folder / ("drafts" if draft else "playbooks")
        campaign = msgspec.structs.replace(planned, playbook=playbook)
        before = _refusal(self._cleared(campaign, place, scenarios))
        field = Airfield(
            pilot=ScriptedPilot(),
            plan=Plan(target=_TARGET),
            out=self._folder / "flights",
            certificates=place,
            today=self._today,
            plugins=len(planned.tasks),
        )
        flight = fly_playbook(playbook, scenarios, field)
        after = _refusal(self._cleared(campaign, place, scenarios))
        return Rehearsal(
            campaign=planned.campaign, playbook=playbook.id, draft=draft, before=before, flight=flight, after=after
        )

    def _cleared(self, planned: Campaign, place: Path, scenarios: tuple[Scenario, ...] = ()) -> Clearance:
        # The demo's model is a script, whatever adapter talks to it; its certificates say so.
        return clearance(
            planned,
            subject_of(planned.playbook, identity()),
            CertificatePolicy(),
            place,
            today=self._today,
            virtual_plugins=hashes(scenarios),
            words=("--model", "scripted"),
        )

    def _scenarios(self, playbook: Playbook) -> tuple[Scenario, ...]:
        return find_scenarios(playbook, (self._fleet,), scripted=True)

    def _with_drafts(self, scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
        """On the virtual plugins that have answers of an agent with the draft in its hands."""
        found = []
        for scenario in scenarios:
            if scenario.answers is None:
                continue
            answers = scenario.answers.parent / "drafts" / scenario.answers.name
            if answers.is_file():
                found.append(msgspec.structs.replace(scenario, answers=answers))
        return tuple(found)

    def _draft(self, shipped: Playbook) -> Playbook:
        """The shipped playbook without the step that tells of the change log, beside a copy of what it includes."""
        source, place = Path(shipped.file), self._folder / "drafts"
        text = source.read_text(encoding="utf-8")
        if _CHANGE_LOG.search(text) is None:
            raise AssertionError(source)
        place.mkdir(exist_ok=True)
        shutil.copytree(source.parent / "parts", place / "parts", dirs_exist_ok=True)
        shutil.copy(source.with_suffix(".expect.yaml"), place)
        file = place / source.name
        file.write_text(_CHANGE_LOG.sub("", text), encoding="utf-8")
        return read_playbook(file)


def unexpected(rehearsal: Rehearsal) -> str | None:
    """How a flight ended other than the demo tells, or None."""
    wanted = "REJECTED" if rehearsal.draft else "CERTIFIED"
    if rehearsal.flight.verdict != wanted:
        return f"flight of {rehearsal.playbook}: expected {wanted}, got {rehearsal.flight.verdict}"
    return None


def _refusal(found: Clearance) -> str:
    try:
        found.enforce()
    except RefusedError as refused:
        return refused.what
    return ""
