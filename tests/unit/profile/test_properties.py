"""What holds for every sequence of writes and deletions."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.virtual.lines import counted
from bot.virtual.profile import Profile
from bot.virtual.sandbox import VirtualSandbox
from bot.virtual.tree import node

PATHS = st.sampled_from(["a", "b/c", "b/d", "e/f/g", "h.txt", "b/i"])
DATA = st.sampled_from([b"", b"1\n", b"2\n", b"1\n2\n", b"1\n2", b"\0", b"x\r\n"])
STEPS = st.lists(st.tuples(PATHS, st.none() | DATA), max_size=25)
LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n"]), max_size=12).map(b"".join)


def played(sandbox: VirtualSandbox, steps: list[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """Play writes and deletions on a sandbox and on a plain dictionary; returns the dictionary."""
    files = dict(sandbox.files)
    for path, data in steps:
        if data is not None:
            sandbox.write(path, data)
            files[path] = data
        elif path in files:
            sandbox.delete(path)
            del files[path]
    return files


def fresh() -> VirtualSandbox:
    return VirtualSandbox(Profile(name="any", summary="any", files={"a": node(b"1\n"), "b/c": node(b"2\n")}))


@given(STEPS, STEPS)
def test_a_snapshot_is_what_comes_back(first: list, then: list) -> None:
    sandbox = fresh()
    files = played(sandbox, first)
    name = sandbox.snapshot()
    played(sandbox, then)
    sandbox.restore(name)
    assert sandbox.files == files
    assert sandbox.snapshot() == name


@given(STEPS, STEPS)
def test_equal_content_has_an_equal_name_however_it_came_about(first: list, then: list) -> None:
    one, other = fresh(), fresh()
    played(one, first)
    played(one, then)
    for path in list(other.files):
        other.delete(path)
    for path in sorted(one.files, reverse=True):
        other.write(path, one.files[path])
    assert one.snapshot() == other.snapshot()


@given(STEPS, STEPS)
def test_changes_are_exactly_what_differs(first: list, then: list) -> None:
    sandbox = fresh()
    old = played(sandbox, first)
    before = sandbox.snapshot()
    new = played(sandbox, then)
    effects = sandbox.changes(before, sandbox.snapshot())
    differing = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    assert [effect.path for effect in effects] == sorted(differing)
    for effect in effects:
        kind = "created" if effect.path not in old else "deleted" if effect.path not in new else "modified"
        assert effect.kind == kind
        assert effect.bytes == len(new.get(effect.path, b""))
        if effect.added is not None and effect.removed is not None:
            assert effect.added - effect.removed == len(rows(new.get(effect.path))) - len(rows(old.get(effect.path)))


@given(STEPS)
def test_what_was_looked_at_stays_as_it_was(steps: list) -> None:
    sandbox = fresh()
    before = sandbox.snapshot()
    kept = sandbox.files
    played(sandbox, steps)
    assert kept == fresh().files
    assert fresh().snapshot() == before


@given(LINES, LINES)
def test_the_shortest_edit_is_counted(old: bytes, new: bytes) -> None:
    added, removed = counted(old, new)
    matcher = difflib.SequenceMatcher(a=rows(old), b=rows(new), autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    assert added is not None
    assert removed is not None
    assert added + removed <= len(rows(old)) + len(rows(new)) - 2 * same
    assert (added - removed) == len(rows(new)) - len(rows(old))


@settings(max_examples=25, deadline=None)
@given(LINES, LINES, st.booleans())
def test_lines_are_counted_as_git_counts_them(tmp_path_factory, old: bytes, new: bytes, cut: bool) -> None:
    folder: Path = tmp_path_factory.mktemp("git")
    new = new.removesuffix(b"\n") if cut else new
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    command = ["git", "diff", "--no-index", "--numstat", "--minimal", "old", "new"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    expected = tuple(map(int, said.split()[:2])) if said else (0, 0)
    assert counted(old, new) == expected


def rows(data: bytes | None) -> list[bytes]:
    return (data or b"").splitlines(keepends=True)
