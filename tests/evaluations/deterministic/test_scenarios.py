"""All shipped scenarios with the answers that lie beside them: milliseconds each, part of `make test`."""

from __future__ import annotations

import pytest
from evaluations import evaluate, scenarios

from bot.windtunnel.pilots import ScriptedPilot

SCENARIOS = scenarios(scripted=True)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_script_flies(name: str, seed: int) -> None:
    trial = evaluate(SCENARIOS[name], ScriptedPilot(), seed)
    assert trial.misses == ()
