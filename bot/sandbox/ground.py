"""What this machine offers to build a sandbox on, and the advice that follows from it."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.base.values import Network
from bot.sandbox import bubblewrap
from bot.sandbox.inside.kernel import SCOPED_ABI, landlock_abi

_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Facts about the machine, found without starting anything."""

    system: str
    """As `sys.platform` says it."""
    machine: str
    bubblewrap: Path | None = None
    landlock: int = 0
    """The version of Landlock; 0 without."""
    restricted: bool = False
    """Whether AppArmor keeps unprivileged users from user namespaces (Ubuntu 23.10 and newer)."""

    @classmethod
    def survey(cls) -> Ground:
        """Of the machine we run on."""
        linux = sys.platform == "linux"
        return cls(
            system=sys.platform,
            machine=platform.machine(),
            bubblewrap=bubblewrap.find() if linux else None,
            landlock=landlock_abi() if linux else 0,
            restricted=_read(_APPARMOR) == "1",
        )

    def lacks(self, level: str, network: Network) -> str | None:
        """Why `level` cannot be had here, as far as that is clear without trying; None when it is worth a try."""
        if self.system != "linux":
            return f"no confinement is written for {self.system}"
        if self.machine not in {"x86_64", "AMD64"}:
            return f"no filter of system calls is written for {self.machine}, only for x86_64"
        if level == "bubblewrap":
            return None if self.bubblewrap else "bwrap is not installed"
        if self.landlock < SCOPED_ABI:
            return f"Landlock {SCOPED_ABI} (Linux 6.12) is needed, the kernel has {self.landlock or 'none'}"
        if network == "loopback":
            return "`network: loopback` needs a network namespace, which only bubblewrap can make"
        return None

    @property
    def cure(self) -> str:
        """What a person can do to get a sandbox here."""
        ways = []
        if self.system == "linux" and self.restricted:
            ways.append("run `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`")
        if self.system == "linux" and self.bubblewrap is None:
            ways.append("install bubblewrap (`sudo apt install bubblewrap`)")
        ways.append("set `sandbox: best-effort` in fleet.yaml to run with less, which every pull request then says")
        text = ", or ".join(ways)
        return f"{text[0].upper()}{text[1:]}."


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""
