"""What a command and all that it started may use together: memory and disk, looked at a few times a second.

Limits of the kernel hold for one process or one file; for all of them together they need cgroups, which a user without
rights seldom has. Between two looks more can be taken; a command that is over is ended, the machine goes on.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from bot.sandbox.inside import ending

EVERY = 0.25
"""Seconds between two looks; a command that is shorter is never looked at."""
_LEFT_FREE = 512 << 20


class Totals(NamedTuple):
    """The limits of one command."""

    memory: int
    """Bytes that its processes may hold together; pages that they share count for each."""
    folder: str
    """A folder on the disk that it writes to."""
    free: int
    """Bytes that have to stay free there."""

    @classmethod
    def of(cls, folder: str) -> Totals:
        """Three quarters of the machine, and half a gigabyte of its disk, or half of what is free if that is less."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
        return cls(memory, folder, min(_LEFT_FREE, _free(folder) // 2))

    def exceeded(self) -> str | None:
        """What is over its limit now, in words for whoever ran the command; None when nothing is."""
        if _held() > self.memory:
            return f"its processes hold more than {self.memory >> 20} MiB of memory together"
        if _free(self.folder) < self.free:
            return "it has nearly filled the disk"
        return None


def _free(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _held() -> int:
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(pages for pid in ending.descendants() if (pages := _resident(pid))) * page


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
