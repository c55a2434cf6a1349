"""Opens sandboxes: finds out what this machine can enforce, proves it, and refuses when it is less than asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from weakref import WeakSet

from bot.base.errors import SandboxError
from bot.base.values import Network
from bot.ports import Enforced, Sandbox
from bot.sandbox import bubblewrap, places
from bot.sandbox.channel import Worker
from bot.sandbox.client import RoomSandbox
from bot.sandbox.ground import Ground
from bot.sandbox.inside.filters import AF_INET, AF_INET6, AF_NETLINK, AF_UNIX
from bot.sandbox.proof import prove
from bot.sandbox.room import Room
from bot.sandbox.snapshots import Snapshots

__all__ = ["Launcher", "Level", "Room"]

Level = Literal["bubblewrap", "landlock", "none"]
_LEVELS: tuple[Level, ...] = ("bubblewrap", "landlock")
"""Best first."""
_INTERNET = (AF_INET, AF_INET6, AF_NETLINK)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/shm")
_READABLE_DEVICES = ("/dev/random", "/dev/urandom", "/proc")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_PROCESSES = {"bubblewrap": 4096, "landlock": 16_384, "none": 16_384}
"""Without a user namespace all processes of the user count, those outside as well."""
_LANDLOCK_HOLES = (
    "Modes, owners, times and extended attributes of files outside the workspace can be changed where the user may.",
    "Names and arguments of other processes can be read in /proc.",
    "/dev/shm is shared with the machine.",
)
_UNBOUND = "As root the number of processes is not limited."
_UNCONFINED = "Nothing is confined: commands can read, change and send whatever the user can."


class Launcher:
    """Opens rooms at the best level that this machine proves to enforce."""

    def __init__(self, *, best_effort: bool = False, level: Level | None = None, ground: Ground | None = None) -> None:
        """`best_effort` goes on with less, down to no confinement, and says so in the facts.

        `level` allows only that one; `ground` stands in for this machine.
        """
        self._best_effort, self._level = best_effort, level
        self._ground = ground or Ground.survey()
        self._found: dict[Network, Enforced] = {}
        self._workers: WeakSet[Worker] = WeakSet()

    def open(self, room: Room) -> Sandbox:
        """A sandbox on the room. Raises `SandboxError` when less can be had than the room asks for."""
        return self._start(room, self.facts(room.network))

    def interrupt(self) -> None:
        """End what runs in any of its sandboxes, from another thread; each of them is broken afterwards."""
        for worker in list(self._workers):
            worker.interrupt()

    def facts(self, network: Network) -> Enforced:
        """What is enforced here, found by trying it once. Raises as `open` does."""
        if network not in self._found:
            self._found[network] = self._find(network)
        return self._found[network]

    def _find(self, network: Network) -> Enforced:
        reasons = []
        for level in _LEVELS if self._level is None else (self._level,):
            if level == "none":
                continue
            lack = self._ground.lacks(level, network)
            facts = Enforced(level=level, network=network, notes=_notes(level))
            try:
                if lack is None:
                    prove(lambda room, facts=facts: self._start(room, facts), network)  # type: ignore[misc]
                    return facts
            except SandboxError as error:
                lack = error.what
            reasons.append(f"{level}: {lack.rstrip('.')}")
        why = "; ".join(reasons) or "level none confines nothing"
        if self._best_effort:
            return Enforced(level="none", network="full", notes=(_UNCONFINED, f"Why not: {why}."))
        msg = f"No sandbox with `network: {network}` can be had here ({why})."
        raise SandboxError(msg, self._ground.cure)

    def _start(self, room: Room, facts: Enforced) -> Sandbox:
        for folder in (room.home, room.temporary, room.shared):
            folder.mkdir(mode=0o700, exist_ok=True)
        inside = facts.level == "bubblewrap"
        env = {
            "PATH": _PATH,
            "HOME": str(room.home),
            "TMPDIR": "/tmp" if inside else str(room.temporary),
            "LANG": "C.UTF-8",
            # Landlock leaves /etc/gitconfig in sight but unreadable, which git takes for an error.
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        root = bubblewrap.INSIDE if inside else Path(__file__).resolve().parent.parent.parent
        start = "import sys; sys.path.append(sys.argv[1]); from bot.sandbox.inside.worker import main; main()"
        command = [places.interpreter(), "-I", "-S", "-B", "-c", start, str(root)]
        if inside:
            command = self._wrapped(room) + command
        worker = Worker(command, _config(room, facts, env | dict(room.env)), env={})
        self._workers.add(worker)
        return RoomSandbox(worker, facts, room.workspace, Snapshots(room.history, room.workspace))

    def _wrapped(self, room: Room) -> list[str]:
        if self._ground.bubblewrap is None:
            raise AssertionError
        return bubblewrap.arguments(
            self._ground.bubblewrap,
            network=room.network,
            temporary=room.temporary,
            shared=room.shared,
            writable=(room.workspace, room.private, *room.writable),
            readonly=room.readonly,
        )


def _config(room: Room, facts: Enforced, env: Mapping[str, str]) -> dict[str, Any]:
    internet = _INTERNET if facts.network != "none" else ()
    unix = (AF_UNIX,) if facts.level == "bubblewrap" else ()
    readable = [*places.SYSTEM, *places.SETTINGS, *places.interpreter_folders(), *room.readonly, *_READABLE_DEVICES]
    return {
        "level": facts.level,
        "workspace": str(room.workspace),
        "readable": [str(place) for place in readable],
        "writable": [str(place) for place in (room.workspace, room.private, *room.writable, *_DEVICES)],
        "families": (*unix, *internet),
        "processes": _MOST_PROCESSES[facts.level],
        "env": dict(env),
    }


def _notes(level: Level) -> tuple[str, ...]:
    root = (_UNBOUND,) if os.geteuid() == 0 else ()
    return (*(_LANDLOCK_HOLES if level == "landlock" else ()), *root)
