"""Commits made of bytes: what a work tree, its attributes or its file system would not keep."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

Content = bytes | str | tuple[str, bytes | str]
"""What a path holds; with a mode (`100755`, `120000`, `160000`) where it is no ordinary file."""


def raw_commit(work: Path, files: Mapping[str | bytes, Content], *, keep: bool = False, message: str = "raw") -> str:
    """Commit exactly these files on the current branch, past every filter; the commit's id.

    With `keep` the files of the commit before stay. The work tree is not touched.
    """
    rows = b""
    for path, content in files.items():
        mode, data = content if isinstance(content, tuple) else ("100644", content)
        raw = data.encode() if isinstance(data, str) else data
        blob = raw if mode == "160000" else _git(work, "hash-object", "-w", "--stdin", "--no-filters", stdin=raw)
        rows += mode.encode() + b" " + blob + b"\t" + os.fsencode(path) + b"\0"
    if not keep:
        _git(work, "read-tree", "--empty")
    _git(work, "update-index", "-z", "--index-info", stdin=rows)
    tree = _git(work, "write-tree").decode()
    head = subprocess.run(["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=work, capture_output=True)
    parent = ["-p", head.stdout.decode().strip()] if head.returncode == 0 else []
    commit = _git(work, "commit-tree", tree, *parent, "-m", message).decode()
    _git(work, "update-ref", "HEAD", commit)
    return commit


def raw_tree(repository: Path, commit: str) -> dict[bytes, tuple[str, str]]:
    """Path → (mode, object id) of everything in a commit."""
    rows = _git(repository, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")
    found = {}
    for row in filter(None, rows):
        facts, _, path = row.partition(b"\t")
        mode, _, blob = facts.decode().split()
        found[path] = (mode, blob)
    return found


def raw_blob(repository: Path, commit: str, path: bytes) -> bytes:
    """The bytes of a file."""
    blob = raw_tree(repository, commit)[path][1]
    return subprocess.run(["git", "cat-file", "blob", blob], cwd=repository, capture_output=True, check=True).stdout


def _git(folder: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=True)
    return done.stdout.strip()
