"""One way to write an evaluation, for the scripted model and for a live one.

A scenario stands in `virtual_fleet/<name>/` once (docs/wind-tunnel.md). Both folders of `tests/evaluations` fly all of them;
what they differ in is who flies.
"""

from __future__ import annotations

import contextlib

from bot.base.errors import UsageError
from bot.fleet.playbook import find_playbooks, read_playbook
from bot.virtual.plugin import find_virtual_fleet
from bot.windtunnel.judgement import Trial
from bot.windtunnel.pilots import Pilot
from bot.windtunnel.scenario import Scenario, find_scenarios
from bot.windtunnel.trial import fly


def scenarios(*, scripted: bool) -> dict[str, Scenario]:
    """`playbook@virtual plugin` → scenario, of all shipped ones."""
    found: dict[str, Scenario] = {}
    for name, file in find_playbooks(None).items():
        playbook = read_playbook(file)
        if playbook.mode == "agent":
            with contextlib.suppress(UsageError):  # a playbook without a scenario
                known = find_scenarios(playbook, (find_virtual_fleet(),), scripted=scripted)
                found |= {f"{name}@{scenario.name}": scenario for scenario in known}
    return found


def evaluate(scenario: Scenario, pilot: Pilot, seed: int = 0) -> Trial:
    """Fly it once; fails with what was broken, and where."""
    trial = fly(scenario, seed, pilot)
    told = [f"{one.rule} (event {one.seq}): {one.reason}" for one in trial.failures]
    assert trial.result == "passed", f"{trial.outcome}: {trial.reason}\n" + "\n".join(told)
    return trial
