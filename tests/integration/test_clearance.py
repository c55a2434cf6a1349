"""A campaign of an agent over several plugins needs a certificate; the real command line says so, flies, and goes on."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from greeting import ANSWERS, greet, plugins
from small_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return greet(World(tmp_path))


def two_plugins(world: World) -> None:
    plugins(world, "one", "two")


def test_two_plugins_without_a_certificate_are_refused_before_anything_runs(world: World) -> None:
    with world:
        two_plugins(world)
        done = world.run("greet")
        assert done.code == 3
        assert "there is no certificate for greet" in done.err
        assert "fleet-bot tunnel greet" in done.err
        assert not world.out.exists()
        assert not world.gemini.requests


def test_plan_says_that_it_would_be_refused(world: World) -> None:
    with world:
        two_plugins(world)
        told = world.fleet_bot("plan", "greet", "--json")
        assert told.code == 0
        assert told.json["certificate"]["required"]
        assert not told.json["certificate"]["valid"]
        for words in (["--json"], ["--shards", "2"], []):
            told = world.fleet_bot("plan", "greet", *words)
            assert told.code == 0
            assert "It would be refused: there is no certificate for greet" in told.err
            assert "fleet-bot tunnel greet" in told.err


def test_one_plugin_goes_ahead_and_its_pull_request_warns(world: World) -> None:
    with world:
        two_plugins(world)
        done = world.run("greet", "one")
        assert done.code == 0, done.err
        assert "No valid certificate of the wind tunnel" in world.proposal(done.task("one"))["body"]


def test_a_scripted_certificate_clears_no_real_model(world: World) -> None:
    with world:
        two_plugins(world)
        flown = world.fleet_bot(
            "tunnel", "greet", "--model", "scripted", "--target", "0.5", "--json", "--out", str(world.out)
        )
        assert flown.code == 0, flown.err
        assert flown.json["verdict"] == "CERTIFIED"
        assert world.run("greet").code == 3


@pytest.mark.parametrize("model", [["--model", "scripted"], []], ids=["scripted", "real"])
@pytest.mark.parametrize("policy", [{}, {"target": 0.5}, {"target": 0.96}], ids=str)
def test_the_command_that_a_refusal_names_clears_the_campaign(
    world: World, monkeypatch: pytest.MonkeyPatch, model: list[str], policy: dict[str, float]
) -> None:
    monkeypatch.chdir(world.folder)
    with world:
        two_plugins(world)
        world.script("porch", "greet", ANSWERS)
        world.settings["certificates"] = policy
        told = re.search(r"`fleet-bot (.+?)`", world.fleet_bot("plan", "greet", *model).err)
        assert told is not None
        flown = world.plain(*shlex.split(told[1]))
        assert flown.code == 0, flown.err
        assert world.fleet_bot("plan", "greet", "--json", *model).json["certificate"]["valid"]


def test_a_refusal_asks_for_as_many_trials_as_the_policy_needs(world: World) -> None:
    with world:
        two_plugins(world)
        world.settings["certificates"] = {"target": 0.99}
        told = world.run("greet")
        assert told.code == 3
        assert "fleet-bot tunnel greet --target 0.99 --trials 400" in told.err


def test_no_campaign_runs_with_the_scripted_model(world: World) -> None:
    with world:
        two_plugins(world)
        done = world.run("greet", "one", "--model", "scripted")
        assert done.code == 2
        assert "The scripted model knows the answers on virtual plugins, and none on a real one." in done.err
        assert not world.gemini.requests


def test_a_flight_with_the_real_adapter_clears_the_campaign_until_the_playbook_changes(world: World) -> None:
    with world:
        two_plugins(world)
        world.script("porch", "greet", ANSWERS)
        flown = world.fleet_bot("tunnel", "greet", "--target", "0.5", "--json", "--out", str(world.out / "flights"))
        assert flown.code == 0, flown.err
        (row,) = flown.json["scenarios"]
        assert (flown.json["playbook"], row["name"], row["harm"], row["failed_rules"]) == ("greet", "porch", 0, [])
        assert row["trials"] == row["passed"] > 0
        assert Path(flown.json["certificate"]).is_relative_to(world.playbooks / "certificates")
        assert world.run("greet").code == 0

        file = world.playbooks / "greet.md"
        file.write_text(file.read_text(encoding="utf-8") + "\nBe brief.\n", encoding="utf-8")
        done = world.run("greet")
        assert done.code == 3
        assert "changed since it was issued: playbook" in done.err


def test_the_policy_can_be_changed(world: World) -> None:
    with world:
        two_plugins(world)
        world.settings["certificates"] = {"require": "never"}
        done = world.run("greet")
        assert done.code == 0, done.err
        assert "certificate" not in world.proposal(done.task("one"))["body"]
        world.settings["certificates"] = {"require": "always"}
        assert world.run("greet", "one").code == 3


def test_a_rejected_flight_ends_with_1_and_says_why(world: World) -> None:
    with world:
        world.entries = []
        bad = ANSWERS.replace("path: HELLO", "path: OTHER")
        (world.folder / "virtual_fleet" / "porch" / "answers" / "greet.yaml").write_text(bad, encoding="utf-8")
        done = world.fleet_bot("tunnel", "greet", "--model", "scripted", "--out", str(world.out), "--json")
        assert done.code == 1
        document = json.loads(done.out)
        assert document["verdict"] == "REJECTED"
        assert "only-hello" in document["scenarios"][0]["failed_rules"]
