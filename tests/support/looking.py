"""Looks, while a job runs, for secrets where the job's own processes could find them: environment, arguments, files."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from types import TracebackType
from typing import Self

_LARGEST = 4 << 20
"""Bytes; larger files are not read through."""


class Looking:
    """A context manager that looks again and again at the processes of one step and at folders.

    A step is known by a variable in its environment; what it started, in a sandbox too, belongs to it.
    The agent's processes are those whose command line holds a word of its command, and what these started.
    """

    def __init__(
        self, mark: str, secrets: Mapping[str, str], *, folders: tuple[Path, ...], agent: str | None = None
    ) -> None:
        """`mark` is `NAME=VALUE`; `secrets` are looked for by name in the processes and below `folders`."""
        self._mark, self._folders, self._agent = mark.encode(), folders, agent
        self._secrets = {name: value.encode() for name, value in secrets.items()}
        self._done = threading.Event()
        # Files take longer to read through than many a process lives.
        self._threads = [threading.Thread(target=look) for look in (self._look_at_processes, self._look_at_files)]
        self._running = False
        self.files = 0
        """How often a file was read through."""
        self.processes: set[int] = set()
        """Those that were looked at."""
        self.commands: set[str] = set()
        """What they were, the program and its arguments."""
        self.programs: set[Path] = set()
        """The files that they execute, as the kernel says."""
        self.agents: set[int] = set()
        """Those of them that are the agent's."""
        self.found: set[str] = set()
        """What was found, and where."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _look_at_processes(self) -> None:
        while not self._done.is_set():
            parents = _parents()
            mine = _family(parents, {pid for pid in parents if self._mark in _environment(pid)})
            commands = {pid: _command(pid) for pid in mine}
            named = {pid for pid, command in commands.items() if self._agent is not None and self._agent in command}
            agents = _family(parents, named)
            self.agents |= agents
            self.commands |= set(commands.values())
            for pid in mine | agents:
                whose = "the agent's " if pid in agents else ""
                for part in ("environ", "cmdline"):
                    self._search(f"{part} of {whose}{_name(pid)}", _read(Path(f"/proc/{pid}/{part}")))
                with suppress(OSError):
                    self.programs.add(Path(f"/proc/{pid}/exe").readlink())
            self.processes |= mine
            self._running = bool(mine)
            time.sleep(0.02)

    def _look_at_files(self) -> None:
        while not self._done.is_set():
            for file in _files(self._folders) if self._running else ():
                with suppress(OSError):
                    found = file.lstat()
                    if S_ISREG(found.st_mode) and found.st_size < _LARGEST:
                        self.files += 1
                        self._search(f"file {file}", _read(file))
            time.sleep(0.1)

    def _search(self, where: str, data: bytes) -> None:
        self.found |= {f"{name} in {where}" for name, value in self._secrets.items() if value in data}


def _files(folders: tuple[Path, ...]) -> Iterator[Path]:
    """All files below; what vanishes meanwhile is left out."""
    for folder in folders:
        for place, _, names in os.walk(folder):
            yield from (Path(place, name) for name in names)


def _parents() -> dict[int, int]:
    """Process → parent, of all that run now."""
    parents: dict[int, int] = {}
    for name in [place.name for place in Path("/proc").iterdir() if place.name.isdecimal()]:
        fields = _read(Path(f"/proc/{name}/stat")).rpartition(b")")[2].split()
        if len(fields) > 1:
            parents[int(name)] = int(fields[1])
    return parents


def _family(parents: Mapping[int, int], first: set[int]) -> set[int]:
    """Processes with all that descend from them."""
    family = set(first)
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _environment(pid: int) -> list[bytes]:
    return _read(Path(f"/proc/{pid}/environ")).split(b"\0")


def _command(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/cmdline")).replace(b"\0", b" ").decode("utf-8", "replace")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _name(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/comm")).decode("utf-8", "replace").strip() or "a process"
