"""The full trace as a commit of the plugin's own repository, so that the evidence outlives a workflow's artifacts."""

from __future__ import annotations

import re
from pathlib import Path

from bot.base.errors import TaskBlocked
from bot.base.git import GitDir
from bot.base.redact import Redactor
from bot.ports import ForgeWrite
from bot.task import store
from bot.task.ownership import AUTHOR_EMAIL, AUTHOR_NAME
from bot.task.proposal import Proposal

PREFIX = "refs/fleet-bot/traces/"
_BLOBS = "blobs"
_LARGEST = 50 << 20
"""Bytes of all files together; a repository is no place for more."""
_NAME = re.compile(r"[0-9a-f]{64}")


def ref_of(proposal: Proposal) -> str:
    """`refs/fleet-bot/traces/<campaign>-<plugin>-<head>`: another trace, another ref."""
    head = proposal.trace.head[:12] if proposal.trace else "none"
    words = f"{proposal.campaign}-{proposal.plugin}-{head}"
    return PREFIX + re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]+", "-", words)).strip(".-")


def keep(proposal: Proposal, folder: Path, git: GitDir, forge: ForgeWrite, redactor: Redactor) -> tuple[str, str]:
    """Push trace, blobs and proposal to a ref of their own; returns the ref and its commit.

    The commit has no parent, and the same proposal always makes the same one. Everything is scanned for secrets once
    more before it leaves. Raises `TaskBlocked` when something is found or it is too large, and what
    `ForgeWrite.keep` raises.
    """
    files = _files(folder)
    if sum(len(data) for _, data in files) > _LARGEST:
        raise TaskBlocked(f"it has more than {_LARGEST >> 20} MiB.", "It is in the proposal's folder.")
    if any(redactor.found(data) for _, data in files):
        raise TaskBlocked("it holds what looks like a secret.", "Look at it with `fleet-bot trace show`.")
    tree = _tree(git, files)
    message = f"Execution trace of {proposal.playbook} on {proposal.plugin}\n\nCheck it: fleet-bot trace verify\n"
    commit = git.commit(tree, None, message, name=AUTHOR_NAME, email=AUTHOR_EMAIL, when=proposal.sealed_at)
    ref = ref_of(proposal)
    forge.keep(proposal.repo, git.path, commit, ref)
    return ref, commit


def _files(folder: Path) -> list[tuple[str, bytes]]:
    """What belongs to the trace, by path. Links are no part of it."""
    found = []
    for name in (store.FILE, store.TRACE, store.PATCH):
        store.unlinked(folder / name)
        found.append((name, (folder / name).read_bytes()))
    blobs = folder / _BLOBS
    if blobs.is_dir() and not blobs.is_symlink():
        for file in sorted(blobs.iterdir()):
            if _NAME.fullmatch(file.name) and file.is_file() and not file.is_symlink():
                found.append((f"{_BLOBS}/{file.name}", file.read_bytes()))
    return found


def _tree(git: GitDir, files: list[tuple[str, bytes]]) -> str:
    rows: list[str] = []
    inner: list[str] = []
    for path, data in files:
        blob = git.text("hash-object", "-w", "--stdin", stdin=data)
        folder, _, name = path.rpartition("/")
        (inner if folder else rows).append(f"100644 blob {blob}\t{name}\n")
    if inner:
        rows.append(f"040000 tree {git.text('mktree', stdin=''.join(inner).encode())}\t{_BLOBS}\n")
    return git.text("mktree", stdin="".join(rows).encode())
