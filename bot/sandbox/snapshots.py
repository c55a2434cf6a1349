"""The workspace's history in the trusted git-dir: what it is now, what differs, and back to what it was.

Everything here runs outside, on a work tree that hostile code has written; `GitDir.stage` says what git is kept from.
No command runs inside at the same time.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from bot.base.git import Change, GitDir
from bot.base.staging import patiently
from bot.ports import Effect

_ABSENT = "000000"
_LINK_TO_COMMIT = "160000"
_BATCH = 32 << 20
"""Bytes of file contents that are looked at in one go."""
_COUNTED = 8 << 20
"""Bytes up to which lines are counted."""
_SNIFFED = 8000
"""Git's own rule: a NUL byte this early makes a file binary."""


class _Blob(msgspec.Struct, frozen=True):
    sha256: str
    size: int
    binary: bool


class Snapshots:
    """Snapshots of one workspace. The git-dir's own index belongs to it."""

    def __init__(self, git: GitDir, workspace: Path) -> None:
        """`git` is ours alone and lies outside of `workspace`; its index is what `workspace` was filled from."""
        self._git, self._workspace = git, workspace
        self._base: str | None = None
        self._blobs: dict[str, _Blob] = {}

    def snapshot(self) -> str:
        """The tree of the workspace as it is now, ignored files left out."""
        if self._base is None:
            self._base = self._git.text("write-tree")
        return self._git.stage(self._workspace, base=self._base)

    def changes(self, before: str, after: str) -> tuple[Effect, ...]:
        """What differs, by path."""
        if before == after:
            return ()
        found = self._git.changes(before, after)
        self._look_at({blob for change in found for blob in _blobs(change)})
        known = [self._blobs[blob] for change in found for blob in _blobs(change)]
        lines = self._git.numstat(before, after) if sum(blob.size for blob in known) <= _COUNTED else {}
        return tuple(self._effect(change, lines.get(change.path)) for change in found)

    def restore(self, tree: str) -> None:
        """Give every file that is not ignored the content it has in `tree`; what is not in there is removed."""
        self.snapshot()

        def attempt(seconds: float) -> bytes:
            return self._git.run("read-tree", "--reset", "-u", tree, work_tree=self._workspace, timeout=seconds)

        patiently(self._git, self._workspace, attempt)

    def _effect(self, change: Change, lines: tuple[int, int] | None) -> Effect:
        before, after = (
            self._blobs.get(blob) if mode not in {_ABSENT, _LINK_TO_COMMIT} else None
            for mode, blob in ((change.mode_before, change.blob_before), (change.mode_after, change.blob_after))
        )
        textual = not (before and before.binary) and not (after and after.binary)
        counted = lines if textual else None
        return Effect(
            path=change.path,
            kind=_kind(change),
            before=before.sha256 if before else None,
            after=after.sha256 if after else None,
            bytes=after.size if after else 0,
            added=counted[0] if counted else None,
            removed=counted[1] if counted else None,
        )

    def _look_at(self, blobs: set[str]) -> None:
        wanted = sorted(blobs - self._blobs.keys())
        if not wanted:
            return
        listing = self._git.text("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=_lines(wanted))
        batch: list[str] = []
        total = 0
        for row in listing.splitlines():
            blob, size = row.split(" ")
            if batch and total + int(size) > _BATCH:
                self._read(batch)
                batch, total = [], 0
            batch.append(blob)
            total += int(size)
        self._read(batch)

    def _read(self, batch: list[str]) -> None:
        data = memoryview(self._git.run("cat-file", "--batch=%(objectsize)", stdin=_lines(batch)))
        at = 0
        for blob in batch:
            end = at + bytes(data[at : at + 32]).index(b"\n")
            size = int(bytes(data[at:end]))
            content = data[end + 1 : end + 1 + size]
            binary = b"\0" in bytes(content[:_SNIFFED])
            self._blobs[blob] = _Blob(hashlib.sha256(content).hexdigest(), size, binary)
            at = end + 1 + size + 1


def _kind(change: Change) -> Literal["created", "modified", "deleted", "mode", "type"]:
    if change.status == "A":
        return "created"
    if change.status == "D":
        return "deleted"
    if change.status == "T":
        return "type"
    return "mode" if change.blob_before == change.blob_after else "modified"


def _blobs(change: Change) -> list[str]:
    sides = ((change.mode_before, change.blob_before), (change.mode_after, change.blob_after))
    return [blob for mode, blob in sides if mode not in {_ABSENT, _LINK_TO_COMMIT}]


def _lines(names: list[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()
