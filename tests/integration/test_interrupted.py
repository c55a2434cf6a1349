"""^C and SIGTERM at the worst moments: exit 130, what was finished is intact, no process and no scratch folder is left
behind, and the same command goes on from there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_playbooks import EDIT, EDITS_A, STAMP
from small_world import TOKEN, World

from bot.virtual.github.faults import Fault

# Found again among all processes of the machine, and no other worker's.
SLEEP = f"sleep 9{os.getpid():08}"
SLOW = f"""
    rules:
      - {{when: {{step: 0}}, calls: [{{run_shell_command: {{command: "{SLEEP} & {SLEEP}"}}}}]}}
      - {{say: Done.}}
    """


@pytest.fixture(autouse=True)
def _signals_are_heard() -> Iterator[None]:
    """A shell starts what runs in the background with ^C ignored, and every process inherits that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


@contextmanager
def running(world: World, *words: str) -> Iterator[subprocess.Popen[str]]:
    with world.start(*words) as process:
        try:
            yield process
        finally:
            process.kill()


def left_behind(world: World) -> list[str]:
    """Command lines of processes that belong to a run of this world."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(world.scratch) in line or SLEEP in line:
            found.append(line)
    return found


def interrupt(world: World, process: subprocess.Popen[str], number: int) -> str:
    """Send the signal and say what stood on stderr; holds what every interruption has to hold."""
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - began < 8
    assert out == ""
    assert "Traceback" not in err
    assert "interrupted" in err
    wait_for(lambda: left_behind(world) == [], 5)
    assert list(world.scratch.iterdir()) == []
    return err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_during_the_agent_loop(world: World, number: int) -> None:
    world.playbook("edit", EDIT)
    for name, script in (("first", EDITS_A), ("second", SLOW)):
        world.plugin(name, {"a": "old\n"})
        world.script(name, "edit", script)
    with running(world, "run", "edit", "--out", str(world.out), "--json", "--jobs", "1") as process:
        wait_for(lambda: any(line.startswith(SLEEP) for line in left_behind(world)))
        err = interrupt(world, process, number)
    assert str(world.out) in err
    assert "run the same command again" in err
    [kept] = world.out.glob("*/*/proposal.json")
    assert json.loads(kept.read_text(encoding="utf-8"))["plugin"] == "first"
    world.script("second", "edit", EDITS_A)
    asked = len(world.gemini.requests)
    done = world.run("edit")
    assert done.json["totals"] == {"changed": 2}, done.err
    assert not any(called.plugin == "first" for called in world.gemini.requests[asked:])


def test_with_many_tasks_under_way_the_wait_is_no_longer(world: World) -> None:
    world.playbook("edit", EDIT)
    for name in "abcd":
        world.plugin(name, {"a": "old\n"})
        world.script(name, "edit", SLOW)
    with running(world, "propose", "edit", "--out", str(world.out), "--jobs", "4") as process:
        wait_for(lambda: sum(line.startswith(SLEEP) for line in left_behind(world)) == 8)
        interrupt(world, process, signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_during_publishing(world: World, number: int) -> None:
    world.playbook("stamp", STAMP)
    for name in "abc":
        world.plugin(name, {"a": "a\n"})
    world.github.faults.add(Fault(method="POST", path="/repos/acme/b/pulls", kind="hang"))
    [(_, hits)] = world.github.faults._on
    with running(world, "run", "stamp", "--out", str(world.out), "--json") as process:
        wait_for(lambda: hits[0] == 1)
        err = interrupt(world, process, number)
    assert f"fleet-bot publish {world.out}" in err
    assert len(list(world.out.glob("*/*/proposal.json"))) == 3
    done = world.fleet_bot("publish", str(world.out), "--json")
    assert done.json["totals"] == {"changed": 3}, done.err
    assert [len(pulls(world, name)) for name in "abc"] == [1, 1, 1]
    assert TOKEN not in err


def pulls(world: World, name: str) -> list[int]:
    found = world.github.hub.store.get(f"acme/{name}")
    return [issue.number for issue in found.issues.values() if issue.pull is not None]
