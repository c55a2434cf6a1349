"""The contract of `ports.Sandbox`, on every level."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bot.ports import PathRefused, Sandbox

# Files ---------------------------------------------------------------------------------------------------------------


def test_a_write_through_a_hard_link_leaves_the_other_name_alone(sandbox: Sandbox, opener) -> None:
    (opener.workspace / "a").write_text("old")
    os.link(opener.workspace / "a", opener.workspace / "b")
    sandbox.write("b", b"new")
    assert (opener.workspace / "a").read_text() == "old"


def test_a_large_file_can_be_written(sandbox: Sandbox, opener) -> None:
    data = b"x" * 20_000_000
    sandbox.write("big", data)
    assert (opener.workspace / "big").stat().st_size == len(data)


def test_a_fifo_is_refused_at_once(sandbox: Sandbox, opener) -> None:
    os.mkfifo(opener.workspace / "pipe")
    began = time.monotonic()
    for attempt in (sandbox.read, sandbox.delete, lambda path: sandbox.write(path, b"")):
        with pytest.raises(PathRefused):
            attempt("pipe")
    assert time.monotonic() - began < 5


def test_a_very_deep_folder_does_not_break_the_listing(sandbox: Sandbox, opener) -> None:
    done = sandbox.run(
        "i=0; while [ $i -lt 600 ]; do mkdir 0123456789 && cd -P 0123456789 || exit 1; i=$((i+1)); done", timeout=30
    )
    assert done.exit_code == 0, done.stderr
    assert 300 < len(sandbox.entries()) <= 600
    sandbox.run("rm -rf 0123456789", timeout=30)


# Commands ------------------------------------------------------------------------------------------------------------


def test_a_signal_is_128_and_its_number(sandbox: Sandbox) -> None:
    assert sandbox.run("kill -9 $$", timeout=10).exit_code == 137
    assert sandbox.run("kill -TERM $$", timeout=10).exit_code == 143


def test_a_broken_pipe_ends_a_program_quietly(sandbox: Sandbox) -> None:
    done = sandbox.run("yes | head -1", timeout=10)
    assert (done.exit_code, done.stdout, done.stderr) == (0, b"y\n", b"")


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
