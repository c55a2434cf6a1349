"""What a campaign costs beyond git itself: a script playbook over a fleet, beside the same work by plain git commands.

`make bench ARGS="-k fleet"`. Both do a clone, a change of one file, a commit and a branch in the origin, for each plugin.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

PLUGINS = 20
ROUNDS = 3
STAMP = """---
id: stamp
version: 1.0.0
summary: Put a stamp into every plugin.
mode: script
script: echo stamped > STAMP
pull_request: {title: Stamp}
---
"""


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.invalid", *arguments], cwd=folder, check=True
    )


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Twenty small repositories, a manifest and a playbook."""
    lines = ["version: 1", "sandbox: best-effort", "plugins:"]
    for number in range(PLUGINS):
        plugin = tmp_path / "fleet" / f"p{number}"
        plugin.mkdir(parents=True)
        git(plugin, "init", "--quiet", "--initial-branch=main")
        for file in range(30):
            (plugin / f"f{file}.txt").write_text(f"file {file}\n")
        git(plugin, "add", "--all")
        git(plugin, "commit", "--quiet", "--message=first")
        lines.append(f"  - {{name: p{number}, repo: ./fleet/p{number}}}")
    (tmp_path / "fleet.yaml").write_text("\n".join(lines) + "\n")
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "stamp.md").write_text(STAMP)
    return tmp_path


def by_git(fleet: Path, round_: int) -> float:
    """Seconds of the floor: one plugin after the other, nothing looked at."""
    began = time.perf_counter()
    for number in range(PLUGINS):
        clone = fleet / f"clone-{round_}" / f"p{number}"
        git(fleet, "clone", "--quiet", str(fleet / "fleet" / f"p{number}"), str(clone))
        (clone / "STAMP").write_text("stamped\n")
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message=Stamp")
        git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/floor-{round_}")
    return time.perf_counter() - began


def by_us(fleet: Path, round_: int, jobs: int) -> float:
    """Seconds of the whole command, its start included."""
    command = [sys.executable, "-P", "-m", "bot", "run", "stamp", "--jobs", str(jobs), "--out", f"out-{jobs}-{round_}"]
    began = time.perf_counter()
    subprocess.run([*command, "--json"], cwd=fleet, check=True, capture_output=True)
    return time.perf_counter() - began


def test_cost_of_a_fleet(fleet: Path) -> None:
    floor = [by_git(fleet, round_) for round_ in range(ROUNDS)]
    for jobs in (1, 2):
        ours = [by_us(fleet, round_, jobs) for round_ in range(ROUNDS)]
        ratio = statistics.median(ours) / statistics.median(floor)
        print(
            f"\n{PLUGINS} plugins, --jobs {jobs}: {statistics.median(ours):.2f} s, plain git one after the other "
            f"{statistics.median(floor):.2f} s: {ratio:.1f} times; {statistics.median(ours) / PLUGINS * 1000:.0f} ms a plugin"
        )
