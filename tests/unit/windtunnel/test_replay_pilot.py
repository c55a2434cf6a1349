"""A recorded run flown again in the tunnel: no model, no key, and never a live call."""

from __future__ import annotations

from pathlib import Path

import pytest
from flying import GOOD, agent, scenario

from bot.base.errors import ConfigurationError
from bot.trace.memory import NAME, save
from bot.virtual.clock import VirtualClock
from bot.windtunnel.pilots import ReplayPilot, ScriptedPilot
from bot.windtunnel.trial import fly


def recorded(folder: Path, seed: int = 3) -> Path:
    trial = fly(scenario(), seed, ScriptedPilot())
    save(folder / NAME, trial.trace, trial.blobs)
    return folder / NAME


def test_the_same_scenario_goes_the_same_way(tmp_path: Path) -> None:
    first = fly(scenario(), 3, ScriptedPilot())
    again = fly(scenario(), 3, ReplayPilot({"slugger": [recorded(tmp_path)]}))
    assert (again.result, again.outcome, again.behaviour) == ("passed", "changed", first.behaviour)


def test_a_recording_of_another_scenario_mends_nothing_here(tmp_path: Path) -> None:
    trial = fly(scenario("pager"), 3, ReplayPilot({"pager": [recorded(tmp_path)]}))
    assert (trial.result, {failure.rule for failure in trial.failures}) == ("failed", {"ends-well"})


def test_a_scenario_without_a_recording_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no recorded run for pager"):
        ReplayPilot({"slugger": [recorded(tmp_path)]}).model(scenario("pager"), 0, VirtualClock(0))


def test_a_recorded_agent_of_ours_flies_too(tmp_path: Path) -> None:
    trial = fly(scenario(), 0, agent(*GOOD))
    save(tmp_path / NAME, trial.trace, trial.blobs)
    again = fly(scenario(), 0, ReplayPilot({"slugger": [tmp_path / NAME]}))
    assert (again.result, again.behaviour) == ("passed", trial.behaviour)
