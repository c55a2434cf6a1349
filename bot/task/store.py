"""Proposals on disk: `<out>/<campaign>/<plugin>/proposal.json`, and beside it patch and trace."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec

from bot.base.canonical import sha256
from bot.base.errors import UsageError, WorldError
from bot.task.proposal import Proposal

FILE = "proposal.json"
PATCH = "changes.patch"
_KEPT: frozenset[str] = frozenset({"changed", "no_change"})


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
        return msgspec.json.decode(file.read_bytes(), type=Proposal)
    except (OSError, msgspec.DecodeError) as error:
        msg = f"{file} is no proposal that this version reads: {error}"
        raise WorldError(msg, "Make it again with `fleet-bot propose`.") from error


def patch_of(folder: Path, proposal: Proposal) -> bytes:
    """The patch beside a proposal. Raises `WorldError` when it is not the one that was sealed."""
    try:
        patch = (folder / PATCH).read_bytes()
    except OSError as error:
        msg = f"The patch of {proposal.plugin} cannot be read: {error.strerror or error}."
        raise WorldError(msg, "Make the proposal again with `fleet-bot propose`.") from error
    if sha256(patch) != proposal.patch_sha256:
        msg = f"The patch of {proposal.plugin} is not the one that was sealed."
        raise WorldError(msg, "Somebody changed it after the run; make the proposal again with `fleet-bot propose`.")
    return patch


def find(root: Path) -> tuple[Path, ...]:
    """All folders below `root` that hold a proposal, sorted. Symlinks are not followed."""
    found = []
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "blobs")
        if FILE in files:
            found.append(Path(parent))
    return tuple(found)


def finished(folder: Path, key: str) -> Proposal | None:
    """A finished proposal of the same task, so that it need not be made again; failures are tried again."""
    try:
        proposal = read(folder)
        if proposal.task_key == key and proposal.outcome in _KEPT:
            patch_of(folder, proposal)
            return proposal
    except WorldError:
        return None
    return None


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
