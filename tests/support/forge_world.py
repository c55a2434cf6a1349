"""Real git repositories and a clock for tests that talk to a forge."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bot.base.git import GitDir


class StillClock:
    """Time that passes only by sleeping; remembers each sleep."""

    def __init__(self, start: float = 1_760_000_000.0) -> None:
        self.time = start
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def commit(git: GitDir, files: dict[str, str], parent: str | None = None, message: str = "change") -> str:
    """A commit with exactly these files on top of `parent`, in any git-dir."""
    index = git.path / "test.index"
    rows = b""
    for path, text in files.items():
        blob = git.text("hash-object", "-w", "--stdin", stdin=text.encode())
        rows += f"100644 {blob}\t{path}\0".encode()
    git.run("read-tree", "--empty", index=index)
    git.run("update-index", "-z", "--index-info", stdin=rows, index=index)
    tree = git.text("write-tree", index=index)
    index.unlink()
    who = {f"GIT_{role}_{part}": "a@b.invalid" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    when = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    parents = ["-p", parent] if parent else []
    return git.text("commit-tree", tree, *parents, "-m", message, env=who | when)


def plain_git(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Git as a person runs it; never raises."""
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false"}
    return subprocess.run(["git", *words], cwd=cwd, env=env, capture_output=True, text=True)
