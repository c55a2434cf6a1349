"""Our own runs of the tests in trials: what a suite answered on a tree once, it answers again.

Every trial of a scenario begins on the same tree, and many end on the same. Only a run is remembered that depends on
nothing but what it is remembered by, and that changed nothing: one simple command, no fault, no note, no look at the
clock, no value set, no file left.
"""

from __future__ import annotations

import msgspec

from bot.base.values import Plugin, TestCommand
from bot.ports import TraceSink
from bot.task.test_results import Suite, observe
from bot.trace.events import CommandRun
from bot.trace.writer import INLINE
from bot.virtual.sandbox import Condition, VirtualSandbox, milliseconds
from bot.virtual.shell.words import simple

_REMEMBERED = 1024
_Key = tuple[Condition, str, str | None, str, float]


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    suite: Suite
    event: CommandRun
    seconds: float


_RUNS: dict[_Key, _Run] = {}


def remembered() -> int:
    """How many runs are."""
    return len(_RUNS)


def forget() -> None:
    """Remember none."""
    _RUNS.clear()


def run_on(
    tree: str, sandbox: VirtualSandbox, plugin: Plugin, test: TestCommand, sink: TraceSink, *, timeout: float
) -> Suite:
    """Fill the workspace with a tree and run the tests there, as `bot.task.test_results.run_suite` does.

    The same events, results and virtual time, remembered or not. The workspace is afterwards for nobody to use before it is filled
    again: what the run left may lie in it.
    """
    sandbox.restore(tree)
    condition = sandbox.condition
    key = None if condition is None else (condition, test.command, test.junit, plugin.directory, timeout)
    known = _RUNS.get(key) if key is not None else None
    clock = sandbox.clock
    began = clock.monotonic()
    if known is not None:
        sandbox.pass_over(known.seconds)
        took = round(milliseconds(clock.monotonic() - began), 1)
        suite, event = known.suite, known.event
        if event.duration_ms != took:
            event = msgspec.structs.replace(event, duration_ms=took)
            suite = msgspec.structs.replace(suite, seen=msgspec.structs.replace(suite.seen, duration_ms=took))
        sink.append(event)
        return suite
    before = clock.steps + 1, len(sandbox.notes), sandbox.times_told
    suite, event = observe(sandbox, plugin, test, sink, workspace=sandbox.workspace, timeout=timeout)
    sink.append(event)
    alone = before == (clock.steps, len(sandbox.notes), sandbox.times_told) and simple(test.command) is not None
    if key is not None and alone and not event.timed_out and max(event.stdout_bytes, event.stderr_bytes) <= INLINE:
        sandbox.restore(tree)
        if sandbox.condition == condition:
            if len(_RUNS) >= _REMEMBERED:
                forget()
            _RUNS[key] = _Run(suite=suite, event=event, seconds=clock.last)
    return suite
