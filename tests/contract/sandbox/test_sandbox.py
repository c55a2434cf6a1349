"""The contract of `ports.Sandbox`, on every level."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from bot.base.errors import SandboxError
from bot.ports import Entry, PathRefused, Sandbox

# Files ---------------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back_with_its_hash_and_parents_are_made(sandbox: Sandbox) -> None:
    sandbox.write("a/b/c.txt", b"one\r\ntwo\0")
    found = sandbox.read("a/b/c.txt")
    assert (found.data, found.size) == (b"one\r\ntwo\0", 9)
    assert found.sha256 == sha256(b"one\r\ntwo\0").hexdigest()


def test_reading_is_cut_at_the_limit_and_still_counts_and_hashes_the_whole(sandbox: Sandbox, opener) -> None:
    data = os.urandom(3_000_000)
    (opener.workspace / "big").write_bytes(data)
    found = sandbox.read("big", limit=10)
    assert (found.data, found.size, found.sha256) == (data[:10], len(data), sha256(data).hexdigest())


def test_a_write_keeps_the_mode_and_a_new_file_is_not_executable(sandbox: Sandbox, opener) -> None:
    script = opener.workspace / "run.sh"
    script.write_text("old")
    script.chmod(0o755)
    sandbox.write("run.sh", b"new")
    sandbox.write("plain", b"")
    assert script.stat().st_mode & 0o777 == 0o755
    assert (opener.workspace / "plain").stat().st_mode & 0o777 == 0o644


def test_a_write_through_a_hard_link_leaves_the_other_name_alone(sandbox: Sandbox, opener) -> None:
    (opener.workspace / "a").write_text("old")
    os.link(opener.workspace / "a", opener.workspace / "b")
    sandbox.write("b", b"new")
    assert (opener.workspace / "a").read_text() == "old"


def test_a_large_file_can_be_written(sandbox: Sandbox, opener) -> None:
    data = b"x" * 20_000_000
    sandbox.write("big", data)
    assert (opener.workspace / "big").stat().st_size == len(data)


def test_absolute_paths_inside_are_made_relative(sandbox: Sandbox, opener) -> None:
    sandbox.write(f"{opener.workspace}/a.txt", b"x")
    assert sandbox.read("./b/../a.txt").data == b"x"


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "", "a\0b", "x" * 5000, "a/" * 3000 + "x", "../workspace-evil/x", "\ud800"],
    ids=["up", "up later", "absolute", "empty", "nul", "long name", "long path", "prefix", "no name"],
)
def test_paths_that_leave_the_workspace_are_refused(sandbox: Sandbox, opener, path: str) -> None:
    (opener.folder / "workspace-evil").mkdir()
    for attempt in (sandbox.read, sandbox.delete, lambda name: sandbox.write(name, b"evil")):
        with pytest.raises((PathRefused, FileNotFoundError)):
            attempt(path)
    with pytest.raises(PathRefused):
        sandbox.write(path, b"evil")
    assert not (opener.folder / "x").exists()


def test_a_path_that_only_looks_inside_is_refused(sandbox: Sandbox, opener) -> None:
    with pytest.raises(PathRefused, match="outside"):
        sandbox.write(f"{opener.workspace}-evil/x", b"")


@pytest.mark.parametrize("target", ["/etc/passwd", "missing", "../outside", "loop", "folder"])
def test_symlinks_are_never_followed(sandbox: Sandbox, opener, target: str) -> None:
    (opener.workspace / "folder").mkdir()
    (opener.workspace / "loop").symlink_to(target)
    for attempt in (sandbox.read, sandbox.delete, lambda path: sandbox.write(path, b"evil")):
        for path in ("loop", "loop/file"):
            with pytest.raises(PathRefused, match="symbolic link"):
                attempt(path)
    assert not (opener.folder / "outside").exists()
    assert not (opener.workspace / "missing").exists()


def test_a_fifo_is_refused_at_once(sandbox: Sandbox, opener) -> None:
    os.mkfifo(opener.workspace / "pipe")
    began = time.monotonic()
    for attempt in (sandbox.read, sandbox.delete, lambda path: sandbox.write(path, b"")):
        with pytest.raises(PathRefused):
            attempt("pipe")
    assert time.monotonic() - began < 5


def test_what_is_missing_and_what_is_a_folder_are_told_apart(sandbox: Sandbox, opener) -> None:
    (opener.workspace / "folder").mkdir()
    (opener.workspace / "file").touch()
    for path in ("none", "none/below", "file/below"):
        with pytest.raises(FileNotFoundError):
            sandbox.read(path)
    for attempt in (sandbox.read, sandbox.delete, lambda path: sandbox.write(path, b"")):
        for path in ("folder", "."):
            with pytest.raises(IsADirectoryError):
                attempt(path)


def test_a_deleted_file_is_gone(sandbox: Sandbox) -> None:
    sandbox.write("a", b"")
    sandbox.delete("a")
    with pytest.raises(FileNotFoundError):
        sandbox.delete("a")


def test_names_need_not_be_text(sandbox: Sandbox, opener) -> None:
    name = b"caf\xe9\n\xff".decode("utf-8", "surrogateescape")
    sandbox.write(name, b"x")
    sandbox.write("Twin", b"1")
    sandbox.write("twin", b"2")
    assert (opener.workspace / name).read_bytes() == b"x"
    assert sandbox.read(name).data == b"x"
    assert [entry.path for entry in sandbox.entries()] == ["Twin", name, "twin"]
    before = sandbox.snapshot()
    sandbox.write(name, b"y")
    assert [effect.path for effect in sandbox.changes(before, sandbox.snapshot())] == [name]


def test_entries_are_sorted_and_name_symlinks_without_following_them(sandbox: Sandbox, opener) -> None:
    work = opener.workspace
    (work / "b").mkdir()
    (work / "b" / "deep").mkdir()
    (work / "b" / "deep" / "f").write_text("123")
    (work / "b.txt").touch(0o755)
    (work / "a").symlink_to("/etc")
    (work / ".git").mkdir()
    (work / ".git" / "HEAD").touch()
    os.mkfifo(work / "z")
    assert sandbox.entries() == [
        Entry(path="a", kind="symlink"),
        Entry(path="b", kind="directory"),
        Entry(path="b.txt", kind="file", executable=True),
        Entry(path="b/deep", kind="directory"),
        Entry(path="b/deep/f", kind="file", size=3),
        Entry(path="z", kind="other"),
    ]
    assert [entry.path for entry in sandbox.entries("b")] == ["b/deep", "b/deep/f"]
    assert len(sandbox.entries(limit=2)) == 2
    with pytest.raises(PathRefused):
        sandbox.entries("a")
    with pytest.raises(NotADirectoryError):
        sandbox.entries("b.txt")


def test_a_very_deep_folder_does_not_break_the_listing(sandbox: Sandbox, opener) -> None:
    done = sandbox.run(
        "i=0; while [ $i -lt 600 ]; do mkdir 0123456789 && cd -P 0123456789 || exit 1; i=$((i+1)); done", timeout=30
    )
    assert done.exit_code == 0, done.stderr
    assert 300 < len(sandbox.entries()) <= 600
    sandbox.run("rm -rf 0123456789", timeout=30)


# Commands ------------------------------------------------------------------------------------------------------------


def test_a_command_gives_its_streams_apart_its_exit_code_and_its_time(sandbox: Sandbox) -> None:
    done = sandbox.run("echo out; echo err >&2; exit 3", timeout=10)
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    assert (done.stdout_size, done.stderr_size, done.timed_out) == (4, 4, False)
    assert 0 < done.duration_ms < 10_000


def test_commands_start_in_the_workspace_or_a_folder_of_it_and_read_nothing(sandbox: Sandbox, opener) -> None:
    (opener.workspace / "sub").mkdir()
    assert sandbox.run("pwd; cat", timeout=10).stdout.decode() == f"{opener.workspace}\n"
    assert sandbox.run("pwd", timeout=10, cwd="sub").stdout.decode() == f"{opener.workspace}/sub\n"
    assert sandbox.run("pwd", timeout=10, cwd="none").exit_code == 126
    with pytest.raises(SandboxError, match="outside"):
        sandbox.run("pwd", timeout=10, cwd="..")


def test_a_signal_is_128_and_its_number(sandbox: Sandbox) -> None:
    assert sandbox.run("kill -9 $$", timeout=10).exit_code == 137
    assert sandbox.run("kill -TERM $$", timeout=10).exit_code == 143


def test_a_broken_pipe_ends_a_program_quietly(sandbox: Sandbox) -> None:
    done = sandbox.run("yes | head -1", timeout=10)
    assert (done.exit_code, done.stdout, done.stderr) == (0, b"y\n", b"")


def test_a_time_out_is_124_and_keeps_what_was_said(sandbox: Sandbox) -> None:
    done = sandbox.run("echo begun; sleep 60", timeout=0.3)
    assert (done.exit_code, done.timed_out, done.stdout) == (124, True, b"begun\n")
    assert done.duration_ms < 10_000


def test_a_flood_is_counted_and_cut_in_the_middle(sandbox: Sandbox) -> None:
    done = sandbox.run("seq 1 100000; seq 1 10 >&2; echo end", timeout=60)
    size = sum(len(str(n)) + 1 for n in range(1, 100_001)) + 4
    assert (done.exit_code, done.stdout_size, done.stderr_size) == (0, size, 21)
    assert done.stdout.startswith(b"1\n2\n")
    assert done.stdout.endswith(b"100000\nend\n")
    many = sandbox.run("head -c 50000000 /dev/zero; echo end", timeout=60)
    assert many.stdout_size == 50_000_004
    assert len(many.stdout) < 1_100_000
    assert b"bytes left out" in many.stdout
    assert many.stdout.endswith(b"end\n")


def test_the_environment_is_what_the_room_says_and_nothing_else(opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-secret")
    sandbox = opener(env={"VIRTUAL_ENV": "/x"})
    lines = sandbox.run("env", timeout=10, env={"EXTRA": "1"}).stdout.decode().splitlines()
    env = dict(line.split("=", 1) for line in lines)
    ours = {"PATH", "HOME", "TMPDIR", "LANG", "GIT_CONFIG_NOSYSTEM", "VIRTUAL_ENV", "EXTRA"}
    assert env.keys() - {"PWD", "OLDPWD", "_", "SHLVL"} == ours
    assert sandbox.run('touch "$HOME/a" "$TMPDIR/b"', timeout=10).exit_code == 0


WAIT = "while [ ! -e go ]; do sleep 0.1; done"


def survivors(workspace: Path) -> list[str]:
    """Let go what waits for it, and see what it does."""
    (workspace / "go").touch()
    time.sleep(0.5)
    return [file.name for file in workspace.iterdir() if file.name != "go"]


def test_nothing_that_a_command_started_outlives_it(sandbox: Sandbox, opener) -> None:
    sandbox.run(
        f"(setsid sh -c '{WAIT}; touch daemon' >/dev/null 2>&1 &) ; nohup sh -c '{WAIT}; touch nohup' & "
        f"(trap '' TERM HUP; {WAIT}; touch stubborn) & sleep 0.2; exit 0",
        timeout=10,
    )
    assert survivors(opener.workspace) == []


def test_a_background_process_that_holds_the_pipes_does_not_delay_the_answer(sandbox: Sandbox) -> None:
    done = sandbox.run("echo now; sleep 60 &", timeout=30)
    assert (done.exit_code, done.stdout) == (0, b"now\n")
    assert done.duration_ms < 10_000


def test_a_few_hundred_processes_are_dead_afterwards(sandbox: Sandbox, opener) -> None:
    done = sandbox.run(
        f"i=0; while [ $i -lt 300 ]; do ({WAIT}; touch late-$i) & i=$((i+1)); done; echo started", timeout=60
    )
    assert done.stdout == b"started\n"
    assert survivors(opener.workspace) == []


def test_a_fork_bomb_ends_with_its_time_out(sandbox: Sandbox, opener) -> None:
    # Slow enough not to take the machine down, and never to be outrun.
    done = sandbox.run(
        f"bomb() {{ [ $1 -gt 8 ] || {{ bomb $(($1+1)) & bomb $(($1+1)) & }}; {WAIT}; touch late; }}; bomb 0", timeout=3
    )
    assert done.timed_out
    assert survivors(opener.workspace) == []


def test_closing_ends_everything_and_can_be_done_twice(sandbox: Sandbox) -> None:
    sandbox.close()
    sandbox.close()
    with pytest.raises(SandboxError, match="closed"):
        sandbox.run("true", timeout=1)
    with pytest.raises(SandboxError):
        sandbox.read("a")


def test_folders_are_read_only_or_writable_as_the_room_says(opener, tmp_path: Path) -> None:
    for name in ("rw", "ro"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("seen")
    sandbox = opener(writable=(tmp_path / "rw",), readonly=(tmp_path / "ro",))
    done = sandbox.run(
        f"cat {tmp_path}/rw/file {tmp_path}/ro/file; touch {tmp_path}/rw/new {tmp_path}/ro/new", timeout=9
    )
    assert done.stdout == b"seenseen"
    assert (tmp_path / "rw" / "new").exists()
    assert (tmp_path / "ro" / "new").exists() == (sandbox.facts.level == "none")


# History -------------------------------------------------------------------------------------------------------------


def test_a_snapshot_names_the_content(sandbox: Sandbox) -> None:
    empty = sandbox.snapshot()
    sandbox.write("a", b"1")
    one = sandbox.snapshot()
    sandbox.write("a", b"2")
    sandbox.write("a", b"1")
    assert sandbox.snapshot() == one != empty
    assert sandbox.changes(one, one) == ()


def test_changes_say_what_kind_with_hashes_and_lines(sandbox: Sandbox) -> None:
    sandbox.run("echo 1 > gone; echo 1 > same; echo 1 > mode; printf 'a\\nb\\n' > text; echo 1 > type", timeout=10)
    before = sandbox.snapshot()
    sandbox.run(
        "rm gone; chmod +x mode; printf 'a\\nc\\nd\\n' > text; printf 'x\\0' > binary; ln -sf text type", timeout=10
    )
    seen = {effect.path: effect for effect in sandbox.changes(before, sandbox.snapshot())}
    kinds = {path: effect.kind for path, effect in seen.items()}
    assert kinds == {"binary": "created", "gone": "deleted", "mode": "mode", "text": "modified", "type": "type"}
    assert (seen["text"].added, seen["text"].removed, seen["text"].bytes) == (2, 1, 6)
    assert seen["text"].after == sha256(b"a\nc\nd\n").hexdigest()
    assert (seen["gone"].before, seen["gone"].after) == (sha256(b"1\n").hexdigest(), None)
    assert (seen["binary"].added, seen["binary"].bytes) == (None, 2)


def test_restoring_brings_back_files_and_modes_and_leaves_ignored_ones(sandbox: Sandbox, opener) -> None:
    sandbox.run("mkdir d; echo 1 > d/a; chmod +x d/a; echo '*.log' > .gitignore; ln -s d link", timeout=10)
    before = sandbox.snapshot()
    sandbox.run(
        "echo 2 > d/a; chmod -x d/a; echo 3 > new; echo 4 > x.log; rm link; ln -s /etc link; rm .gitignore", timeout=10
    )
    sandbox.restore(before)
    assert sandbox.snapshot() == before
    assert (opener.workspace / "d" / "a").read_text() == "1\n"
    assert os.access(opener.workspace / "d" / "a", os.X_OK)
    assert (opener.workspace / "link").readlink() == Path("d")
    assert not (opener.workspace / "new").exists()


def test_restoring_replaces_a_folder_by_the_file_it_was(sandbox: Sandbox, opener) -> None:
    sandbox.run("echo 1 > a; mkdir b; echo 1 > b/c", timeout=10)
    before = sandbox.snapshot()
    sandbox.run("rm -rf a b; mkdir a; echo 2 > a/x; ln -s /etc b", timeout=10)
    sandbox.restore(before)
    assert (opener.workspace / "a").read_text() == "1\n"
    assert (opener.workspace / "b" / "c").read_text() == "1\n"
    assert Path("/etc/passwd").exists()
