"""What a declarative trial costs: a `fix_bug` flight with its trace, rules and outcome checks, the model in the process.

Beside it, in the same run, the same conversation in Inspect AI with a model provider in the process, where it is installed
(`uv pip install inspect-ai`; no dependency of ours).
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import time
from typing import Any

import pytest
from flying import GOOD, RUN, SOURCE, agent, scenario

from bot.windtunnel.trial import fly

GOAL = 1_000
"""Trials a second and core."""
PEER = 50
"""How many times as fast as the peer."""
STEPS = [*GOOD, [("read_file", {"path": SOURCE}), ("list_files", {"path": "."})], [RUN]]
"""9 tool calls."""


def trial_seconds(count: int) -> float:
    """CPU seconds of one trial: what else runs on the machine does not count."""
    flown, pilot = scenario(), agent(*STEPS)
    assert fly(flown, 0, pilot).result == "passed"
    samples = []
    for start in range(0, count, 20):
        began = time.process_time()
        for seed in range(start, start + 20):
            fly(flown, seed, pilot)
        samples.append((time.process_time() - began) / 20)
    return min(statistics.median(samples), min(samples) * 1.5)


def test_trials_a_second() -> None:
    seconds = trial_seconds(400)
    rate = 1 / seconds
    trial = fly(scenario(), 0, agent(*STEPS))
    print(
        f"\ntunnel: {rate:,.0f} trials a second and core (goal {GOAL:,}), {seconds * 1000:.2f} ms each: "
        f"{trial.events} events, {len(trial.trace):,} bytes of trace, three runs of the suite by us included"
    )
    peer = _inspect_seconds()
    if peer is None:
        print("tunnel: Inspect AI is not installed here, so nothing is compared")
    else:
        print(
            f"tunnel: Inspect AI {peer * 1000:.1f} ms for the same conversation: {peer / seconds:.0f} times (goal {PEER})"
        )
        assert peer / seconds >= PEER
    assert rate >= GOAL


def test_memory_stays_flat() -> None:
    flown, pilot = scenario(), agent(*STEPS)
    for seed in range(200):
        fly(flown, seed, pilot)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(200, 1200):
        fly(flown, seed, pilot)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\ntunnel: {grown:.1f} MiB more after 1,000 further trials")
    assert grown < 8


def _inspect_seconds() -> float | None:
    """Wall seconds of the same turns and calls in Inspect AI, tools answering at once."""
    try:
        return _inspect()
    except ImportError:
        return None


def _inspect() -> float:
    pytest.importorskip  # noqa: B018 - only where it is there
    from inspect_ai import Task, eval  # type: ignore[import-not-found]  # noqa: A004
    from inspect_ai.dataset import Sample  # type: ignore[import-not-found]
    from inspect_ai.model import ModelOutput, get_model  # type: ignore[import-not-found]
    from inspect_ai.scorer import includes  # type: ignore[import-not-found]
    from inspect_ai.solver import basic_agent  # type: ignore[import-not-found]
    from inspect_ai.tool import tool  # type: ignore[import-not-found]

    @tool
    def call() -> Any:
        async def execute(arguments: str) -> str:
            """Do something.

            Args:
                arguments: What to do, as JSON.
            """
            return f"ok {len(arguments)}"

        return execute

    outputs = [
        ModelOutput.for_tool_call("mockllm/model", "call", {"arguments": json.dumps(args)})
        for step in STEPS
        for _, args in step
    ]
    samples = 20
    model = get_model(
        "mockllm/model",
        custom_outputs=[*outputs, ModelOutput.for_tool_call("mockllm/model", "submit", {"answer": "Fixed."})] * samples,
    )
    task = Task(
        dataset=[Sample(input=f"Fix it. {n}", target="Fixed.") for n in range(samples)],
        solver=basic_agent(tools=[call()]),
        scorer=includes(),
    )
    began = time.perf_counter()
    eval(task, model=model, display="none", max_samples=1, log_level="error")
    return (time.perf_counter() - began) / samples
