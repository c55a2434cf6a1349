"""The collaborators of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.agent.limits import Purse
from bot.base.clock import Clock
from bot.base.redact import Redactor
from bot.base.values import Task
from bot.ports import Approver, ForgeRead, Guard, Model, ModelId, Sandbox, TraceSink
from bot.sandbox.launcher import Room


class Sandboxes(Protocol):
    """Opens sandboxes; `bot.sandbox.launcher.Launcher` in production."""

    def open(self, room: Room) -> Sandbox:
        """One that is confined as the room says. Raises `SandboxError` when that cannot be had."""
        ...


class Progress(Protocol):
    """Told how far a task is, for people who wait."""

    def __call__(self, task: Task, step: str) -> None:
        """`step` is a few words: `clone`, `tests before`, `agent: step 3`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The collaborators of a run, built once by `bot.wiring`."""

    forge: ForgeRead
    sandboxes: Sandboxes
    model: Callable[[Task], Model]
    """Called only for agent playbooks, so that a script needs no key."""
    model_id: ModelId | None
    guard: Callable[[Task], Guard]
    protected: tuple[str, ...] = ()
    """Globs that the fleet protects besides the built-in ones; `guard` keeps them."""
    trace: Callable[[Path, str], TraceSink]
    """Opens the trace file of a run."""
    redactor: Redactor
    clock: Clock
    scratch: Callable[[], Path]
    """Makes a new empty folder outside of `<out>`."""
    reaching: dict[str, str] = field(default_factory=dict)
    """Variables that a set-up needs to reach package indexes from here: proxies, certificates, where indexes are."""
    approver: Approver | None = None
    progress: Progress = lambda task, step: None
    purse: Purse = field(default_factory=Purse)
    """The campaign's money and tokens."""
    closed: Callable[[], str | None] = lambda: None
    """Says why no further task may begin, or None."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the campaign is interrupted; every run ends at its next step."""
    interrupt: Callable[[], None] = lambda: None
    """Called after `stop` was set: ends what the runs wait for."""


def places(variables: dict[str, str]) -> tuple[Path, ...]:
    """The files and folders that variables name, to be shown too; never one that has the home folder in it."""
    found = (Path(word).resolve() for value in variables.values() for word in value.split() if word.startswith("/"))
    hidden = {
        Path("/"),
        Path("/etc"),
        *(folder for home in {Path.home(), Path.home().resolve()} for folder in (home, *home.parents)),
    }
    return tuple(dict.fromkeys(place for place in found if place.exists() and place not in hidden))
