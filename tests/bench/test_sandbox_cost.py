"""What a sandbox costs: per command against a plain subprocess, per file access, per start, per snapshot."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.base.git import GitDir
from bot.sandbox.ground import Ground
from bot.sandbox.launcher import Launcher, Level, Room

ROUNDS = 60
ALLOWED_MS = 5.0
FILES = 25_000


def measure(action: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    action()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), sorted(times)[int(rounds * 0.95)]


def side_by_side(one: Callable[[], object], other: Callable[[], object]) -> tuple[tuple[float, float], ...]:
    """Both measured in turns, so that what else the machine does weighs on both."""
    actions, times = (one, other), ([], [])
    for number in range(2 * ROUNDS + 2):
        began = time.perf_counter()
        actions[number % 2]()
        times[number % 2].append((time.perf_counter() - began) * 1000)
    return tuple((statistics.median(found[1:]), sorted(found[1:])[int(ROUNDS * 0.95)]) for found in times)


def show(what: str, figures: tuple[float, float]) -> None:
    print(f"  {what:<44} {figures[0]:8.2f} ms median {figures[1]:8.2f} ms p95")


def plain() -> None:
    subprocess.run(["/bin/sh", "-c", "true"], capture_output=True, stdin=subprocess.DEVNULL, start_new_session=True)


@pytest.mark.parametrize("level", ["bubblewrap", "landlock", "none"])
def test_cost_of_a_sandbox(level: Level) -> None:
    if level != "none" and (lack := Ground.survey().lacks(level, "none")):
        pytest.skip(lack)
    launcher = Launcher(level=level, best_effort=level == "none")
    print(f"\n{level}")
    began = time.perf_counter()
    launcher.facts("none")
    print(f"  {'self-test, once for each process':<44} {(time.perf_counter() - began) * 1000:8.2f} ms")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "w").mkdir()
        (folder / "p").mkdir()
        room = Room(workspace=folder / "w", history=GitDir.init(folder / "git"), private=folder / "p")
        show("open and close", measure(lambda: launcher.open(room).close(), 15))
        sandbox = launcher.open(room)
        base, command = side_by_side(plain, lambda: sandbox.run("true", timeout=10))
        show("plain subprocess", base)
        show("command", command)
        show("write 1 KiB", measure(lambda: sandbox.write("a", b"x" * 1024)))
        show("read 1 KiB", measure(lambda: sandbox.read("a")))
        show("snapshot, nothing changed", measure(sandbox.snapshot, 15))
        sandbox.close()
    assert command[0] - base[0] <= ALLOWED_MS


def test_cost_of_comparing_a_large_tree() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        git, work = GitDir.init(folder / "git"), folder / "w"
        for number in range(FILES):
            file = work / str(number % 250) / f"{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(number), encoding="ascii")
        began = time.perf_counter()
        git.stage(work)
        print(f"\n{FILES} files\n  {'first snapshot':<44} {(time.perf_counter() - began) * 1000:8.2f} ms")
        show("snapshot, nothing changed", measure(lambda: git.stage(work), 5))
        rounds = iter(range(1000))

        def change() -> str:
            (work / "0" / "0.txt").write_text(f"changed {next(rounds)}", encoding="ascii")
            return git.stage(work)

        show("snapshot, one file changed", measure(change, 5))
