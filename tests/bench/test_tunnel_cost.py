"""What a declarative trial costs: a `fix_bug` flight with its trace, rules and outcome checks, the model in the process.

Beside it, in the same run, the same conversation in Inspect AI with a model provider in the process, where there is an
interpreter that has it: `INSPECT_PYTHON=/path/to/python make bench`. It is no dependency of ours.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from flying import GOOD, RUN, SOURCE, agent, scenario

from bot.windtunnel.trial import fly

GOAL = 1_000
"""Trials a second and core."""
FLOOR = 100
"""What it must not fall below even on a machine that is busy with other things."""
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
    assert rate >= FLOOR


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
    """CPU seconds of the same calls in Inspect AI, tools answering at once; None where it is not installed."""
    python = os.environ.get("INSPECT_PYTHON", sys.executable)
    steps = [args for step in STEPS for _, args in step]
    command = [python, str(Path(__file__).with_name("inspect_peer.py")), json.dumps(steps), "40"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if "No module named 'inspect_ai'" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr[-2000:]
    return float(json.loads(done.stdout.strip().splitlines()[-1])["seconds"])
