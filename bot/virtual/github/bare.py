"""What the virtual GitHub asks git about a bare repository. Read by plumbing; hooks and configuration never count."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bot.base.errors import GitError
from bot.base.git import GitDir


class CommitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A commit as git has it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, int]
    """Name, e-mail, seconds since the epoch."""
    committer: tuple[str, str, int]
    message: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a head has that its base has not."""

    commits: int
    files: int
    additions: int
    deletions: int


class Bare:
    """One bare repository."""

    def __init__(self, folder: Path) -> None:
        """`folder` exists."""
        self.git = GitDir(folder)

    @classmethod
    def make(cls, folder: Path, default_branch: str) -> Bare:
        """Find it, or make an empty one; HEAD names the default branch afterwards."""
        if not (folder / "HEAD").is_file():
            GitDir.init(folder)
        bare = cls(folder)
        if bare.default_branch() != default_branch:
            bare.git.run("symbolic-ref", "HEAD", f"refs/heads/{default_branch}")
        return bare

    def default_branch(self) -> str:
        """What HEAD names, whether it is there or not."""
        try:
            return self.git.text("symbolic-ref", "HEAD").removeprefix("refs/heads/")
        except GitError:
            return "main"

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Full names and what they point at, sorted; a tag object's own id for an annotated tag."""
        raw = self.git.run("for-each-ref", "--format=%(objectname) %(refname)", prefix)
        rows = (line.partition(" ") for line in raw.decode("utf-8", "surrogateescape").split("\n") if line)
        return {name: sha for sha, _, name in rows}

    def branches(self) -> dict[str, str]:
        """Short names of the branches, and their commits."""
        return {name.removeprefix("refs/heads/"): sha for name, sha in self.refs("refs/heads/").items()}

    def kind(self, sha: str) -> str:
        """commit, tag, tree or blob."""
        return self.git.text("cat-file", "-t", sha)

    def commit(self, sha: str) -> CommitFacts:
        """A commit's facts. Raises `GitError` when it is not there."""
        parts = ["%H", "%T", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%B"]
        raw = self.git.run("show", "--no-patch", "--no-show-signature", f"--format={'%x00'.join(parts)}", sha, "--")
        fields = raw.decode("utf-8", "replace").rstrip("\n").split("\0", len(parts) - 1)
        return CommitFacts(
            sha=fields[0],
            tree=fields[1],
            parents=tuple(fields[2].split()),
            author=(fields[3], fields[4], int(fields[5])),
            committer=(fields[6], fields[7], int(fields[8])),
            message=fields[9],
        )

    def ahead(self, head: str, base: str) -> int:
        """How many commits `head` has that `base` has not."""
        return int(self.git.text("rev-list", "--count", head, f"^{base}", "--"))

    def merge_base(self, head: str, base: str) -> str | None:
        """Where the two part, or None when they have nothing in common."""
        try:
            return self.git.text("merge-base", base, head)
        except GitError:
            return None

    def compare(self, head: str, base: str) -> Comparison:
        """The counts of a pull request."""
        start = self.merge_base(head, base)
        counts = self.git.numstat(start, head) if start else {}
        lines = [pair for pair in counts.values() if pair is not None]
        return Comparison(
            commits=self.ahead(head, base),
            files=len(counts),
            additions=sum(added for added, _ in lines),
            deletions=sum(removed for _, removed in lines),
        )

    def diff(self, head: str, base: str) -> str:
        """The patch of a pull request as text, binary files only named."""
        start = self.merge_base(head, base)
        if start is None:
            return ""
        options = ["--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"]
        return self.git.run("diff-tree", "-r", "-p", *options, start, head).decode("utf-8", "replace")

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree that merging gives, or None when it conflicts."""
        try:
            return self.git.text("merge-tree", "--write-tree", "--no-messages", base, head).split("\n")[0]
        except GitError:
            return None

    def join(self, tree: str, parents: tuple[str, ...], message: str, who: tuple[str, str, int]) -> str:
        """A commit on top of `parents`."""
        name, email, when = who
        env: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": f"@{when} +0000"}
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git.text("commit-tree", tree, *words, "-F", "-", stdin=message.encode(), env=env)

    def move(self, ref: str, sha: str, before: str | None = None) -> None:
        """Point a ref somewhere, only while it is at `before`. Raises `GitError`."""
        self.git.run("update-ref", ref, sha, *([before] if before else []))
