"""The edges of a whole run: where results go, who pays, what a person stops, where a repository lives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_world import KEY, TOKEN, World

STAMP = """
    ---
    id: stamp
    version: 1.0.0
    summary: Put a stamp into every plugin.
    mode: script
    script: echo stamped > STAMP
    pull_request: {title: Stamp, body: A stamp.}
    ---
    """
EDIT = """
    ---
    id: edit
    version: 1.0.0
    summary: Changes a word.
    mode: agent
    pull_request: {title: Words, body: Words.}
    ---
    Change the word old to new.
    """
QUICK = """
    rules:
      - {when: {step: 0}, calls: [{edit_file: {path: a, old: old, new: new}}]}
      - {say: Done.}
    """


@pytest.mark.parametrize("place", ["a file", "nowhere"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(world: World, place: str) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    (world.folder / "taken").write_text("in the way", encoding="utf-8")
    out = world.folder / "taken" / "out" if place == "a file" else Path("/proc/nope")
    for command in ("propose", "run"):
        done = world.fleet_bot(command, "stamp", "--out", str(out))
        assert done.code == 2
        assert str(out) in done.err
        assert "Choose another folder" in done.err
    assert not world.github.requests


def test_a_process_that_hides_its_secrets_still_has_them(world: World) -> None:
    world.playbook("edit", EDIT)
    world.plugin("a", {"a": "old\n"}, remote={"private": True})
    world.script("a", "edit", QUICK)
    done = world.process("run", "edit", "--out", str(world.out), "--json")
    assert done.code == 0, done.err
    assert done.task("a")["pull_request"]["number"] == 1
    assert json.loads(done.out)["totals"] == {"changed": 1}
    assert TOKEN not in done.err
    assert KEY not in done.err


def test_a_key_on_the_command_line_wins_over_the_environment(world: World) -> None:
    world.playbook("edit", EDIT)
    world.plugin("a", {"a": "old\n"})
    world.script("a", "edit", QUICK)
    done = world.process(
        "propose", "edit", "--out", str(world.out), "--json", "--api-key", KEY, env={"GEMINI_API_KEY": "wrong"}
    )
    assert done.code == 0, done.err
