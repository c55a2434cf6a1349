"""The edges of a whole run: where results go, who pays, what a person stops, where a repository lives."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from small_playbooks import EDIT, EDITS_A, STAMP
from small_world import KEY, TOKEN, Done, World


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
    world.script("a", "edit", EDITS_A)
    done = world.process("run", "edit", "--out", str(world.out), "--json")
    assert done.code == 0, done.err
    assert done.task("a")["pull_request"]["number"] == 1
    assert json.loads(done.out)["totals"] == {"changed": 1}
    assert TOKEN not in done.err
    assert KEY not in done.err


def test_a_key_on_the_command_line_wins_over_the_environment(world: World) -> None:
    world.playbook("edit", EDIT)
    world.plugin("a", {"a": "old\n"})
    world.script("a", "edit", EDITS_A)
    done = world.process(
        "propose", "edit", "--out", str(world.out), "--json", "--api-key", KEY, env={"GEMINI_API_KEY": "wrong"}
    )
    assert done.code == 0, done.err


def at_a_terminal(world: World, typed: str, *words: str) -> Done:
    """Run the command with a person at a terminal who types ahead."""
    master, slave = pty.openpty()
    os.write(master, typed.encode())
    with os.fdopen(master, "rb"), os.fdopen(slave, "r+b", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bot", *world.words(*words, "--out", str(world.out), "--json")],
            env=dict(os.environ) | world.environ | {"TERM": "xterm"},
            cwd=world.folder,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            text=True,
            timeout=120,
        )
        shown = os.read(master, 1 << 16).decode(errors="replace").replace("\r\n", "\n")
    return Done(done.returncode, done.stdout, shown)


def test_a_person_who_says_stop_ends_the_campaign_and_nothing_is_published(world: World) -> None:
    world.playbook("stamp", STAMP)
    for name in "abc":
        world.plugin(name, {"README.md": f"{name}\n"})
    done = at_a_terminal(world, "a\ns\n", "run", "stamp", "--hitl")
    assert done.code == 1, done.err
    outcomes = {row["plugin"]: (row["outcome"], row["reason"]) for row in done.json["tasks"]}
    assert outcomes["a"][0] == "changed"
    assert outcomes["b"] == ("blocked", "A person refused the script. stopped by the person at the terminal")
    assert outcomes["c"] == ("skipped", "Not begun: stopped by the person at the terminal.")
    assert f"fleet-bot publish {world.out}" in done.err
    assert "Publish 1 proposals?" not in done.err
    assert "\x1b[1A" not in done.err, "a live table paints over the question"
    again = at_a_terminal(world, "y\ny\ny\n", "run", "stamp", "--hitl")
    assert again.code == 0, again.err
    assert again.json["totals"] == {"changed": 3}
    assert "Publish 3 proposals?" in again.err


def test_a_plugin_on_another_server_stops_only_itself(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.entries.append({"name": "a", "repo": "https://gitlab.example/acme/a"})
    world.plugin("b", {"README.md": "b\n"})
    done = world.run("stamp")
    assert done.code == 1
    assert done.task("a")["outcome"] == "error"
    assert "is not on" in done.task("a")["reason"]
    assert "Write `repo` as" in done.task("a")["reason"]
    assert done.task("b")["outcome"] == "changed"


def test_a_campaigns_budget_blocks_what_is_under_way_and_skips_what_is_not_begun(world: World) -> None:
    world.playbook("edit", EDIT)
    for name in "abc":
        world.plugin(name, {"a": "old\n"})
        world.script(name, "edit", EDITS_A)
    done = world.fleet_bot("run", "edit", "--out", str(world.out), "--json", "--jobs", "1", "--budget", "0.000001")
    assert done.code == 1
    outcomes = {row["plugin"]: (row["outcome"], row["reason"]) for row in done.json["tasks"]}
    assert outcomes["a"][0] == "blocked"
    assert outcomes["a"][1].startswith("The campaign's $1e-06 are spent.")
    assert {outcomes[name][0] for name in "bc"} == {"skipped"}
    assert outcomes["b"][1].startswith("Not begun: The campaign's $1e-06 are spent.")
    world.settings["campaign"] = {"cost_usd": 5}
    assert world.run("edit").json["totals"] == {"changed": 3}


def test_a_command_that_asks_no_model_looks_for_no_key(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.run("stamp", "--dry-run")
    (world.folder / ".env").write_bytes(b"GEMINI_API_KEY=\xff")
    assert world.fleet_bot("plan", "stamp", "--json").code == 0
    assert world.fleet_bot("publish", str(world.out), "--json").code == 0
    done = world.run("stamp")
    assert done.code == 2
    assert "not UTF-8" in done.err


def test_a_scratch_folder_whose_name_has_a_space_and_an_umlaut_breaks_nothing(world: World, tmp_path: Path) -> None:
    scratch = tmp_path / "Übung 1"
    scratch.mkdir()
    world.playbook("stamp", STAMP)
    test = "def test_it():\n    assert True\n"
    world.plugin("a", {"test_a.py": test}, setup="python -c 'import sys; print(sys.prefix)'", test="pytest -q")
    done = world.process("run", "stamp", "--out", str(world.out), "--json", env={"TMPDIR": str(scratch)}, timeout=300)
    assert done.code == 0, done.err
    verification = world.proposal(done.task("a"))["verification"]
    assert verification["head"]["passed"] == 1
    assert verification["head"]["per_test"]
    assert list(scratch.iterdir()) == []
