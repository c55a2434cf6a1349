"""Where the virtual GitHub keeps its records: `<root>/<owner>/<name>.json` beside `<name>.git`, replaced as a whole.

One lock serialises all changes. A reader gets a frozen record and needs no lock.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bot.base.clock import Clock
from bot.base.errors import ConfigurationError
from bot.virtual.github.errors import not_found
from bot.virtual.github.records import Repository

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_][A-Za-z0-9._-]*")


class Store:
    """All repositories below a folder, those too that appear there later."""

    def __init__(self, root: Path, clock: Clock) -> None:
        """Reads what an earlier start left. Raises `ConfigurationError` for a record that cannot be read."""
        self.root, self.clock = root, clock
        self._lock = threading.RLock()
        self._known: dict[str, Repository] = {}
        root.mkdir(parents=True, exist_ok=True)
        for file in sorted(root.glob("*/*.json")):
            try:
                found = msgspec.json.decode(file.read_bytes(), type=Repository)
            except msgspec.MsgspecError as error:
                msg = f"{file} is no record of the virtual GitHub: {error}."
                raise ConfigurationError(msg, "Delete the file, or choose another folder.") from error
            self._known[found.full_name] = found
        self._last = max((number for found in self._known.values() for number in _ids(found)), default=0)

    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.clock.now())

    def next_id(self) -> int:
        """A number that nothing else has."""
        with self._lock:
            self._last += 1
            return self._last

    def folder(self, full_name: str) -> Path:
        """The bare repository. Raises the 404 of GitHub for what is no name."""
        if not NAME.fullmatch(full_name) or ".." in full_name:
            raise not_found()
        return self.root / f"{full_name}.git"

    def get(self, full_name: str) -> Repository:
        """A repository; a bare one that just lies there is taken up. Raises the 404 of GitHub."""
        folder = self.folder(full_name)
        with self._lock:
            if not (folder / "HEAD").is_file():
                raise not_found()
            if full_name not in self._known:
                now = self.now()
                self.put(Repository(id=self.next_id(), full_name=full_name, created=now, pushed=now))
            return self._known[full_name]

    def all(self) -> list[Repository]:
        """Every repository that is there, by name."""
        names = (f"{path.parent.name}/{path.name.removesuffix('.git')}" for path in sorted(self.root.glob("*/*.git")))
        return [self.get(name) for name in names if NAME.fullmatch(name) and (self.folder(name) / "HEAD").is_file()]

    def put(self, repository: Repository) -> None:
        """Keep a record, on disk first: what is answered has been written."""
        with self._lock:
            file = self.root / f"{repository.full_name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(f".json.{os.getpid()}.new")
            fresh.write_bytes(msgspec.json.encode(repository))
            fresh.replace(file)
            self._known[repository.full_name] = repository

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile."""
        with self._lock:
            yield


def _ids(repository: Repository) -> Iterator[int]:
    yield repository.id
    yield from (label.id for label in repository.labels)
    yield from (status.id for status in repository.statuses)
    yield from (artifact.id for artifact in repository.artifacts)
    for issue in repository.issues.values():
        yield issue.id
        yield from (comment.id for comment in issue.comments)
        yield from (reaction.id for reaction in issue.reactions)
