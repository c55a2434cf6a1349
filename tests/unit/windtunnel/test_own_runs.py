"""Our own runs in trials: a run that is remembered is told as it would be told again, and only such a run is remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flying import GOOD, agent, scenario
from memory_trace import MemoryTrace
from planted_profiles import CALC, RULES, plant

from bot.base.values import Plugin, TestCommand
from bot.trace.events import CommandRun
from bot.virtual.profile import Profile
from bot.virtual.profile_reader import read_profile
from bot.virtual.sandbox import VirtualSandbox
from bot.windtunnel import own_runs
from bot.windtunnel.own_runs import run_on
from bot.windtunnel.trial import fly

ASKS = """
  - {run: kept, respond: {suite: true}, write: {.cache/last: "x"}}
  - {run: counted, respond: {suite: true}, set: {runs: 1}}
"""
FAULT = """
faults:
  - {id: shaky, kind: flaky, chance: 0.5}
"""


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    own_runs.forget()


@pytest.fixture
def profile(tmp_path: Path) -> Callable[..., Profile]:
    files = {**CALC, ".gitignore": ".cache/\n"}
    return lambda more="": read_profile(plant(tmp_path / str(len(more)), RULES + more, files))


def ran(profile: Profile, command: str, *, seed: int = 1, times: int = 1) -> tuple[list[CommandRun], VirtualSandbox]:
    """Runs on the same tree in one sandbox, as trials do them."""
    sandbox, trace = VirtualSandbox(profile, seed=seed), MemoryTrace()
    plugin = Plugin(name="calc", repo="o/calc", test=TestCommand(command=command))
    start = sandbox.snapshot()
    assert plugin.test is not None
    for _ in range(times):
        run_on(start, sandbox, plugin, plugin.test, trace, timeout=60)
    return [body for _, body in trace.lines if isinstance(body, CommandRun)], sandbox


def test_a_trial_is_the_same_whether_its_runs_are_remembered_or_not() -> None:
    flown = [fly(scenario(), 3, agent(*GOOD)).trace for _ in range(2)]
    own_runs.forget()
    assert [*flown, fly(scenario(), 3, agent(*GOOD)).trace] == [flown[0]] * 3


def test_a_run_that_changes_nothing_is_remembered_and_takes_its_time(profile: Callable[..., Profile]) -> None:
    (first, second), sandbox = ran(profile(), "python -m pytest -q", times=2)
    assert own_runs.remembered() == 1
    assert first == second
    assert first.exit_code == 1
    assert sandbox.clock.monotonic() == pytest.approx(2 * first.duration_ms / 1000)
    ran(profile(), "python -m pytest -q", seed=2)
    assert own_runs.remembered() == 1


@pytest.mark.parametrize("command", ["kept", "counted", "pytest; date", "date", "nobody-knows-this", "forever"])
def test_a_run_is_not_remembered_that(profile: Callable[..., Profile], command: str) -> None:
    """… leaves a file that stays, sets a value, is no single command, tells the time, has no answer, or does not end."""
    ran(profile(ASKS), command)
    assert own_runs.remembered() == 0


def test_where_something_goes_wrong_by_chance_nothing_is_remembered(profile: Callable[..., Profile]) -> None:
    ran(profile(FAULT), "pytest", times=3)
    assert own_runs.remembered() == 0
