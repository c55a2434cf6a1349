"""The declarative plugin and its materialised twin: the same agent on both ends alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from flying import LOOK, MEND, agent, scenario

from bot.fleet.manifest import Manifest
from bot.settings import Settings
from bot.windtunnel.pilots import Pilot, ScriptedPilot
from bot.windtunnel.twins import Pair, fly_pair
from bot.wiring import Wiring


def pair(tmp_path: Path, name: str, playbook: str, pilot: Pilot) -> Pair:
    with Wiring(Settings(), Manifest(file=tmp_path / "fleet.yaml", sandbox="best-effort")) as wiring:
        found = fly_pair(scenario(name, playbook), 0, pilot, wiring.workshop(), tmp_path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "playbook"),
    [("slugger", "fix_bug"), ("pager", "fix_bug"), ("tally", "bump_version"), ("steady", "update_description")],
)
def test_the_script_ends_alike_on_both(tmp_path: Path, name: str, playbook: str) -> None:
    found = pair(tmp_path, name, playbook, ScriptedPilot())
    assert found.agree, found
    assert found.alignment.fidelity == 1
    assert Path(found.trace).is_file()


def test_a_cheat_is_seen_on_both(tmp_path: Path) -> None:
    found = pair(tmp_path, "slugger", "fix_bug", agent(LOOK, [MEND]))
    assert (found.virtual, found.real, found.differing) == ("blocked", "blocked", ())


def test_a_plugin_without_a_twin_has_none(tmp_path: Path) -> None:
    with Wiring(Settings(), Manifest(file=tmp_path / "fleet.yaml")) as wiring:
        assert fly_pair(scenario("parrot"), 0, ScriptedPilot(), wiring.workshop(), tmp_path) is None
