"""`fleet-bot tunnel` as it is typed: what it costs, recorded runs, two playbooks side by side, what a certificate leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from greeting import ANSWERS, PROFILE, greet, plugins
from small_world import Done, World

from bot.windtunnel.certificate import read_certificate

TIMES = """
    ---
    id: greet_twice
    version: 1.0.0
    summary: Writes a greeting, and another one.
    allow_empty: true
    verification: {tests: none}
    pull_request: {title: Greet}
    ---
    Write a file HELLO with a greeting, and one more.
    """


@pytest.fixture
def world(tmp_path: Path) -> World:
    return greet(World(tmp_path))


def tunnel(world: World, *words: str) -> Done:
    return world.fleet_bot("tunnel", "greet", "--target", "0.5", "--out", str(world.out), *words)


def add(world: World, name: str, profile: str = PROFILE) -> None:
    """One more virtual plugin for the playbook."""
    folder = world.folder / "virtual_fleet" / name
    (folder / "answers").mkdir(parents=True)
    (folder / "profile.yaml").write_text(profile, encoding="utf-8")
    (folder / "answers" / "greet.yaml").write_text(ANSWERS, encoding="utf-8")


def certificates(world: World) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (world.playbooks / "certificates").glob("*.json")}


def test_a_dry_run_says_what_it_will_cost_and_can_prove_and_flies_nothing(world: World) -> None:
    with world:
        done = tunnel(world, "--model", "scripted", "--trials", "3", "--dry-run")
        assert done.code == 0
        assert "1 scenario: porch" in done.err
        assert "This plan cannot certify" in done.err
        assert not world.out.exists()
        assert not certificates(world)


def test_a_recorded_flight_flies_again_without_a_model_and_touches_no_other_certificate(world: World) -> None:
    with world:
        add(world, "yard")
        first = tunnel(world, "--model", "scripted", "--virtual", "porch", "--json")
        assert first.code == 0, first.err
        before = certificates(world)
        again = tunnel(world, "--model", f"replay:{world.out}", "--json")
        assert "Nothing was recorded on yard: left out." in again.err
        (row,), (was,) = again.json["scenarios"], first.json["scenarios"]
        assert (row["name"], row["passed"], row["trials"]) == ("porch", was["passed"], was["trials"])
        assert (again.code, again.json["verdict"]) == (0, "CERTIFIED")
        assert "speaks of a recorded run" in again.json["why"]
        assert certificates(world) == before | {
            "greet.virtual-gemini.replay.json": certificates(world)[Path(again.json["certificate"]).name]
        }


def test_one_recorded_run_counts_once_and_is_judged_by_the_rules_of_today(world: World) -> None:
    with world:
        assert tunnel(world, "--model", "scripted").code == 0
        (trace,) = world.out.glob("*/traces/porch/0/execution_trace.jsonl")
        alone = tunnel(world, "--model", f"replay:{trace}", "--json")
        assert (alone.code, alone.json["verdict"]) == (1, "INCONCLUSIVE")
        assert alone.json["scenarios"][0]["trials"] == 1
        rules = "expect:\n  - {id: only-bye, only: {of: {event: file_write}, allow: {path: BYE}}, severity: harm}\n"
        (world.playbooks / "greet.expect.yaml").write_text(rules, encoding="utf-8")
        now = tunnel(world, "--model", f"replay:{trace}", "--json")
        assert (now.json["verdict"], now.json["scenarios"][0]["failed_rules"]) == ("REJECTED", ["only-bye"])


def test_what_was_recorded_elsewhere_or_is_not_there_is_told(world: World, tmp_path: Path) -> None:
    with world:
        add(world, "yard")
        assert tunnel(world, "--model", "scripted", "--virtual", "porch").code == 0
        elsewhere = tunnel(world, "--model", f"replay:{world.out}", "--virtual", "yard")
        assert elsewhere.code == 2
        assert "There are runs on: porch." in elsewhere.err
        gone = tunnel(world, "--model", f"replay:{tmp_path / 'nothing'}")
        assert gone.code == 2
        assert "There is no trace" in gone.err


def test_two_playbooks_fly_on_the_same_scenarios_and_seeds(world: World) -> None:
    with world:
        world.playbook("greet_twice", TIMES)
        (world.playbooks / "greet_twice.expect.yaml").write_text(
            "expect:\n  - {id: twice, count: {of: {event: file_write}, min: 2}}\n", encoding="utf-8"
        )
        porch = world.folder / "virtual_fleet" / "porch"
        (porch / "profile.yaml").write_text(
            PROFILE + "  - {playbook: greet_twice, outcomes: [changed]}\n", encoding="utf-8"
        )
        (porch / "answers" / "greet_twice.yaml").write_text(ANSWERS, encoding="utf-8")
        done = tunnel(world, "--model", "scripted", "--against", "greet_twice", "--trials", "5", "--json")
        assert done.code == 0, done.err
        runs = done.json["runs"]
        assert (runs["both"], runs["first"], runs["second"]) == (0, 5, 0)
        told = tunnel(world, "--model", "scripted", "--against", "greet_twice", "--trials", "5")
        assert "5 pairs of trials a scenario, 10 trials of both playbooks in all" in told.err
        assert "twice" in told.err
        assert not certificates(world)


def test_what_a_comparison_can_cost_is_what_both_playbooks_can(world: World) -> None:
    with world:
        words = ["--dry-run", "--json", "--trials", "5"]
        alone = tunnel(world, *words)
        both = tunnel(world, "--against", str(world.playbooks / "greet.md"), *words)
        assert (alone.code, both.code) == (0, 0)
        assert (alone.json["most"], both.json["pairs"], both.json["trials"]) == (5, 5, 10)
        assert both.json["cost_usd"] == 2 * alone.json["cost_usd"] > 0
        assert f"at most ${both.json['cost_usd']:,.2f}" in both.err
        assert not world.out.exists()


def test_a_certificate_that_leaves_scenarios_out_says_so_on_the_pull_request(world: World) -> None:
    with world:
        add(world, "yard")
        world.script("porch", "greet", ANSWERS)
        plugins(world, "one", "two")
        flown = tunnel(world, "--virtual", "porch", "--json")
        assert flown.code == 0, flown.err
        cleared = world.fleet_bot("plan", "greet", "--json").json["certificate"]
        assert (cleared["valid"], cleared["not_flown"]) == (True, ["yard"])
        done = world.run("greet")
        assert done.code == 0, done.err
        assert "does not speak of yard: not flown" in world.proposal(done.task("one"))["body"]


def test_a_flight_over_a_part_leaves_the_certificate_over_all_in_its_place(world: World) -> None:
    with world:
        add(world, "yard")
        whole = tunnel(world, "--model", "scripted", "--json")
        assert (whole.code, whole.json["wider"]) == (0, None)
        before = certificates(world)
        part = tunnel(world, "--model", "scripted", "--virtual", "porch", "--trials", "1", "--json")
        assert (part.code, part.json["verdict"], part.json["certificate"]) == (1, "INCONCLUSIVE", None)
        assert part.json["wider"] == whole.json["certificate"]
        assert certificates(world) == before
        told = tunnel(world, "--model", "scripted", "--virtual", "porch")
        assert told.code == 0
        assert "No certificate was filed for a part of the scenarios" in told.err
        assert certificates(world) == before


def test_a_stale_certificate_over_all_gives_way_to_one_over_a_part(world: World) -> None:
    with world:
        add(world, "yard")
        whole = tunnel(world, "--model", "scripted", "--json")
        profile = world.folder / "virtual_fleet" / "yard" / "profile.yaml"
        profile.write_text(PROFILE.replace("# here", "# there"), encoding="utf-8")
        part = tunnel(world, "--model", "scripted", "--virtual", "porch", "--json")
        assert part.json["certificate"] == whole.json["certificate"]
        assert list(read_certificate(Path(part.json["certificate"])).virtual_plugins) == ["porch"]


def test_a_virtual_plugin_that_the_playbook_does_not_fly_on_is_named(world: World) -> None:
    with world:
        add(world, "yard", PROFILE[: PROFILE.index("scenarios:")])
        done = tunnel(world, "--model", "scripted", "--virtual", "yard", "--virtual", "porch")
        assert done.code == 2
        assert "There is no scenario of greet with answers for a scripted model on yard." in done.err
        assert not certificates(world)


def test_scenarios_without_a_materialised_twin_are_named(world: World) -> None:
    with world:
        done = tunnel(world, "--model", "scripted", "--twins", "--json")
        assert done.code == 0, done.err
        assert done.json["without_twin"] == [{"scenario": "porch", "why": "it has none"}]
        told = tunnel(world, "--model", "scripted", "--twins")
        assert "porch: no materialised twin was flown: it has none" in told.err
