"""What the loop itself costs per step, with a model in the process: nothing that grows with the run."""

from __future__ import annotations

import itertools
import statistics
import time

from agents import FixedGuard, calls, make_crew, make_task, says
from memory_sandbox import MemorySandbox

from bot.agent.loop import run_loop
from bot.base.messages import Reply, Request
from bot.base.values import Limits
from bot.models.scripted import ScriptedModel

STEPS = 300
GOAL_MS = 1.0


def test_a_step_costs_at_most_a_millisecond_and_the_last_as_much_as_the_first() -> None:
    stamps: list[float] = []

    def script(request: Request) -> Reply:
        stamps.append(time.perf_counter())
        if len(stamps) > STEPS:
            return says("Done.")
        return calls(("read_file", {"path": f"f{len(stamps)}.py"}))

    sandbox = MemorySandbox({f"f{n}.py": "x = 1\n" * 50 for n in range(1, STEPS + 1)})
    limits = Limits(steps=STEPS + 2, tokens=10**9, cost_usd=1e6)
    model = ScriptedModel(script)
    run_loop(make_crew(model, sandbox, task=make_task(limits=limits), guard=FixedGuard()))
    steps = [(b - a) * 1000 for a, b in itertools.pairwise(stamps)]
    first, last = statistics.median(steps[:50]), statistics.median(steps[-50:])
    print(
        f"\nloop: {statistics.median(steps):.3f} ms a step (goal {GOAL_MS}), first 50 {first:.3f}, last 50 {last:.3f}"
    )
    assert statistics.median(steps) <= GOAL_MS
    assert last <= first * 2 + 0.2
