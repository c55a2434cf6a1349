"""Proposals on disk: `<out>/<campaign>/<plugin>/proposal.json`, and beside it patch and trace.

A new attempt writes straight into that folder, unless there is work of an earlier one to lose: then it writes beside
it, into `.<plugin>.attempt`, and takes the folder's place when it has come to something itself.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from bot.base.canonical import sha256
from bot.base.errors import UsageError, WorldError
from bot.base.values import Outcome
from bot.task.proposal import Proposal
from bot.trace.reader import verify

FILE = "proposal.json"
PATCH = "changes.patch"
TRACE = "execution_trace.jsonl"
_KEPT: frozenset[str] = frozenset({"changed", "no_change"})
_WORK: frozenset[str] = frozenset({"changed", "blocked"})
"""Outcomes with work that was paid for."""


def prepare(root: Path) -> None:
    """Make sure, before any work, that proposals can be written below `root`. Raises `UsageError` when they cannot."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        msg = f"Nothing can be written to {root}: {error.strerror or error}."
        raise UsageError(msg, "Choose another folder.") from error


def write(folder: Path, proposal: Proposal, patch: bytes) -> None:
    """Write patch first and proposal last, each whole or not at all. Raises `WorldError` when the disk is full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / PATCH, patch)
        _replace(folder / FILE, msgspec.json.format(msgspec.json.encode(proposal), indent=2) + b"\n")
    except OSError as error:
        msg = f"The proposal cannot be written to {folder}: {error.strerror or error}."
        raise WorldError(msg, "Make room, or choose another --out.") from error


def read(folder: Path) -> Proposal:
    """The proposal in a folder. Raises `WorldError` when it is not there or is no proposal."""
    file = folder / FILE
    try:
        return msgspec.json.decode(_plain(file), type=Proposal)
    except (OSError, msgspec.DecodeError) as error:
        msg = f"{file} is no proposal that this version reads: {error}"
        raise WorldError(msg, "Make it again with `fleet-bot propose`.") from error


def unreadable(folder: Path) -> Proposal:
    """What stands in a report for a proposal that cannot be read: only its place is known."""
    reason = "There is no readable proposal."
    return Proposal(
        plugin=folder.name, repo="", playbook="", campaign=folder.parent.name, outcome="error", reason=reason
    )


def patch_of(folder: Path, proposal: Proposal) -> bytes:
    """The patch beside a proposal. Raises `WorldError` when it is not the one that was sealed."""
    try:
        patch = _plain(folder / PATCH)
    except OSError as error:
        msg = f"The patch of {proposal.plugin} cannot be read: {error.strerror or error}."
        raise WorldError(msg, "Make the proposal again with `fleet-bot propose`.") from error
    if sha256(patch) != proposal.patch_sha256:
        msg = f"The patch of {proposal.plugin} is not the one that was sealed."
        raise WorldError(msg, "Somebody changed it after the run; make the proposal again with `fleet-bot propose`.")
    return patch


def unlinked(file: Path) -> None:
    """Raises `WorldError` for a symlink: a proposal was made elsewhere, and must not name files of this machine."""
    if file.is_symlink():
        msg = f"{file} is a symbolic link, and a proposal is made of files."
        raise WorldError(msg, "Make the proposal again with `fleet-bot propose`.")


def _plain(file: Path) -> bytes:
    unlinked(file)
    return file.read_bytes()


def find(root: Path) -> tuple[Path, ...]:
    """All folders below `root` that hold a proposal, sorted. Symlinks are not followed."""
    found = []
    for parent, folders, files in os.walk(root):
        inside = FILE in files
        # A folder of blobs lies beside a proposal; attempts that came to nothing have a dot before their name.
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not (inside and name == "blobs"))
        if inside:
            found.append(Path(parent))
    return tuple(found)


def finished(folder: Path, key: str) -> Proposal | None:
    """A finished proposal of the same task, whole and sealed, so that it need not be made again.

    Failures are tried again, and so is what publishing would refuse because a part of it is missing or was changed.
    """
    _recover(folder)
    try:
        proposal = read(folder)
        if proposal.task_key == key and proposal.outcome in _KEPT:
            patch_of(folder, proposal)
            return proposal if verify(folder / TRACE, proposal.trace).ok else None
    except WorldError:
        return None
    return None


def place_for_attempt(folder: Path) -> Path:
    """Where a new attempt writes, empty of what an earlier attempt left unfinished."""
    _recover(folder)
    try:
        keep = read(folder).outcome in _WORK
    except WorldError:
        keep = False
    if not keep:
        return folder
    place = _beside(folder, "attempt")
    if place.exists():
        shutil.rmtree(place)
    return place


def settle(place: Path, folder: Path, outcome: Outcome) -> Path:
    """Let a sealed attempt take the folder's place, unless it came to nothing and the folder holds work.

    Returns where the attempt is now. Safe to be cut off anywhere: the next attempt puts things right.
    """
    if place == folder or outcome not in _KEPT | _WORK:
        return place
    for journal in folder.glob("publish_trace*.jsonl"):
        shutil.copy2(journal, place / journal.name)
    old = _beside(folder, "old")
    folder.rename(old)
    place.rename(folder)
    shutil.rmtree(old)
    return folder


def _recover(folder: Path) -> None:
    old = _beside(folder, "old")
    if old.exists():
        # Cut off while one took the other's place.
        if folder.exists():
            shutil.rmtree(old)
        else:
            old.rename(folder)


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.{what}")


def _replace(file: Path, data: bytes) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
