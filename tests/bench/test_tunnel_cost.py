"""What a declarative trial costs: a `fix_bug` flight with its trace, rules and outcome checks, the model in the process.

64 different conversations are flown in turn. Beside it, in the same run, the same conversations in Inspect AI with a model
provider in the process, where there is an interpreter that has it: `INSPECT_PYTHON=/path/to/python make bench`. It is no
dependency of ours.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from conversations import DIFFERENT, conversation, pilot, said
from flying import scenario

from bot.windtunnel.pilots import Pilot
from bot.windtunnel.trial import fly

GOAL = 1_000
"""Trials a second and core."""
FLOOR = 400
"""What it must not fall below even on a machine that is busy with other things."""
PEER = 50
"""How many times as fast as the peer it has to be, although the peer's own time varies by a fifth."""
ROUNDS = 40


def quickest(agent: Pilot, seeds: range) -> float:
    """CPU seconds of one trial, the mean over all seeds of the quickest time of each: what else runs does not count."""
    flown = scenario()
    best = dict.fromkeys(seeds, float("inf"))
    gc.collect()
    gc.freeze()  # what the test runner holds is no trial's, and would be looked at over and over
    for _ in range(ROUNDS):
        for seed in seeds:
            began = time.process_time()
            fly(flown, seed, agent)
            best[seed] = min(best[seed], time.process_time() - began)
    gc.unfreeze()
    return sum(best.values()) / len(best)


def test_trials_a_second() -> None:
    different = range(DIFFERENT)
    agent = pilot(said(different))
    trials = [fly(scenario(), seed, agent) for seed in different]
    assert [trial.result for trial in trials] == ["passed"] * DIFFERENT
    assert len({trial.behaviour for trial in trials}) == DIFFERENT
    seconds = quickest(agent, different)
    rate = 1 / seconds
    calls = [sum(map(len, conversation(number))) for number in different]
    events, size = (sum(part) / DIFFERENT for part in ([t.events for t in trials], [len(t.trace) for t in trials]))
    print(
        f"\ntunnel: {rate:,.0f} trials a second and core (goal {GOAL:,}), {seconds * 1000:.2f} ms each: {min(calls)} to "
        f"{max(calls)} tool calls, {events:.0f} events, {size / 1000:.0f} kB of trace, runs of the suite by us included"
    )
    print(f"tunnel: {unknown() * 1000:.2f} ms where the agent writes what no trial has seen before")
    peer = _inspect_seconds()
    if peer is None:
        print("tunnel: Inspect AI is not installed here, so nothing is compared")
    else:
        times = peer / seconds
        print(
            f"tunnel: Inspect AI {peer * 1000:.1f} ms for the same conversations: {times:.0f} times (at least {PEER})"
        )
        assert times >= PEER
    assert rate >= FLOOR


def unknown() -> float:
    """CPU seconds of a trial with files that were never seen: nothing remembered of them can help."""
    seeds = range(1000, 1200)
    flown, answers = scenario(), said(seeds, fresh=True)
    agent = pilot(dict(enumerate(answers.values())))
    took = []
    for seed in range(len(answers)):
        began = time.process_time()
        assert fly(flown, seed, agent).result == "passed"
        took.append(time.process_time() - began)
    return sorted(took)[len(took) // 10]


def test_memory_stays_flat() -> None:
    flown, agent = scenario(), pilot(said(range(1800), fresh=True))
    for seed in range(800):
        fly(flown, seed, agent)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(800, 1800):
        fly(flown, seed, agent)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\ntunnel: {grown:.1f} MiB more after 1,000 further trials, each with files of its own")
    assert grown < 8


def _inspect_seconds() -> float | None:
    """CPU seconds of the same calls in Inspect AI, tools answering at once; None where it is not installed."""
    python = os.environ.get("INSPECT_PYTHON", sys.executable)
    conversations = [[args for step in conversation(number) for _, args in step] for number in range(DIFFERENT)]
    command = [python, str(Path(__file__).with_name("inspect_peer.py")), json.dumps(conversations), str(DIFFERENT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if "No module named 'inspect_ai'" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr[-2000:]
    return float(json.loads(done.stdout.strip().splitlines()[-1])["seconds"])
