"""The contract of `ports.Sandbox`, as the real levels keep it, on the virtual one."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from bot.base.errors import SandboxError
from bot.ports import Entry, PathRefused
from bot.virtual.sandbox import CAP, VirtualSandbox

Made = Callable[..., VirtualSandbox]
EMPTY = "summary: nothing yet\n"


@pytest.fixture
def bare(made: Made) -> VirtualSandbox:
    return made(rules=EMPTY)


def test_what_is_written_is_read_back_with_its_hash_and_parents_are_made(bare: VirtualSandbox) -> None:
    bare.write("a/b/c.txt", b"one\r\ntwo\0")
    found = bare.read("a/b/c.txt")
    assert (found.data, found.size) == (b"one\r\ntwo\0", 9)
    assert found.sha256 == sha256(b"one\r\ntwo\0").hexdigest()


def test_reading_is_cut_at_the_limit_and_still_counts_and_hashes_the_whole(bare: VirtualSandbox) -> None:
    data = b"0123456789" * 300_000
    bare.write("big", data)
    found = bare.read("big", limit=10)
    assert (found.data, found.size, found.sha256) == (data[:10], len(data), sha256(data).hexdigest())


def test_a_write_keeps_the_mode_and_a_new_file_is_not_executable(bare: VirtualSandbox) -> None:
    bare.run("echo old > run.sh; chmod 755 run.sh", timeout=9)
    bare.write("run.sh", b"new")
    bare.write("plain", b"")
    assert [(entry.path, entry.executable) for entry in bare.entries()] == [("plain", False), ("run.sh", True)]


def test_absolute_paths_inside_are_made_relative(bare: VirtualSandbox) -> None:
    bare.write(f"{bare.workspace}/a.txt", b"x")
    assert bare.read("./b/../a.txt").data == b"x"


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "", "a\0b", "x" * 5000, "a/" * 3000 + "x", "../workspace-evil/x", "\ud800"],
    ids=["up", "up later", "absolute", "empty", "nul", "long name", "long path", "prefix", "no name"],
)
def test_paths_that_leave_the_workspace_are_refused(bare: VirtualSandbox, path: str) -> None:
    for attempt in (bare.read, bare.delete, lambda name: bare.write(name, b"evil")):
        with pytest.raises((PathRefused, FileNotFoundError)):
            attempt(path)
    with pytest.raises(PathRefused):
        bare.write(path, b"evil")
    assert bare.files == {}


def test_a_path_that_only_looks_inside_is_refused(bare: VirtualSandbox) -> None:
    with pytest.raises(PathRefused, match="outside"):
        bare.write(f"{bare.workspace}-evil/x", b"")


@pytest.mark.parametrize("target", ["/etc/passwd", "missing", "../outside", "loop", "folder"])
def test_symlinks_are_never_followed(bare: VirtualSandbox, target: str) -> None:
    bare.run(f"mkdir folder; ln -s {target} loop", timeout=9)
    for attempt in (bare.read, bare.delete, lambda path: bare.write(path, b"evil")):
        for path in ("loop", "loop/file"):
            with pytest.raises(PathRefused, match="symbolic link"):
                attempt(path)
    assert list(bare.files) == ["loop"]


def test_what_is_missing_and_what_is_a_folder_are_told_apart(bare: VirtualSandbox) -> None:
    bare.run("mkdir folder; touch file", timeout=9)
    for path in ("none", "none/below", "file/below"):
        with pytest.raises(FileNotFoundError):
            bare.read(path)
    for attempt in (bare.read, bare.delete, lambda path: bare.write(path, b"")):
        for path in ("folder", "."):
            with pytest.raises(IsADirectoryError):
                attempt(path)


def test_no_file_is_written_below_a_file(bare: VirtualSandbox) -> None:
    bare.write("file", b"")
    with pytest.raises(NotADirectoryError):
        bare.write("file/below", b"")


def test_a_deleted_file_is_gone(bare: VirtualSandbox) -> None:
    bare.write("a", b"")
    bare.delete("a")
    with pytest.raises(FileNotFoundError):
        bare.delete("a")


def test_names_need_not_be_text(bare: VirtualSandbox) -> None:
    name = b"caf\xe9\n\xff".decode("utf-8", "surrogateescape")
    bare.write(name, b"x")
    bare.write("Twin", b"1")
    bare.write("twin", b"2")
    assert bare.read(name).data == b"x"
    assert [entry.path for entry in bare.entries()] == ["Twin", name, "twin"]
    before = bare.snapshot()
    bare.write(name, b"y")
    assert [effect.path for effect in bare.changes(before, bare.snapshot())] == [name]


def test_entries_are_sorted_and_name_symlinks_without_following_them(bare: VirtualSandbox) -> None:
    bare.run(
        "mkdir -p b/deep .git; printf 123 > b/deep/f; touch b.txt .git/HEAD; chmod +x b.txt; ln -s /etc a", timeout=9
    )
    assert bare.entries() == [
        Entry(path="a", kind="symlink"),
        Entry(path="b", kind="directory"),
        Entry(path="b.txt", kind="file", executable=True),
        Entry(path="b/deep", kind="directory"),
        Entry(path="b/deep/f", kind="file", size=3),
    ]
    assert [entry.path for entry in bare.entries("b")] == ["b/deep", "b/deep/f"]
    assert len(bare.entries(limit=2)) == 2
    with pytest.raises(PathRefused):
        bare.entries("a")
    with pytest.raises(NotADirectoryError):
        bare.entries("b.txt")
    with pytest.raises(FileNotFoundError):
        bare.entries("none")


def test_a_command_gives_its_streams_apart_its_exit_code_and_its_time(bare: VirtualSandbox) -> None:
    done = bare.run("echo out; cat none; exit 3", timeout=10)
    assert (done.exit_code, done.stdout) == (3, b"out\n")
    assert done.stderr == b"cat: none: No such file or directory\n"
    assert (done.stdout_size, done.stderr_size, done.timed_out) == (4, len(done.stderr), False)
    assert 0 < done.duration_ms < 10_000


def test_commands_start_in_the_workspace_or_a_folder_of_it_and_read_nothing(bare: VirtualSandbox) -> None:
    bare.run("mkdir sub", timeout=9)
    assert bare.run("pwd; cat", timeout=10).stdout.decode() == f"{bare.workspace}\n"
    assert bare.run("pwd", timeout=10, cwd="sub").stdout.decode() == f"{bare.workspace}/sub\n"
    assert bare.run("pwd", timeout=10, cwd="none").exit_code == 126
    with pytest.raises(SandboxError, match="outside"):
        bare.run("pwd", timeout=10, cwd="..")


def test_a_time_out_is_124_and_keeps_what_was_said(bare: VirtualSandbox) -> None:
    done = bare.run("echo begun; sleep 60", timeout=0.3)
    assert (done.exit_code, done.timed_out, done.stdout) == (124, True, b"begun\n")
    assert done.duration_ms == pytest.approx(300)


def test_an_endless_loop_is_a_time_out(bare: VirtualSandbox) -> None:
    done = bare.run("while true; do :; done", timeout=5)
    assert (done.exit_code, done.timed_out) == (124, True)
    assert bare.clock.monotonic() == pytest.approx(5)


def test_a_flood_is_counted_and_cut_in_the_middle(bare: VirtualSandbox) -> None:
    done = bare.run("for i in 1 2 3; do seq 1 90000; done; seq 1 10 >&2; echo end", timeout=60)
    size = 3 * sum(len(str(n)) + 1 for n in range(1, 90_001)) + 4
    assert (done.exit_code, done.stdout_size, done.stderr_size) == (0, size, 21)
    assert done.stdout.startswith(b"1\n2\n")
    assert done.stdout.endswith(b"90000\nend\n")
    assert len(done.stdout) < CAP + 100
    assert b"bytes left out" in done.stdout


def test_the_environment_is_what_the_room_says_and_nothing_else(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-secret")
    sandbox = made("env: {VIRTUAL_ENV: /x}\n")
    lines = sandbox.run("env", timeout=10, env={"EXTRA": "1"}).stdout.decode().splitlines()
    env = dict(line.split("=", 1) for line in lines)
    assert {"PATH", "HOME", "LANG", "VIRTUAL_ENV", "EXTRA"} <= env.keys()
    assert "canary-secret" not in env.values()
    assert sandbox.run('touch "$HOME/a" /tmp/b && ls "$HOME" /tmp', timeout=10).exit_code == 0
    assert sandbox.run("touch /etc/x", timeout=10).exit_code == 1


def test_closing_ends_everything_and_can_be_done_twice(bare: VirtualSandbox) -> None:
    bare.close()
    bare.close()
    with pytest.raises(SandboxError, match="closed"):
        bare.run("true", timeout=1)
    with pytest.raises(SandboxError):
        bare.read("a")


def test_a_snapshot_names_the_content(bare: VirtualSandbox) -> None:
    empty = bare.snapshot()
    bare.write("a", b"1")
    one = bare.snapshot()
    bare.write("a", b"2")
    bare.write("a", b"1")
    assert bare.snapshot() == one != empty
    assert bare.changes(one, one) == ()


def test_changes_say_what_kind_with_hashes_and_lines(bare: VirtualSandbox) -> None:
    bare.run("echo 1 > gone; echo 1 > same; echo 1 > mode; printf 'a\\nb\\n' > text; echo 1 > type", timeout=10)
    before = bare.snapshot()
    bare.run("rm gone; chmod +x mode; printf 'a\\nc\\nd\\n' > text; ln -sf text type", timeout=10)
    bare.write("binary", b"x\0")
    seen = {effect.path: effect for effect in bare.changes(before, bare.snapshot())}
    kinds = {path: effect.kind for path, effect in seen.items()}
    assert kinds == {"binary": "created", "gone": "deleted", "mode": "mode", "text": "modified", "type": "type"}
    assert (seen["text"].added, seen["text"].removed, seen["text"].bytes) == (2, 1, 6)
    assert seen["text"].after == sha256(b"a\nc\nd\n").hexdigest()
    assert (seen["gone"].before, seen["gone"].after) == (sha256(b"1\n").hexdigest(), None)
    assert (seen["binary"].added, seen["binary"].bytes) == (None, 2)


def test_restoring_brings_back_files_and_modes_and_leaves_ignored_ones(bare: VirtualSandbox) -> None:
    bare.run("mkdir d; echo 1 > d/a; chmod +x d/a; echo '*.log' > .gitignore; ln -s d link", timeout=10)
    before = bare.snapshot()
    bare.run("echo 2 > d/a; chmod -x d/a; echo 3 > new; echo 4 > x.log; rm link; ln -s /etc link", timeout=10)
    bare.restore(before)
    assert bare.snapshot() == before
    assert bare.files["d/a"] == b"1\n"
    assert bare.files["x.log"] == b"4\n"
    assert bare.files["link"] == b"d"
    assert {entry.path for entry in bare.entries() if entry.executable} == {"d/a"}
    assert "new" not in bare.files


def test_restoring_replaces_a_folder_by_the_file_it_was(bare: VirtualSandbox) -> None:
    bare.run("echo 1 > a; mkdir b; echo 1 > b/c", timeout=10)
    before = bare.snapshot()
    bare.run("rm -rf a b; mkdir a; echo 2 > a/x; ln -s /etc b", timeout=10)
    bare.restore(before)
    assert bare.files == {"a": b"1\n", "b/c": b"1\n"}
    assert [entry.path for entry in bare.entries()] == ["a", "b", "b/c"]


def test_what_is_outside_of_the_workspace_is_no_part_of_its_history(bare: VirtualSandbox) -> None:
    before = bare.snapshot()
    bare.run("echo log > /tmp/log; mkdir .git; echo x > .git/config", timeout=9)
    assert bare.snapshot() == before
    bare.write("a", b"")
    bare.restore(before)
    assert bare.run("cat /tmp/log", timeout=9).stdout == b"log\n"


def test_ignoring_a_file_afterwards_does_not_hide_it(bare: VirtualSandbox) -> None:
    before = bare.snapshot()
    bare.write("src/evil.py", b"")
    bare.snapshot()
    bare.write(".gitignore", b"evil.py\n!keep.log\n*.log\n/build/\n")
    bare.write("build/out", b"")
    bare.write("deep/build/out", b"")
    bare.write("deep/x.log", b"")
    changed = [effect.path for effect in bare.changes(before, bare.snapshot())]
    assert changed == [".gitignore", "deep/build/out", "src/evil.py"]


def test_what_is_enforced_says_that_nothing_runs(bare: VirtualSandbox) -> None:
    assert (bare.facts.level, bare.facts.network) == ("virtual", "none")
