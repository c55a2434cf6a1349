"""What the virtual sandbox does beyond the contract of `ports.Sandbox` (`tests/contract/sandbox`)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.virtual.sandbox import VirtualSandbox

Made = Callable[..., VirtualSandbox]
EMPTY = "summary: nothing yet\n"


@pytest.fixture
def bare(made: Made) -> VirtualSandbox:
    return made(rules=EMPTY)


def test_an_endless_loop_is_a_time_out(bare: VirtualSandbox) -> None:
    done = bare.run("while true; do :; done", timeout=5)
    assert (done.exit_code, done.timed_out) == (124, True)
    assert bare.clock.monotonic() == pytest.approx(5)


def test_the_environment_is_what_the_room_says_and_nothing_else(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-secret")
    sandbox = made("env: {VIRTUAL_ENV: /x}\n")
    lines = sandbox.run("env", timeout=10, env={"EXTRA": "1"}).stdout.decode().splitlines()
    env = dict(line.split("=", 1) for line in lines)
    assert {"PATH", "HOME", "LANG", "VIRTUAL_ENV", "EXTRA"} <= env.keys()
    assert "canary-secret" not in env.values()
    assert sandbox.run('touch "$HOME/a" /tmp/b && ls "$HOME" /tmp', timeout=10).exit_code == 0
    assert sandbox.run("touch /etc/x", timeout=10).exit_code == 1


def test_what_is_outside_of_the_workspace_is_no_part_of_its_history(bare: VirtualSandbox) -> None:
    before = bare.snapshot()
    bare.run("echo log > /tmp/log; mkdir .git; echo x > .git/config", timeout=9)
    assert bare.snapshot() == before
    bare.write("a", b"")
    bare.restore(before)
    assert bare.run("cat /tmp/log", timeout=9).stdout == b"log\n"


def test_what_is_enforced_says_that_nothing_runs(bare: VirtualSandbox) -> None:
    assert (bare.facts.level, bare.facts.network) == ("virtual", "none")
