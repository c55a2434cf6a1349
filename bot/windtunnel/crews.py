"""Trials side by side: in processes where they cost computing, in threads where they wait for a model."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import msgspec

from bot.base.redact import Redactor
from bot.windtunnel.judgement import Trial
from bot.windtunnel.pilots import Pilot, ScriptedPilot
from bot.windtunnel.scenario import Scenario
from bot.windtunnel.trial import fly

_WAVE = 16
"""Seeds flown ahead where a trial costs nothing but milliseconds."""
WORTH_A_PROCESS = 600
"""Trials that have to be ahead before processes are started for them, which takes as long as hundreds of trials."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A trial to be flown."""

    scenario: str
    seed: int


class FlightCrew:
    """Flies what it is given, several at a time; results come in the order of the items."""

    def __init__(
        self, scenarios: tuple[Scenario, ...], pilot: Pilot, redactor: Redactor, executor: Executor | None, wave: int
    ) -> None:
        """Without an executor: one after the other, and only when asked for the next."""
        self._scenarios = {one.name: one for one in scenarios}
        self._pilot, self._redactor, self._executor = pilot, redactor, executor
        self.wave = wave
        """How many seeds to fly ahead."""

    def fly(self, items: list[Item]) -> Iterator[Trial]:
        """The trials of the items."""
        if isinstance(self._executor, ProcessPoolExecutor):
            return self._executor.map(_fly_here, items, chunksize=4)
        if self._executor is not None:
            return self._executor.map(self._one, items)
        return map(self._one, items)

    def _one(self, item: Item) -> Trial:
        return fly(self._scenarios[item.scenario], item.seed, self._pilot, self._redactor)


@contextlib.contextmanager
def open_crew(
    scenarios: tuple[Scenario, ...], pilot: Pilot, redactor: Redactor, jobs: int, *, expected: int
) -> Iterator[FlightCrew]:
    """Whoever is needed for `jobs` trials at a time, of which about `expected` are to come.

    Trials under way when it is left are not waited for.
    """
    computing = isinstance(pilot, ScriptedPilot)
    wave = _WAVE if computing else max(1, -(-jobs // len(scenarios)))
    executor: Executor | None = None
    if jobs > 1 and computing and expected >= WORTH_A_PROCESS:
        # Spawned, since the threads of a forked parent (a progress display) do not exist in the child.
        context = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(jobs, context, initializer=_prepare, initargs=(scenarios, pilot))
    elif jobs > 1 and not computing:
        executor = ThreadPoolExecutor(jobs, thread_name_prefix="trial")
    try:
        yield FlightCrew(scenarios, pilot, redactor, executor, wave)
    finally:
        if executor is not None:
            executor.shutdown(wait=computing, cancel_futures=True)


_HERE: dict[str, Scenario] = {}
_PILOT: list[Pilot] = []


def _prepare(scenarios: tuple[Scenario, ...], pilot: Pilot) -> None:
    threading.Thread(target=_end_with_the_flight, daemon=True).start()
    _HERE.update({one.name: one for one in scenarios})
    _PILOT[:] = [pilot]


def _end_with_the_flight() -> None:
    # A parent that was killed says nothing, and its workers would wait for the next trial for ever: each of them holds
    # the queue that the trials come by open itself. The sentinel is another pipe, which only the parent holds.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _fly_here(item: Item) -> Trial:
    return fly(_HERE[item.scenario], item.seed, _PILOT[0])
