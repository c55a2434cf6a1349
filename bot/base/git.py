"""Git as we use it: a git-dir of our own, a work tree that we never trust, plumbing commands.

Nothing of a repository is ever configuration here: no system or user config, no hooks, no filters, no fsmonitor, no
external diff, no submodule and no LFS fetch. The work tree belongs to the agent; its own `.git` is never looked at.

Files are checked out and staged *byte for byte*: `info/attributes` in our git-dir switches off line-ending conversion,
filters, `ident` and `working-tree-encoding`, so a fresh checkout is never dirty and a commit holds the bytes that were
written (`docs/decisions/0004-bytes-as-they-are.md`).
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bot.base.errors import GitError

_ABSENT = "000000"
_RUNNING: set[subprocess.Popen[bytes]] = set()
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
RAW_ATTRIBUTES = "* -text !eol -filter -ident !working-tree-encoding !diff !merge -export-subst\n"
_SAFE_CONFIG = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.symlinks", "true"),
    ("core.fileMode", "true"),
    ("core.autocrlf", "false"),
    ("core.quotePath", "false"),
    ("core.precomposeUnicode", "false"),
    ("core.excludesFile", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    # A repository given by a path has a configuration of its own, and this key of it would be run by a shell.
    ("core.alternateRefsCommand", "true"),
    ("core.checkStat", "default"),
    ("credential.helper", ""),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("protocol.ext.allow", "never"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("advice.detachedHead", "false"),
    ("safe.directory", "*"),
    ("transfer.fsckObjects", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
    ("diff.renames", "false"),
)
_PASSED_ON: tuple[str, ...] = (
    "PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
_PASSED_ON += ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "TMPDIR")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One path that differs between two trees. Modes are git's, six digits; `000000` and a zero id mean absent."""

    path: str
    status: str
    """A, M, D or T (type changed)."""
    mode_before: str
    mode_after: str
    blob_before: str
    blob_after: str


def environment(url: str | None = None, token: str | None = None) -> dict[str, str]:
    """The whole environment of a git process. The token goes only to the origin of `url`, as a header."""
    config = list(_SAFE_CONFIG)
    if url and token:
        parts = urlsplit(url)
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        config.append((f"http.{parts.scheme}://{parts.netloc}/.extraheader", f"Authorization: Basic {basic}"))
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env |= {
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ALLOW_PROTOCOL": "https:http:file",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_COUNT": str(len(config)),
    }
    for index, (key, value) in enumerate(config):
        env[f"GIT_CONFIG_KEY_{index}"] = key
        env[f"GIT_CONFIG_VALUE_{index}"] = value
    return env


class GitDir:
    """A bare git-dir that is ours alone. Every method raises `GitError` when git refuses."""

    def __init__(self, path: Path) -> None:
        """`path` is an existing git-dir, made by `init`."""
        self.path = path

    @classmethod
    def init(cls, path: Path) -> GitDir:
        """Make an empty one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        _git(["init", "--quiet", "--bare", "--template=", "--initial-branch=fleet-bot-none", str(path)])
        (path / "info").mkdir(exist_ok=True)
        (path / "info" / "attributes").write_text(RAW_ATTRIBUTES, encoding="utf-8")
        return cls(path)

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        work_tree: Path | None = None,
        index: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """Run `git ARGUMENTS` on this git-dir and return what it printed.

        `index` is the index file, by default the one in the git-dir; `timeout` is in seconds.
        """
        place = [f"--git-dir={self.path}"]
        if work_tree is not None:
            place += [f"--work-tree={work_tree}", "-c", "core.bare=false"]
        extra = dict(env or {})
        if index is not None:
            extra["GIT_INDEX_FILE"] = str(index)
        return _git([*place, *arguments], stdin=stdin, env=extra, timeout=timeout)

    def text(self, *arguments: str, **options: object) -> str:
        """As `run`, as stripped text."""
        return self.run(*arguments, **options).decode("utf-8", "surrogateescape").strip()  # type: ignore[arg-type]

    def fetch(
        self, url: str, refspecs: Iterable[str], *, token: str | None = None, tags: bool = True, timeout: float = 600
    ) -> None:
        """Fetch from `url`; a server that sends nothing for a minute is given up."""
        arguments = ["fetch", "--quiet", "--force", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules"]
        arguments.append("--tags" if tags else "--no-tags")
        self.run(*arguments, "--", url, *refspecs, env=environment(url, token), timeout=timeout)

    def resolve(self, revision: str) -> str | None:
        """The full id of the commit that `revision` names, or None."""
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitError:
            return None

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return self.text("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")

    def checkout(self, tree: str, work_tree: Path, *, index: Path | None = None) -> None:
        """Write every file of `tree` into an empty `work_tree` and make the index say so."""
        work_tree.mkdir(parents=True, exist_ok=True)
        self.run("read-tree", tree, index=index)
        self.run("checkout-index", "--all", "--force", "--quiet", "-u", work_tree=work_tree, index=index)

    def stage(self, work_tree: Path, *, index: Path | None = None, base: str | None = None) -> str:
        """The tree of `work_tree` as it is, ignored files left out; `bot.base.staging` says how."""
        from bot.base.staging import stage

        return stage(self, work_tree, index=index, base=base)

    def changes(self, before: str, after: str) -> tuple[Change, ...]:
        """What differs between two trees, sorted by path; renames are a deletion and an addition."""
        raw = self.run("diff-tree", "-r", "-z", "--no-renames", "--full-index", before, after)
        fields = raw.decode("utf-8", "surrogateescape").split("\0")
        found = []
        for head, path in zip(fields[0::2], fields[1::2], strict=False):
            mode_before, mode_after, blob_before, blob_after, status = head.lstrip(":").split(" ")
            found.append(
                Change(
                    path=path,
                    status=status[0],
                    mode_before=mode_before,
                    mode_after=mode_after,
                    blob_before=blob_before,
                    blob_after=blob_after,
                )
            )
        return tuple(sorted(found, key=lambda change: change.path))

    def numstat(self, before: str, after: str) -> dict[str, tuple[int, int] | None]:
        """Lines added and removed by path; None for binary files."""
        raw = self.run("diff-tree", "-r", "-z", "--numstat", "--no-renames", "--text", before, after)
        counts: dict[str, tuple[int, int] | None] = {}
        for row in raw.decode("utf-8", "surrogateescape").split("\0"):
            if row:
                added, removed, path = row.split("\t", 2)
                counts[path] = None if added == "-" else (int(added), int(removed))
        return counts

    def patch(self, before: str, after: str, paths: Iterable[str] = ()) -> bytes:
        """The difference as a patch that `apply` takes back byte for byte, binary files included."""
        limit = ["--", *paths] if paths else []
        options = ["--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"]
        return self.run("diff-tree", "-r", "-p", *options, before, after, *limit, env={"GIT_LITERAL_PATHSPECS": "1"})

    def apply(self, tree: str, patch: bytes) -> str:
        """The tree that `tree` plus `patch` gives, made in an index of its own; no file is written."""
        index = self.path / f"apply-{os.getpid()}-{threading.get_ident()}.index"
        try:
            self.run("read-tree", tree, index=index)
            if patch:
                self.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch, index=index)
            return self.text("write-tree", index=index)
        finally:
            index.unlink(missing_ok=True)

    def graft(self, tree: str, changes: Iterable[Change]) -> str:
        """The tree that `tree` gives when each changed path gets what it has after its change; nothing else moves."""
        index = self.path / f"graft-{os.getpid()}-{threading.get_ident()}.index"
        rows = b"".join(
            f"{change.mode_after} {change.blob_after}\t{change.path}\0".encode("utf-8", "surrogateescape")
            for change in sorted(changes, key=lambda change: change.mode_after != _ABSENT)
        )
        try:
            self.run("read-tree", tree, index=index)
            self.run("update-index", "-z", "--index-info", stdin=rows, index=index)
            return self.text("write-tree", index=index)
        finally:
            index.unlink(missing_ok=True)

    def contains(self, commit: str, tips: Iterable[str]) -> bool:
        """Whether one of the `tips` has `commit` in its history."""
        return any(self._is_ancestor(commit, tip) for tip in tips)

    def _is_ancestor(self, commit: str, tip: str) -> bool:
        return self.text("rev-list", "--max-count=1", commit, f"^{tip}", "--") == ""

    def commit(self, tree: str, parent: str | None, message: str, *, name: str, email: str, when: int) -> str:
        """A commit object, without a parent for None; the same arguments always make the same commit."""
        who = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_AUTHOR_DATE": f"@{when} +0000",
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
            "GIT_COMMITTER_DATE": f"@{when} +0000",
        }
        before = ["-p", parent] if parent is not None else []
        return self.text("commit-tree", tree, *before, "-F", "-", stdin=message.encode(), env=who)

    def blob(self, tree: str, path: str) -> bytes | None:
        """The bytes of a file in a tree, or None when it is not there or no file."""
        try:
            return self.run("cat-file", "blob", f"{tree}:{path}")
        except GitError:
            return None

    def too_large(self, tree: str, *, files: int, size: int) -> bool:
        """Whether a tree has more than `files` files, or they have more than `size` bytes together.

        Told without walking further than that: a few hundred bytes of nested trees can stand for billions of files.
        """
        arguments = [f"--git-dir={self.path}", "ls-tree", "-r", "-l", "--full-tree", tree]
        process = subprocess.Popen(
            ["git", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=os.sep,
        )
        with process:
            if process.stdout is None:
                raise AssertionError
            for row in process.stdout:
                count = row.split(b"\t", 1)[0].split()[-1]
                files -= 1
                size -= int(count) if count.isdigit() else 0
                if files < 0 or size < 0:
                    process.kill()
                    return True
        return False

    def paths(self, tree: str) -> list[str]:
        """All paths of a tree, sorted."""
        raw = self.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree)
        return [path for path in raw.decode("utf-8", "surrogateescape").split("\0") if path]


def git_version() -> str:
    """What git says of itself. Raises `GitError`, `OSError` when it is not there."""
    return _git(["--version"]).decode().strip()


def ls_remote(url: str, token: str | None = None, timeout: float = 60) -> tuple[str | None, dict[str, str]]:
    """What a remote has: (its default branch or None, {full ref name: commit id}). An empty repository has no refs."""
    raw = _git(["ls-remote", "--symref", "--", url], env=environment(url, token), timeout=timeout)
    head: str | None = None
    refs: dict[str, str] = {}
    # Not splitlines: a name may hold what Unicode takes for the end of a line.
    for line in raw.decode("utf-8", "surrogateescape").split("\n"):
        value, _, name = line.partition("\t")
        if value.startswith("ref: "):
            if name == "HEAD":
                head = value.removeprefix("ref: refs/heads/")
        elif name:
            refs[name] = value
    return head, refs


def end_running() -> None:
    """Kill every git that is under way in this process; whoever waits for one gets a `GitError`."""
    for process in list(_RUNNING):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _git(
    arguments: list[str],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> bytes:
    # A session of its own, so that a time-out ends git's helpers (git-remote-https) with it.
    process = subprocess.Popen(
        ["git", *arguments],
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment() | dict(env or {}),
        cwd=os.sep,
        start_new_session=True,
    )
    late = False
    _RUNNING.add(process)
    try:
        output, errors = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        late = True
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    finally:
        _RUNNING.discard(process)
    if process.returncode != 0 or late:
        verb = next((word for word in arguments if not word.startswith("-") and "=" not in word), "git")
        said = errors.decode("utf-8", "replace").strip()[-2000:] or f"exit {process.returncode}"
        msg = f"git {verb} failed: " + (f"no end after {timeout:g} s" if late else said)
        error = GitError(msg)
        error.output = output
        raise error
    return output
