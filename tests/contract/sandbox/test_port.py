"""The contract of `ports.Sandbox` on every implementation: both levels that confine, none, and the virtual one.

Each test prepares its ground through the port itself, so that it can be asked of a sandbox without a folder.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from bot.base.errors import SandboxError
from bot.ports import Entry, PathRefused, Sandbox


def prepare(sandbox: Sandbox, script: str) -> None:
    """What a test finds in the workspace."""
    done = sandbox.run(script, timeout=30)
    assert done.exit_code == 0, done.stderr


def workspace(sandbox: Sandbox) -> str:
    return sandbox.run("pwd", timeout=10).stdout.decode().strip()


def paths(sandbox: Sandbox) -> list[str]:
    return [entry.path for entry in sandbox.entries()]


def test_what_is_written_is_read_back_with_its_hash_and_parents_are_made(port: Sandbox) -> None:
    port.write("a/b/c.txt", b"one\r\ntwo\0")
    found = port.read("a/b/c.txt")
    assert (found.data, found.size) == (b"one\r\ntwo\0", 9)
    assert found.sha256 == sha256(b"one\r\ntwo\0").hexdigest()


def test_reading_is_cut_at_the_limit_and_still_counts_and_hashes_the_whole(port: Sandbox) -> None:
    data = b"0123456789" * 300_000
    port.write("big", data)
    found = port.read("big", limit=10)
    assert (found.data, found.size, found.sha256) == (data[:10], len(data), sha256(data).hexdigest())


def test_a_write_keeps_the_mode_and_a_new_file_is_not_executable(port: Sandbox) -> None:
    prepare(port, "echo old > run.sh; chmod 755 run.sh")
    port.write("run.sh", b"new")
    port.write("plain", b"")
    assert [(entry.path, entry.executable) for entry in port.entries()] == [("plain", False), ("run.sh", True)]


def test_absolute_paths_inside_are_made_relative(port: Sandbox) -> None:
    port.write(f"{workspace(port)}/a.txt", b"x")
    assert port.read("./b/../a.txt").data == b"x"


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "", "a\0b", "x" * 5000, "a/" * 3000 + "x", "../workspace-evil/x", "\ud800"],
    ids=["up", "up later", "absolute", "empty", "nul", "long name", "long path", "prefix", "no name"],
)
def test_paths_that_leave_the_workspace_are_refused(port: Sandbox, path: str) -> None:
    for attempt in (port.read, port.delete, lambda name: port.write(name, b"evil")):
        with pytest.raises((PathRefused, FileNotFoundError)):
            attempt(path)
    with pytest.raises(PathRefused):
        port.write(path, b"evil")
    assert paths(port) == []


def test_a_path_that_only_looks_inside_is_refused(port: Sandbox) -> None:
    with pytest.raises(PathRefused, match="outside"):
        port.write(f"{workspace(port)}-evil/x", b"")


@pytest.mark.parametrize("target", ["/etc/passwd", "missing", "../outside", "loop", "folder"])
def test_symlinks_are_never_followed(port: Sandbox, target: str) -> None:
    prepare(port, f"mkdir folder; ln -s {target} loop")
    for attempt in (port.read, port.delete, lambda path: port.write(path, b"evil")):
        for path in ("loop", "loop/file"):
            with pytest.raises(PathRefused, match="symbolic link"):
                attempt(path)
    assert [entry for entry in port.entries() if entry.kind == "symlink"] == [Entry(path="loop", kind="symlink")]
    assert not [entry for entry in port.entries() if entry.kind == "file"]


def test_what_is_missing_and_what_is_a_folder_are_told_apart(port: Sandbox) -> None:
    prepare(port, "mkdir folder; touch file")
    for path in ("none", "none/below", "file/below"):
        with pytest.raises(FileNotFoundError):
            port.read(path)
    for attempt in (port.read, port.delete, lambda path: port.write(path, b"")):
        for path in ("folder", "."):
            with pytest.raises(IsADirectoryError):
                attempt(path)


def test_no_file_is_written_below_a_file(port: Sandbox) -> None:
    port.write("file", b"")
    with pytest.raises(NotADirectoryError):
        port.write("file/below", b"")


def test_a_deleted_file_is_gone(port: Sandbox) -> None:
    port.write("a", b"")
    port.delete("a")
    with pytest.raises(FileNotFoundError):
        port.delete("a")


def test_names_need_not_be_text(port: Sandbox) -> None:
    name = b"caf\xe9\n\xff".decode("utf-8", "surrogateescape")
    port.write(name, b"x")
    port.write("Twin", b"1")
    port.write("twin", b"2")
    assert port.read(name).data == b"x"
    assert paths(port) == ["Twin", name, "twin"]
    before = port.snapshot()
    port.write(name, b"y")
    assert [effect.path for effect in port.changes(before, port.snapshot())] == [name]


def test_entries_are_sorted_and_name_symlinks_without_following_them(port: Sandbox) -> None:
    prepare(port, "mkdir -p b/deep .git; printf 123 > b/deep/f; touch b.txt .git/HEAD; chmod +x b.txt; ln -s /etc a")
    assert port.entries() == [
        Entry(path="a", kind="symlink"),
        Entry(path="b", kind="directory"),
        Entry(path="b.txt", kind="file", executable=True),
        Entry(path="b/deep", kind="directory"),
        Entry(path="b/deep/f", kind="file", size=3),
    ]
    assert [entry.path for entry in port.entries("b")] == ["b/deep", "b/deep/f"]
    assert len(port.entries(limit=2)) == 2
    with pytest.raises(PathRefused):
        port.entries("a")
    with pytest.raises(NotADirectoryError):
        port.entries("b.txt")
    with pytest.raises(FileNotFoundError):
        port.entries("none")


def test_a_command_gives_its_streams_apart_its_exit_code_and_its_time(port: Sandbox) -> None:
    done = port.run("echo out; cat none; exit 3", timeout=10)
    assert (done.exit_code, done.stdout) == (3, b"out\n")
    assert done.stderr == b"cat: none: No such file or directory\n"
    assert (done.stdout_size, done.stderr_size, done.timed_out) == (4, len(done.stderr), False)
    assert 0 < done.duration_ms < 10_000


def test_commands_start_in_the_workspace_or_a_folder_of_it_and_read_nothing(port: Sandbox) -> None:
    prepare(port, "mkdir sub")
    where = workspace(port)
    assert port.run("pwd; cat", timeout=10).stdout.decode() == f"{where}\n"
    assert port.run("pwd", timeout=10, cwd="sub").stdout.decode() == f"{where}/sub\n"
    assert port.run("pwd", timeout=10, cwd="none").exit_code == 126
    with pytest.raises(SandboxError, match="outside"):
        port.run("pwd", timeout=10, cwd="..")


def test_a_time_out_is_124_and_keeps_what_was_said(port: Sandbox) -> None:
    done = port.run("echo begun; sleep 60", timeout=0.3)
    assert (done.exit_code, done.timed_out, done.stdout) == (124, True, b"begun\n")
    assert 300 <= done.duration_ms < 10_000


def test_a_flood_is_counted_and_cut_in_the_middle(port: Sandbox) -> None:
    done = port.run("for i in 1 2 3; do seq 1 90000; done; seq 1 10 >&2; echo end", timeout=60)
    size = 3 * sum(len(str(number)) + 1 for number in range(1, 90_001)) + 4
    assert (done.exit_code, done.stdout_size, done.stderr_size) == (0, size, 21)
    assert done.stdout.startswith(b"1\n2\n")
    assert done.stdout.endswith(b"90000\nend\n")
    assert len(done.stdout) < 1_100_000
    assert b"bytes left out" in done.stdout


def test_the_environment_holds_no_variable_of_ours(port: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-secret")
    lines = port.run("env", timeout=10, env={"EXTRA": "1"}).stdout.decode().splitlines()
    env = dict(line.split("=", 1) for line in lines)
    assert {"PATH", "HOME", "LANG", "EXTRA"} <= env.keys()
    assert "canary-secret" not in env.values()
    assert port.run('touch "$HOME/a" && ls "$HOME"', timeout=10).exit_code == 0


def test_closing_ends_everything_and_can_be_done_twice(port: Sandbox) -> None:
    port.close()
    port.close()
    with pytest.raises(SandboxError, match="closed"):
        port.run("true", timeout=1)
    with pytest.raises(SandboxError):
        port.read("a")


def test_a_snapshot_names_the_content(port: Sandbox) -> None:
    empty = port.snapshot()
    port.write("a", b"1")
    one = port.snapshot()
    port.write("a", b"2")
    port.write("a", b"1")
    assert port.snapshot() == one != empty
    assert port.changes(one, one) == ()


def test_changes_say_what_kind_with_hashes_and_lines(port: Sandbox) -> None:
    prepare(port, "echo 1 > gone; echo 1 > same; echo 1 > mode; printf 'a\\nb\\n' > text; echo 1 > type")
    before = port.snapshot()
    prepare(port, "rm gone; chmod +x mode; printf 'a\\nc\\nd\\n' > text; ln -sf text type")
    port.write("binary", b"x\0")
    seen = {effect.path: effect for effect in port.changes(before, port.snapshot())}
    kinds = {path: effect.kind for path, effect in seen.items()}
    assert kinds == {"binary": "created", "gone": "deleted", "mode": "mode", "text": "modified", "type": "type"}
    assert (seen["text"].added, seen["text"].removed, seen["text"].bytes) == (2, 1, 6)
    assert seen["text"].after == sha256(b"a\nc\nd\n").hexdigest()
    assert (seen["gone"].before, seen["gone"].after) == (sha256(b"1\n").hexdigest(), None)
    assert (seen["binary"].added, seen["binary"].bytes) == (None, 2)


def test_restoring_brings_back_files_and_modes_and_leaves_ignored_ones(port: Sandbox) -> None:
    prepare(port, "mkdir d; echo 1 > d/a; chmod +x d/a; echo '*.log' > .gitignore; ln -s d link")
    before = port.snapshot()
    prepare(port, "echo 2 > d/a; chmod -x d/a; echo 3 > new; echo 4 > x.log; rm link; ln -s /etc link")
    port.restore(before)
    assert port.snapshot() == before
    assert (port.read("d/a").data, port.read("x.log").data) == (b"1\n", b"4\n")
    assert [entry.path for entry in port.entries() if entry.executable] == ["d/a"]
    assert port.run("readlink link", timeout=10).stdout == b"d\n"
    assert "new" not in paths(port)


def test_restoring_replaces_a_folder_by_the_file_it_was(port: Sandbox) -> None:
    prepare(port, "echo 1 > a; mkdir b; echo 1 > b/c")
    before = port.snapshot()
    prepare(port, "rm -rf a b; mkdir a; echo 2 > a/x; ln -s /etc b")
    port.restore(before)
    assert paths(port) == ["a", "b", "b/c"]
    assert (port.read("a").data, port.read("b/c").data) == (b"1\n", b"1\n")


def test_what_a_later_gitignore_excludes_is_no_change_any_more(port: Sandbox) -> None:
    before = port.snapshot()
    port.write("src/new.py", b"")
    assert [effect.path for effect in port.changes(before, port.snapshot())] == ["src/new.py"]
    port.write(".gitignore", b"new.py\n!keep.log\n*.log\n/build/\n")
    port.write("build/out", b"")
    port.write("deep/build/out", b"")
    port.write("deep/x.log", b"")
    changed = [effect.path for effect in port.changes(before, port.snapshot())]
    assert changed == [".gitignore", "deep/build/out"]
