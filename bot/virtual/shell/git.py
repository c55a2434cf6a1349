"""The part of git that agents look with: status, diff, log. The history of a virtual plugin is one commit."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from bot.virtual.ignored import Ignored
from bot.virtual.lines import counted
from bot.virtual.shell.call import Call, Done, Unmodelled, text
from bot.virtual.shell.comparing import unified
from bot.virtual.tree import ROOT, Node


def git(call: Call) -> Done:
    """A git command that only looks, or takes changes back. Raises `Unmodelled` for all others."""
    words = [word for word in call.words[1:] if word not in {"--no-pager", "--no-color", "-P"}]
    if words[:1] == ["-C"] and len(words) > 2:
        words = words[2:]
    if not words:
        raise Unmodelled("git")
    known = {"status": _status, "diff": _diff, "log": _log, "ls-files": _ls_files, "rev-parse": _rev_parse}
    known |= {"branch": _branch, "checkout": _take_back, "restore": _take_back}
    if words[0] not in known:
        raise Unmodelled("git", words[0])
    return known[words[0]](call, words[1:])


def _changed(call: Call, paths: list[str]) -> list[tuple[str, Node | None, Node | None]]:
    """Path, before, after of what differs from the commit and is not ignored, sorted."""
    old, new = call.world.original, call.world.tree.files
    ignored = Ignored(new)
    places = [call.place(path) for path in paths]
    found = []
    for path in sorted(old.keys() | new.keys()):
        if path[0] == "/" or path.startswith(".git/") or old.get(path) == new.get(path):
            continue
        if (path not in old and ignored(path)) or not _within(path, places):
            continue
        found.append((path, old.get(path), new.get(path)))
    return found


def _within(path: str, places: list[str]) -> bool:
    return not places or any(place in {"", path} or path.startswith(place + "/") for place in places)


def _paths(words: list[str]) -> tuple[list[str], list[str]]:
    """Options, and paths; the only revision is HEAD."""
    options = [word for word in words if word.startswith("-") and word != "--"]
    return options, [word for word in words if not word.startswith("-") and word != "HEAD"]


def _status(call: Call, words: list[str]) -> Done:
    options, paths = _paths(words)
    if set(options) - {"-s", "--short", "--porcelain", "-sb", "-b", "-u", "-uall", "--untracked-files=all"}:
        raise Unmodelled("git status", *options)
    changes = _changed(call, paths)
    tracked = [(" D" if new is None else " M", path) for path, old, new in changes if old is not None]
    fresh = [path for path, old, _ in changes if old is None]
    if "all" not in " ".join(options):
        fresh = sorted({_untracked_name(call, path) for path in fresh})
    if options:
        head = "## main\n" if {"-sb", "-b"} & set(options) else ""
        return Done(
            0, head + "".join(f"{mark} {path}\n" for mark, path in [*tracked, *(("??", path) for path in fresh)])
        )
    lines = ["On branch main"]
    if tracked:
        lines += ["Changes not staged for commit:", '  (use "git add <file>..." to update what will be committed)']
        lines += ['  (use "git restore <file>..." to discard changes in working directory)']
        lines += [f"\t{'deleted: ' if mark == ' D' else 'modified:'}   {path}" for mark, path in tracked] + [""]
    if fresh:
        lines += ["Untracked files:", '  (use "git add <file>..." to include in what will be committed)']
        lines += [*(f"\t{path}" for path in fresh), ""]
    if tracked or fresh:
        some = 'no changes added to commit (use "git add" and/or "git commit -a")'
        none = 'nothing added to commit but untracked files present (use "git add" to track)'
        lines.append(some if tracked else none)
    else:
        lines.append("nothing to commit, working tree clean")
    return Done(0, "\n".join(lines) + "\n")


def _untracked_name(call: Call, path: str) -> str:
    """The file, or the topmost folder above it in which nothing is tracked."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth]) + "/"
        if not any(known.startswith(folder) for known in call.world.original):
            return folder
    return path


def _diff(call: Call, words: list[str]) -> Done:
    options, paths = _paths(words)
    if set(options) - {"--stat", "--name-only", "--name-status", "--exit-code", "--quiet"}:
        raise Unmodelled("git diff", *options)
    changes = [(path, old, new) for path, old, new in _changed(call, paths) if old is not None]
    code = int(bool(changes) and bool({"--exit-code", "--quiet"} & set(options)))
    if "--quiet" in options:
        return Done(code)
    if "--name-only" in options:
        return Done(code, "".join(f"{path}\n" for path, _, _ in changes))
    if "--name-status" in options:
        return Done(code, "".join(f"{'D' if new is None else 'M'}\t{path}\n" for path, _, new in changes))
    if "--stat" in options:
        return Done(code, _stat(changes))
    return Done(code, "".join(_patch(path, old, new) for path, old, new in changes))


def _stat(changes: Sequence[tuple[str, Node | None, Node | None]]) -> str:
    rows, plus, minus = [], 0, 0
    width = max((len(path) for path, _, _ in changes), default=0)
    for path, old, new in changes:
        added, removed = counted(old.data if old else b"", new.data if new else b"")
        plus, minus = plus + (added or 0), minus + (removed or 0)
        rows.append(f" {path:{width}} | {(added or 0) + (removed or 0)} {'+' * (added or 0)}{'-' * (removed or 0)}\n")
    if not rows:
        return ""
    tally = f" {len(rows)} file{'s' * (len(rows) != 1)} changed"
    tally += f", {plus} insertion{'s' * (plus != 1)}(+)" if plus else ""
    tally += f", {minus} deletion{'s' * (minus != 1)}(-)" if minus else ""
    return "".join(rows) + tally + "\n"


def _patch(path: str, old: Node | None, new: Node | None) -> str:
    ids = [hashlib.sha1(node.data, usedforsecurity=False).hexdigest()[:7] if node else "0000000" for node in (old, new)]
    head = f"diff --git a/{path} b/{path}\n"
    head += "deleted file mode 100644\n" if new is None else ""
    body = unified(text(old.data) if old else "", text(new.data) if new else "", f"a/{path}", _other(path, new))
    return f"{head}index {ids[0]}..{ids[1]}{' 100644' if new else ''}\n{body}"


def _other(path: str, new: Node | None) -> str:
    return f"b/{path}" if new else "/dev/null"


def head_commit(call: Call) -> str:
    """The id of the one commit: 40 hex digits that depend on the files at the start only."""
    return hashlib.sha1(call.world.profile.hash.encode(), usedforsecurity=False).hexdigest()


def _log(call: Call, words: list[str]) -> Done:
    left = [word for word in words if word not in {"--oneline", "-n", "--decorate", "HEAD"}]
    if any(not word.removeprefix("-").isdigit() for word in left):
        raise Unmodelled("git log", *words)
    commit = head_commit(call)
    if "--oneline" in words:
        return Done(0, f"{commit[:7]} {call.world.profile.summary}\n")
    moment = call.world.now() - call.world.clock.monotonic() - 86_400
    when = time.strftime("%a %b %e %H:%M:%S %Y +0000", time.gmtime(moment))
    author = "Author: Ada Virtual <ada@virtual.example>"
    return Done(0, f"commit {commit}\n{author}\nDate:   {when}\n\n    {call.world.profile.summary}\n")


def _ls_files(call: Call, words: list[str]) -> Done:
    options, paths = _paths(words)
    if options:
        raise Unmodelled("git ls-files", *options)
    places = [call.place(path) for path in paths]
    return Done(0, "".join(f"{path}\n" for path in sorted(call.world.original) if _within(path, places)))


def _rev_parse(call: Call, words: list[str]) -> Done:
    answers = {
        ("HEAD",): head_commit(call),
        ("--short", "HEAD"): head_commit(call)[:7],
        ("--abbrev-ref", "HEAD"): "main",
        ("--show-toplevel",): ROOT,
        ("--is-inside-work-tree",): "true",
    }
    if tuple(words) not in answers:
        raise Unmodelled("git rev-parse", *words)
    return Done(0, answers[tuple(words)] + "\n")


def _branch(call: Call, words: list[str]) -> Done:
    if words == ["--show-current"]:
        return Done(0, "main\n")
    if words:
        raise Unmodelled("git branch", *words)
    return Done(0, "* main\n")


def _take_back(call: Call, words: list[str]) -> Done:
    """`git checkout [HEAD] -- PATH…`, `git restore PATH…`."""
    options, paths = _paths(words)
    if options or not paths or (call.words[1] == "checkout" and "--" not in words):
        raise Unmodelled("git", *call.words[1:])
    for path in paths:
        if not any(_within(known, [call.place(path)]) for known in call.world.original):
            return Done(1, "", f"error: pathspec '{path}' did not match any file(s) known to git\n")
    for path, old, _ in _changed(call, paths):
        if old is not None:
            call.world.tree.put(path, old)
    return Done()
