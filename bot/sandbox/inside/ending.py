"""Two ways to end every process that a command left behind, and to be sure of it."""

from __future__ import annotations

import os
import signal
import time

_PATIENCE = 30.0
"""Seconds after which an unkillable process (one in uninterruptible sleep) is given up."""


class StillAlive(Exception):
    """Processes could not be ended."""


def all_in_reach() -> None:
    """Kill everything that may be signalled. To be used only where that is proven to be nothing but our own."""
    deadline = time.monotonic() + _PATIENCE
    while _children_left(deadline):
        kill(-1, signal.SIGKILL)


def all_descendants() -> None:
    """Find our descendants in /proc and kill them, until there are none. Daemons count, for orphans come to us.

    They are stopped first, so that a process that forks quickly cannot run ahead of us.
    """
    deadline = time.monotonic() + _PATIENCE
    while _children_left(deadline):
        stopped: set[int] = set()
        while fresh := descendants() - stopped:
            _signal(fresh, signal.SIGSTOP)
            stopped |= fresh
        _signal(stopped, signal.SIGKILL)


def _children_left(deadline: float) -> bool:
    """Wait for children that have ended; whether any is alive. Raises `StillAlive` after the deadline."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            if time.monotonic() > deadline:
                raise StillAlive
            time.sleep(0.0005)
            return True


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        kill(pid, number)


def kill(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone already."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def descendants() -> set[int]:
    """Every process below our own that is alive, as /proc shows it."""
    parents: dict[int, int] = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208
    except FileNotFoundError:
        return set()
    for name in names:
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    # The name of the program may hold spaces and brackets; the last bracket ends it.
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if state != b"Z":
                parents[int(name)] = int(parent)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {os.getpid()}
