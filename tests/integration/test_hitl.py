"""`--hitl`: a person at a real terminal decides about each command and write, and about publishing."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from small_playbooks import EDIT, STAMP
from small_world import World

WORK = """
    rules:
      - when: {step: 0}
        calls: [{read_file: {path: a}}, {edit_file: {path: a, old: old, new: new}}]
      - when: {result: {tool: edit_file, contains: not that word}}
        calls: [{edit_file: {path: a, old: old, new: better}}]
      - when: {result: {tool: edit_file, contains: edited a}}
        calls: [{run_shell_command: {command: "touch b"}}]
      - {say: Done.}
    """
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[a-zA-Z]|[78=>])")
CHOICE = "[y]es, [n]o"


class Terminal:
    """A command on a pseudo-terminal, and the person before it."""

    def __init__(self, world: World, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bot", *world.words(*words)],
            env=dict(os.environ) | world.environ | {"TERM": "xterm", "COLUMNS": "200"},
            cwd=world.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def until(self, words: str, seconds: float = 40) -> str:
        """Wait until the words are shown; what was shown since the last time."""
        deadline = time.monotonic() + seconds
        while words not in self.shown[self._read :]:
            assert time.monotonic() < deadline, self.shown
            assert self._more(), self.shown
        end = self.shown.index(words, self._read) + len(words)
        part, self._read = self.shown[self._read : end], end
        return part

    def answer(self, words: str, choice: str = CHOICE) -> str:
        """Wait to be asked, answer, and say what was asked."""
        asked = self.until(choice)
        os.write(self._ours, f"{words}\n".encode())
        return asked

    def end(self) -> int:
        """Wait until it is over; the exit code."""
        while self._more():
            pass
        return self._process.wait(20)

    def _more(self) -> bool:
        if not select.select([self._ours], [], [], 40)[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.shown += _ESCAPES.sub("", data.decode("utf-8", "replace")).replace("\r", "")
        return bool(data)


def row(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world.out / "report.json").read_text(encoding="utf-8"))["tasks"][0]
    return found


def events(world: World, name: str) -> list[dict[str, Any]]:
    lines = Path(row(world)["trace"]).read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == name]


def start(world: World) -> Terminal:
    world.playbook("edit", EDIT)
    world.plugin("calc", {"a": "old\n"})
    world.script("calc", "edit", WORK)
    return Terminal(world, "run", "edit", "--out", str(world.out), "--hitl")


def test_yes_and_a_no_whose_reason_reaches_the_model_and_yes_to_publishing(world: World) -> None:
    with start(world) as person:
        asked = person.answer("n")
        assert "edit_file in calc" in asked
        assert "-old" in asked
        assert "+new" in asked
        person.answer("not that word", "Why not?")
        assert "+better" in person.answer("y")
        assert "$ touch b" in person.answer("y")
        asked = person.answer("y")
        assert "Publish 1 proposal" in asked
        assert "calc: Words" in asked
        assert person.end() == 0, person.shown
    [pull] = [issue for issue in world.github.hub.store.get("acme/calc").issues.values() if issue.pull is not None]
    assert pull.title == "Words"
    assert world.show("calc", row(world)["branch"], "a") == b"better\n"
    assert [(e["allowed"], e["reason"]) for e in events(world, "approval_asked")] == [
        (False, "not that word"),
        (True, ""),
        (True, ""),
    ]
    [refused] = events(world, "guard_refused")
    assert (refused["by"], refused["message"]) == ("person", "not that word")


def test_all_from_here_asks_only_before_publishing(world: World) -> None:
    with start(world) as person:
        person.answer("a")
        assert "Publish 1 proposal" in person.answer("y")
        assert person.end() == 0, person.shown
        assert person.shown.count(CHOICE) == 2
    assert row(world)["pull_request"]["number"] == 1


def test_stop_ends_the_run_and_publishes_nothing(world: World) -> None:
    with start(world) as person:
        person.answer("s")
        assert person.end() == 1, person.shown
    assert row(world)["outcome"] == "blocked"
    assert "person stopped the run" in row(world)["reason"]
    assert world.github.hub.store.get("acme/calc").issues == {}


def test_no_to_publishing_keeps_the_proposals_for_later(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"a": "a\n"})
    with Terminal(world, "run", "stamp", "--out", str(world.out), "--hitl") as person:
        assert "$ echo stamped > STAMP" in person.answer("y")
        person.answer("n")
        assert person.end() == 0, person.shown
    assert world.github.hub.store.get("acme/a").issues == {}
    assert world.fleet_bot("publish", str(world.out), "--json").json["totals"] == {"changed": 1}


def test_without_a_terminal_it_refuses_to_start(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"a": "a\n"})
    done = world.process("run", "stamp", "--out", str(world.out), "--hitl")
    assert done.code == 3
    assert "there is no terminal to ask on" in done.err
    assert not world.out.exists()
    assert len(world.github.requests) == 0
