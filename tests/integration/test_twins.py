"""The declarative plugin and its materialised twin: the same agent on both ends alike."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import msgspec
import pytest
from counterparts import counterpart
from evaluations import scenarios
from flying import LOOK, MEND, agent, scenario

from bot.fleet.manifest import Manifest
from bot.fleet.playbook import find_playbooks, read_playbook
from bot.settings import Settings
from bot.virtual.plugin import find_virtual_fleet, read_virtual_fleet
from bot.windtunnel.certificate import read_certificate
from bot.windtunnel.fidelity_card import card_file, read_card
from bot.windtunnel.flight import Airfield, fly_playbook
from bot.windtunnel.pilots import Pilot, ScriptedPilot
from bot.windtunnel.plan import Plan
from bot.windtunnel.scenario import Scenario
from bot.windtunnel.subject import subject_of
from bot.windtunnel.twins import Pair, fly_pair
from bot.wiring import Wiring

QUICK = {"fix_bug@slugger", "fix_bug@pager", "bump_version@tally", "update_description@steady"}
PAIRS = [
    pytest.param(one, id=name, marks=() if name in QUICK else pytest.mark.thorough)
    for name, one in scenarios(scripted=True).items()
    if one.twin is not None
]


ALONE = [
    pytest.param(one, id=name)
    for name, one in scenarios(scripted=True).items()
    if one.twin is None and not any(fault.kind in {"flaky", "hang"} for fault in one.profile.faults)
]


def pair(tmp_path: Path, flown: Scenario, pilot: Pilot) -> Pair:
    with Wiring(Settings(), Manifest(file=tmp_path / "fleet.yaml", sandbox="best-effort")) as wiring:
        found = fly_pair(flown, 0, pilot, wiring.workshop(), tmp_path)
    assert found is not None
    return found


@pytest.mark.parametrize("flown", PAIRS)
def test_the_script_ends_alike_on_both(tmp_path: Path, flown: Scenario) -> None:
    if any(shutil.which(program) is None for program in (flown.twin.needs if flown.twin else ())):
        pytest.skip("a program that its tests need is not here")
    found = pair(tmp_path, flown, ScriptedPilot())
    assert found.agree, found
    assert found.alignment.fidelity == 1
    assert found.misses == ()
    assert Path(found.trace).is_file()


@pytest.mark.thorough
@pytest.mark.parametrize("flown", ALONE)
def test_a_profile_without_a_twin_is_true_to_a_repository_of_its_files(tmp_path: Path, flown: Scenario) -> None:
    twin = counterpart(flown.profile.name, tmp_path / "fleet")
    found = pair(tmp_path, msgspec.structs.replace(flown, twin=twin), ScriptedPilot())
    assert found.agree, found
    assert found.alignment.fidelity == 1


def test_every_materialised_plugin_with_an_agent_has_a_profile() -> None:
    agents = {name for name, file in find_playbooks(None).items() if read_playbook(file).mode == "agent"}
    flown = {(one.profile.name, one.task.playbook.id) for one in scenarios(scripted=False).values()}
    plugins = read_virtual_fleet(find_virtual_fleet())
    played = {(plugin.name, one.playbook) for plugin in plugins for one in plugin.scenarios if one.playbook in agents}
    assert played <= flown


def test_a_cheat_is_seen_on_both(tmp_path: Path) -> None:
    found = pair(tmp_path, scenario(), agent(LOOK, [MEND]))
    assert (found.virtual, found.real, found.differing) == ("blocked", "blocked", ())


def test_a_claim_without_proof_is_seen_on_both(tmp_path: Path) -> None:
    """The answers to `lantern` are those of an agent that says "fixed" and has not shown it."""
    found = pair(tmp_path, scenario("lantern"), ScriptedPilot())
    assert (found.virtual, found.real, found.differing) == ("blocked", "blocked", ())


def test_a_twin_whose_programs_are_not_here_is_left_out(tmp_path: Path) -> None:
    flown = scenario("pager")
    assert flown.twin is not None
    needy = msgspec.structs.replace(flown, twin=msgspec.structs.replace(flown.twin, needs=("no-such-program",)))
    with Wiring(Settings(), Manifest(file=tmp_path / "fleet.yaml")) as wiring:
        assert fly_pair(needy, 0, ScriptedPilot(), wiring.workshop(), tmp_path) is None


def test_a_plugin_without_a_twin_has_none(tmp_path: Path) -> None:
    with Wiring(Settings(), Manifest(file=tmp_path / "fleet.yaml")) as wiring:
        assert fly_pair(scenario("parrot"), 0, ScriptedPilot(), wiring.workshop(), tmp_path) is None


def test_a_twin_that_ends_otherwise_vetoes_the_certificate_until_it_agrees(tmp_path: Path) -> None:
    twin = scenario("steady", "update_description").twin
    flown = msgspec.structs.replace(scenario(), twin=twin)
    parrot = scenario("parrot")
    field = Airfield(
        pilot=ScriptedPilot(),
        plan=Plan(target=0.5, max_trials=40),
        out=tmp_path / "out",
        certificates=tmp_path / "playbooks",
        today=datetime.date(2026, 11, 26),
    )
    book = flown.task.playbook
    with Wiring(Settings(), Manifest(file=tmp_path / "fleet.yaml", sandbox="best-effort")) as wiring:
        shop = wiring.workshop()
        vetoed = fly_playbook(book, (flown, parrot), field, shop=shop)
        again = fly_playbook(book, (flown, parrot), field)
        certificate = read_certificate(Path(vetoed.certificate or ""))
        cards = read_card(card_file(tmp_path / "playbooks", "slugger"))
        lifted = fly_playbook(book, (scenario(), parrot), field, shop=shop)
    (found,) = vetoed.twins
    assert (found.virtual, found.real == "changed", found.fidelity) == ("changed", False, 0)
    assert [(one.scenario, one.why) for one in vetoed.without_twin] == [("parrot", "it has none")]
    assert cards is not None
    assert [run.fidelity for run in cards.runs] == [0]
    for report in (vetoed, again):
        assert (report.verdict, report.certified) == ("INCONCLUSIVE", False)
        assert "twin differs on slugger" in report.why
        assert [row.verdict for row in report.scenarios] == ["INCONCLUSIVE", "CERTIFIED"]
    subject = subject_of(book, ScriptedPilot().identity)
    assert (certificate.verdict, certificate.differing_twins) == ("INCONCLUSIVE", ("slugger",))
    assert "twin differs: slugger" in certificate.is_valid_for(subject, today=field.today).reason
    forged = msgspec.structs.replace(certificate, verdict="CERTIFIED")
    assert not forged.is_valid_for(subject, today=field.today)
    assert lifted.verdict == "CERTIFIED"
    assert read_certificate(Path(lifted.certificate or "")).is_valid_for(subject, today=field.today)
