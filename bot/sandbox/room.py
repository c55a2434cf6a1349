"""What a sandbox is opened on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.base.git import GitDir
from bot.base.values import Network


@dataclass(frozen=True, kw_only=True)
class Room:
    """The folders of one task and how they may be used. All paths are absolute and the same inside as outside."""

    workspace: Path
    history: GitDir
    """The trusted git-dir that snapshots are kept in; never visible inside. Its own index belongs to the snapshots."""
    private: Path
    """Home and temporary files of this one sandbox; nothing in it is carried over to the next."""
    writable: tuple[Path, ...] = ()
    readonly: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    """On top of HOME, TMPDIR, PATH, LANG and GIT_CONFIG_NOSYSTEM, which are all that there is without."""
    network: Network = "none"

    @property
    def home(self) -> Path:
        """HOME inside."""
        return self.private / "home"

    @property
    def temporary(self) -> Path:
        """TMPDIR inside; with bubblewrap it is /tmp as well."""
        return self.private / "tmp"

    @property
    def shared(self) -> Path:
        """With bubblewrap: what is /dev/shm inside."""
        return self.private / "shm"
