"""What the demo plays: the scenarios of the virtual fleet, put together into campaigns."""

from __future__ import annotations

import shutil

import msgspec

from bot.base.canonical import canonical
from bot.base.values import Scalar
from bot.virtual.plugin import Scenario, VirtualPlugin


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign of the demo: a playbook with its variables over some plugins."""

    playbook: str
    variables: dict[str, Scalar]
    cast: tuple[tuple[VirtualPlugin, Scenario], ...]

    @property
    def plugins(self) -> tuple[str, ...]:
        """The names of the plugins, sorted."""
        return tuple(plugin.name for plugin, _ in self.cast)


def acts(fleet: tuple[VirtualPlugin, ...]) -> tuple[Act, ...]:
    """The demo's campaigns. Scenarios with a report of their own (a bug) get a campaign each."""
    groups: dict[bytes, list[tuple[VirtualPlugin, Scenario]]] = {}
    for plugin in fleet:
        for scenario in plugin.scenarios:
            if scenario.demo:
                alone = plugin.name if scenario.report or scenario.issue or scenario.commit else ""
                key = canonical([scenario.playbook, scenario.variables, alone])
                groups.setdefault(key, []).append((plugin, scenario))
    found = [
        Act(playbook=cast[0][1].playbook, variables=cast[0][1].variables, cast=tuple(cast)) for cast in groups.values()
    ]
    return tuple(sorted(found, key=lambda act: (act.playbook, act.plugins)))


def playable(fleet: tuple[VirtualPlugin, ...]) -> tuple[VirtualPlugin, ...]:
    """The plugins whose programs (node, say) are on this machine."""
    return tuple(plugin for plugin in fleet if all(shutil.which(program) for program in plugin.needs))


def surprise(scenario: Scenario, outcome: str, *, pull_request: bool, red_to_green: bool) -> str | None:
    """How a task ended other than its scenario expects, or None."""
    expect = scenario.expect
    if outcome not in expect.outcomes:
        return f"expected {' or '.join(expect.outcomes)}, got {outcome}"
    if expect.pull_request != pull_request:
        return "expected a pull request, there is none" if expect.pull_request else "expected no pull request, got one"
    if expect.red_to_green and not red_to_green:
        return "expected a test that goes from red to green"
    return None
