"""What a command may use together with all that it started, on real processes with small limits."""

from __future__ import annotations

import shlex
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.inside import ending
from bot.sandbox.inside.commands import Command, Kennel, run
from bot.sandbox.inside.totals import EVERY, Totals

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
MIB = 1 << 20


def ended(line: str, folder: Path, totals: Totals | None) -> dict[str, Any]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        kennel = Kennel(enter=lambda: None, end=ending.all_descendants)
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        return run(Command(line, str(folder), env, 30.0, totals), kennel, theirs.fileno())


def hold(mib: int) -> str:
    code = f"import time; held = bytearray({mib} << 20); print(1, flush=True); time.sleep(20)"
    return f"{shlex.quote(sys.executable)} -S -c {shlex.quote(code)}"


def test_processes_that_hold_too_much_together_are_ended_though_each_is_small(tmp_path: Path) -> None:
    began = time.monotonic()
    one = hold(40)
    found = ended(f"{one} & {one} & {one} & wait", tmp_path, Totals(100 * MIB, str(tmp_path), 0))
    assert (found["exit_code"], found["timed_out"]) == (137, False)
    assert b"hold more than 100 MiB of memory together" in found["stderr"]
    assert time.monotonic() - began < 15
    assert ending.descendants() == set()


def test_a_disk_that_is_nearly_full_ends_the_command(tmp_path: Path) -> None:
    found = ended("echo begun; sleep 20", tmp_path, Totals(1 << 50, str(tmp_path), 1 << 60))
    assert (found["exit_code"], found["stdout"]) == (137, b"begun\n")
    assert b"nearly filled the disk" in found["stderr"]


def test_what_stays_below_is_left_alone(tmp_path: Path) -> None:
    found = ended(f"{hold(40)} & sleep {3 * EVERY}; echo fine", tmp_path, Totals(2048 * MIB, str(tmp_path), 0))
    assert (found["exit_code"], found["stdout"][-5:]) == (0, b"fine\n")


def test_a_short_command_is_never_looked_at(tmp_path: Path) -> None:
    assert ended("echo fine", tmp_path, Totals(0, str(tmp_path), 1 << 60))["exit_code"] == 0


def test_the_limits_are_below_what_the_machine_has(tmp_path: Path) -> None:
    totals = Totals.of(str(tmp_path))
    assert totals.exceeded() is None
    assert totals.free <= 512 * MIB
