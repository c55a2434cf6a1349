"""Suites as real plugins have them: red, flaky, empty, hanging, flooding, using git, of any runner. One campaign of a
script playbook goes over all of them; each test looks at what became of one plugin.
"""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from once import once
from small_playbooks import STAMP_AND_MORE
from small_world import World, commit, git

PYTEST = "python -m pytest -q --disable-plugin-autoload -p no:cacheprovider --disable-plugin-autoload"
GREEN = "def test_it():\n    assert True\n"
RED = "def test_it():\n    assert False\n\n\ndef test_other():\n    pass\n"
USES_GIT = """
import subprocess


def git(*words):
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


def test_it(tmp_path):
    assert git("describe", "--tags") == "v1.2.0\\n"
    git("config", "--global", "user.name", "somebody")
    git("checkout", "-q", "-b", "mine")
    git("commit", "-q", "--allow-empty", "-m", "mine")
    git("init", "-q", "inner")
"""
LEAVES = """
from pathlib import Path


def test_it():
    Path("report.log").write_text("left behind")
    Path("data.json").write_text("rewritten")
    Path("STAMP").touch()
"""
ASKS = """
import socket


def test_it():
    with socket.create_connection(("127.0.0.1", {port})) as connection:
        assert connection.recv(1) == b"1"
"""
JUNIT = """#!/bin/sh
mkdir -p out
echo '<testsuite><testcase classname="a" name="one"/><testcase classname="a" name="two"/></testsuite>' > out/junit.xml
"""
UNITTEST = "import unittest\n\n\nclass It(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n"
NODE = "const test = require('node:test');\ntest('adds', () => {});\n"
SHORT = {"command_seconds": 1.5}


class Seen:
    """What the campaign left behind."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.rows = facts["rows"]

    def __getitem__(self, plugin: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rows[plugin]
        return found

    def suite(self, plugin: str, when: str) -> dict[str, Any]:
        """How our run of the tests ended, `base` or `head`."""
        proposal = json.loads(Path(self[plugin]["proposal"]).read_text(encoding="utf-8"))
        found: dict[str, Any] = proposal["verification"][when]
        return found


def fly(folder: Path) -> dict[str, Any]:
    with World(folder) as world, answering("101") as port:
        world.playbook("stamp", STAMP_AND_MORE)
        plugin = world.plugin
        plugin("green", {"test_it.py": GREEN}, test=PYTEST)
        plugin("red", {"test_it.py": RED}, test=PYTEST)
        plugin("empty", {"README.md": "no tests\n"}, test=PYTEST)
        plugin("flaky", {"test_it.py": ASKS.format(port=port)}, test=PYTEST, network="full")
        plugin("hangs", {"a": "a\n"}, test="sleep 100 & sleep 100", limits=SHORT)
        plugin("floods", {"a": "a\n"}, test="head -c 50000000 /dev/zero | tr '\\0' 'x'; echo >&2 end")
        work = plugin("uses-git", None, test=PYTEST)
        tagged(work, {"test_it.py": USES_GIT}, "v1.2.0")
        plugin("leaves", {"test_it.py": LEAVES, "data.json": "{}\n"}, test=PYTEST)
        plugin("breaks", {"test_it.py": BROKEN_BY_THE_STAMP}, test=PYTEST)
        plugin("unittest", {"test_it.py": UNITTEST}, test="python -m unittest")
        plugin("make", {"Makefile": "check:\n\t@sh -c 'test -f Makefile'\n"}, test="make check")
        plugin("shell", {"run-tests.sh": "echo fine\n"}, test="sh run-tests.sh")
        plugin("junit", {"check.sh": JUNIT}, test={"command": "sh check.sh", "junit": "out/junit.xml"})
        plugin("missing", {"a": "a\n"}, test="no-such-program --version")
        if shutil.which("node"):
            plugin("node", {"it.test.js": NODE}, test="node --test")
        done = world.run("stamp")
        assert "Traceback" not in done.err
        return {"rows": {row["plugin"]: row for row in done.json["tasks"]}}


BROKEN_BY_THE_STAMP = "from pathlib import Path\n\n\ndef test_it():\n    assert not Path('STAMP').exists()\n"


def tagged(work: Path, files: dict[str, str | bytes], tag: str) -> None:
    commit(work, files)
    git(work, "tag", "--annotate", "-m", tag, tag)
    git(work, "push", "--quiet", "origin", "main", "--tags")


@contextmanager
def answering(answers: str) -> Iterator[int]:
    """A port on loopback that gives each caller the next answer, the last one for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            waiting = list(answers)
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall((waiting.pop(0) if len(waiting) > 1 else waiting[0]).encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The campaign, flown once however many workers look at it."""
    return Seen(once(tmp_path_factory, "messy-suites", fly))


def test_a_suite_that_is_red_before_we_come_may_stay_as_red_as_it_was(seen: Seen) -> None:
    assert (seen["red"]["outcome"], seen["red"]["reason"]) == ("changed", "1 test was red before and is red still")


def test_a_flaky_test_stops_nothing_and_is_named(seen: Seen) -> None:
    assert seen["flaky"]["outcome"] == "changed"
    assert seen["flaky"]["reason"] == "all other tests are green; flaky, so not counted: test_it::test_it"


def test_an_empty_suite_is_green_and_called_empty(seen: Seen) -> None:
    assert (seen["empty"]["outcome"], seen["empty"]["reason"]) == ("changed", "the suite has no tests")


def test_what_the_change_breaks_is_named_and_not_published(seen: Seen) -> None:
    assert seen["breaks"]["outcome"] == "blocked"
    assert "passed before, does not pass now: test_it::test_it" in seen["breaks"]["reason"]
    assert seen["breaks"]["pull_request"] is None


def test_a_suite_that_hangs_is_ended_and_proves_nothing(seen: Seen) -> None:
    assert seen["hangs"]["outcome"] == "blocked"
    assert "did not end in time" in seen["hangs"]["reason"]
    assert seen.suite("hangs", "base")["timed_out"]
    assert seen["hangs"]["duration_ms"] < 20_000


def test_a_suite_that_floods_costs_neither_memory_nor_disk(seen: Seen) -> None:
    assert seen["floods"]["outcome"] == "changed"
    kept = sum(file.stat().st_size for file in Path(seen["floods"]["proposal"]).parent.rglob("*") if file.is_file())
    assert kept < 10_000_000
    [line, *_] = [line for line in trace_lines(seen["floods"]) if line["event"] == "command_run"]
    assert line["stdout_bytes"] == 50_000_000
    assert line["truncated"]


def test_a_suite_may_use_git_as_it_likes_and_sees_the_tags(seen: Seen) -> None:
    assert seen["uses-git"]["outcome"] == "changed", seen["uses-git"]["reason"]
    assert seen.suite("uses-git", "base")["passed"] == 1
    assert seen["uses-git"]["files"] == ["STAMP"]


def test_what_a_suite_leaves_behind_is_nobodys_change(seen: Seen) -> None:
    assert seen["leaves"]["outcome"] == "changed"
    assert seen["leaves"]["files"] == ["STAMP"]


@pytest.mark.parametrize(
    ("plugin", "passed", "per_test"),
    [
        ("green", 1, True),
        ("junit", 2, True),
        ("unittest", 1, False),
        ("make", 0, False),
        ("shell", 0, False),
        pytest.param("node", 1, False, marks=pytest.mark.skipif(not shutil.which("node"), reason="no node here")),
    ],
)
def test_every_runner_is_understood_as_far_as_it_tells(seen: Seen, plugin: str, passed: int, per_test: bool) -> None:
    head = seen.suite(plugin, "head")
    assert seen[plugin]["outcome"] == "changed", seen[plugin]["reason"]
    assert (head["exit_code"], head["passed"], head["per_test"]) == (0, passed, per_test)
    assert per_test or "seen by exit codes only" in seen[plugin]["reason"]


def test_a_test_command_that_is_not_there_is_called_that(seen: Seen) -> None:
    assert seen["missing"]["outcome"] == "blocked"
    assert "the test command cannot be run (exit code 127)" in seen["missing"]["reason"]


def trace_lines(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(row["trace"]).read_text(encoding="utf-8").splitlines()]
