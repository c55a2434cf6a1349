"""After real runs: how like the certified trials they were, on the pull request and on cards that make a certificate stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from greeting import ANSWERS, greet, plugins
from small_plugins import pulls
from small_world import Done, World

from bot.task.store import TRACE
from bot.windtunnel.fidelity_card import FEWEST_RUNS, card_file

OTHERWISE = """
rules:
  - when: {step: 0}
    calls: [{run_shell_command: {command: "ls"}}, {run_shell_command: {command: "pwd"}}]
  - when: {step: 1}
    calls: [{run_shell_command: {command: "date"}}, {run_shell_command: {command: "uname"}}]
  - when: {step: 2}
    calls: [{run_shell_command: {command: "env"}}, {run_shell_command: {command: "id"}}]
  - when: {step: 3}
    calls: [{write_file: {path: HELLO, content: "hello\\n"}}]
  - when: {result: {tool: write_file}}
    say: Done.
"""
RUNS = tuple(f"odd{number}" for number in range(FEWEST_RUNS))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A playbook that is certified on the virtual plugin `porch`, with the model that the plugins get."""
    with greet(World(tmp_path)) as world:
        world.script("porch", "greet", ANSWERS)
        flown = world.fleet_bot("tunnel", "greet", "--target", "0.5", "--json", "--out", str(tmp_path / "flights"))
        assert flown.code == 0, flown.err
        yield world


def tunnel_row(world: World, plugin: str) -> str:
    """What the trace comment says of the wind tunnel."""
    (comment,) = pulls(world, plugin)[0].get_issue_comments()
    return next((line for line in comment.body.splitlines() if line.startswith("| Wind tunnel")), "")


def fidelity(world: World, *words: str) -> Done:
    return world.fleet_bot("fidelity", str(world.out), "--json", *words)


def test_a_run_that_went_as_it_was_flown_stayed_inside(world: World) -> None:
    plugins(world, "one", "two")
    assert world.run("greet").code == 0
    assert "stayed inside what was certified (fidelity 1.00 to porch)" in tunnel_row(world, "one")
    found = fidelity(world)
    assert (found.code, found.json["recorded"], found.json["stale"]) == (0, 2, [])
    (standing,) = found.json["standings"][certificate(world)]
    assert (standing["virtual_plugin"], standing["runs"], standing["fidelity"]) == ("porch", 2, 1.0)
    assert standing["agreement"] == 1.0


def test_a_run_that_went_another_way_says_what_no_certified_run_did(world: World) -> None:
    plugins(world, "odd", answers=OTHERWISE)
    done = world.run("greet", "odd")
    assert done.code == 0, done.err
    row = tunnel_row(world, "odd")
    assert "left what was certified" in row
    assert "command ls passes, command pwd passes, command date passes and 3 more" in row


def test_enough_runs_that_went_another_way_make_the_certificate_stale(world: World) -> None:
    plugins(world, *RUNS, answers=OTHERWISE)
    assert world.run("greet").code == 0
    found = fidelity(world)
    assert found.code == 1
    assert found.json["stale"] == [certificate(world)]
    (standing,) = found.json["standings"][certificate(world)]
    assert standing["only_real"][0].startswith("command ")
    again = world.run("greet")
    assert again.code == 3
    assert "stale, because 3 real runs were too unlike its trials on porch" in again.err
    assert "Teach the virtual plugin what `fleet-bot fidelity` lists" in again.err
    world.settings["certificates"] = {"fidelity": 0}
    assert world.run("greet").code == 0


def test_a_run_counts_once_and_a_dry_run_writes_nothing(world: World) -> None:
    plugins(world, "one")
    assert world.run("greet").code == 0
    card = card_file(world.playbooks, "porch")
    assert (fidelity(world, "--dry-run").json["recorded"], card.exists()) == (0, False)
    assert fidelity(world).json["recorded"] == 1
    first = card.read_bytes()
    assert (fidelity(world).json["recorded"], card.read_bytes()) == (0, first)


def test_without_a_valid_certificate_nothing_is_compared_and_the_reason_is_told(world: World) -> None:
    plugins(world, "one")
    for file in (world.playbooks / "certificates").glob("*.json"):
        file.unlink()
    assert world.run("greet").code == 0
    assert tunnel_row(world, "one") == ""
    (run,) = fidelity(world).json["runs"]
    assert run["likeness"] is None
    assert "there is no certificate for greet" in run["reason"]


def test_a_certificate_whose_ways_are_rubbish_compares_with_nothing_and_publishing_goes_on(world: World) -> None:
    plugins(world, "one")
    (file,) = (world.playbooks / "certificates").glob("*.json")
    document = json.loads(file.read_text(encoding="utf-8"))
    document["scenarios"][0]["ways"] = [["rm -rf /"]]
    file.write_text(json.dumps(document), encoding="utf-8")
    done = world.run("greet")
    assert done.code == 0, done.err
    assert tunnel_row(world, "one") == ""


def test_an_empty_folder_is_a_mistake(world: World, tmp_path: Path) -> None:
    done = world.fleet_bot("fidelity", str(tmp_path / "nothing"))
    assert done.code == 2
    assert "There is no proposal below" in done.err


def test_what_is_told_to_people(world: World) -> None:
    plugins(world, "odd", answers=OTHERWISE)
    done = world.run("greet", "odd")
    assert Path(done.task("odd")["trace"]).name == TRACE
    told = world.fleet_bot("fidelity", str(world.out))
    assert told.code == 0
    assert "has to learn: command" in " ".join(told.err.split())
    assert "too few to count (under 3)" in " ".join(told.err.split())


def certificate(world: World) -> str:
    """The name of the one certificate."""
    (file,) = (world.playbooks / "certificates").glob("*.json")
    return file.stem
