"""Looks, while a job runs, for secrets where the job's own processes could find them: environment, arguments, files."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self


class Looking:
    """A context manager that looks again and again at the processes of one step and at folders.

    A step is known by a variable in its environment; what it started, in a sandbox too, belongs to it.
    """

    def __init__(self, mark: str, secrets: Mapping[str, str], *, folders: tuple[Path, ...]) -> None:
        """`mark` is `NAME=VALUE`; `secrets` are looked for by name in the processes and below `folders`."""
        self._mark, self._folders = mark.encode(), folders
        self._secrets = {name: value.encode() for name, value in secrets.items()}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.processes: set[int] = set()
        """Those that were looked at."""
        self.commands: set[str] = set()
        """What they were, the program and its arguments."""
        self.found: set[str] = set()
        """What was found, and where."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.is_set():
            mine = self._mine()
            for pid in mine:
                for part in ("environ", "cmdline"):
                    self._search(f"{part} of {_name(pid)}", _read(Path(f"/proc/{pid}/{part}")))
                self.commands.add(_read(Path(f"/proc/{pid}/cmdline")).replace(b"\0", b" ").decode("utf-8", "replace"))
            if mine:
                self.processes |= mine
                for folder in self._folders:
                    for file in folder.rglob("*"):
                        if file.is_file() and not file.is_symlink() and file.stat().st_size < 4 << 20:
                            self._search(f"file {file.relative_to(folder)}", _read(file))
            time.sleep(0.02)

    def _mine(self) -> set[int]:
        parents: dict[int, int] = {}
        mine: set[int] = set()
        for name in [place.name for place in Path("/proc").iterdir()]:
            if name.isdecimal():
                stat = _read(Path(f"/proc/{name}/stat")).rpartition(b")")[2].split()
                if len(stat) > 1:
                    parents[int(name)] = int(stat[1])
                if self._mark in _read(Path(f"/proc/{name}/environ")).split(b"\0"):
                    mine.add(int(name))
        while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
            mine |= more
        return mine

    def _search(self, where: str, data: bytes) -> None:
        self.found |= {f"{name} in {where}" for name, value in self._secrets.items() if value in data}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _name(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/comm")).decode("utf-8", "replace").strip() or "a process"
