"""The full trace at a ref of the plugin's own repository: found by what the comment says, verified, and never worth more
than the pull request.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_playbooks import EDIT, EDITS_A, STAMP
from small_plugins import pulls
from small_world import World

from bot.cli.main import run
from bot.virtual.github.faults import Fault


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.playbook("edit", EDIT)
        world.playbook("stamp", STAMP)
        world.plugin("a", {"a": "old\n"}, keep_trace=True)
        world.script("a", "edit", EDITS_A)
        yield world


def kept(world: World, name: str = "a") -> dict[str, str]:
    """Ref → commit of all traces in the repository."""
    command = ["git", f"--git-dir={world.bare(name)}", "for-each-ref", "--format=%(refname) %(objectname)"]
    rows = subprocess.run([*command, "refs/fleet-bot"], capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(row.split(" ") for row in rows)


def comment(world: World) -> str:
    (found,) = pulls(world, "a")[0].get_issue_comments()
    return str(found.body)


def test_the_command_in_the_comment_brings_a_trace_that_verifies(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("edit").code == 0
    (ref,) = kept(world)
    assert re.fullmatch(r"refs/fleet-bot/traces/edit-[0-9a-f]{6}-a-[0-9a-f]{12}", ref)
    (command,) = re.findall(r"`(git fetch .*?)`", comment(world))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(world.bare("a")), str(clone)], check=True)
    subprocess.run(command, shell=True, cwd=clone, check=True)
    capsys.readouterr()
    assert run(["trace", "verify", str(clone / "trace")]) == 0
    assert "held against the seal of the proposal beside it" in capsys.readouterr().out


def test_an_ordinary_clone_does_not_carry_it(world: World, tmp_path: Path) -> None:
    assert world.run("edit").code == 0
    subprocess.run(["git", "clone", "--quiet", str(world.bare("a")), str(tmp_path / "clone")], check=True)
    refs = subprocess.run(["git", "for-each-ref"], cwd=tmp_path / "clone", capture_output=True, text=True, check=True)
    assert "traces" not in refs.stdout


def test_publishing_again_changes_nothing_and_the_journal_says_where_it_is(world: World) -> None:
    done = world.run("edit")
    first, said = kept(world), comment(world)
    assert world.fleet_bot("publish", str(world.out)).code == 0
    assert (kept(world), comment(world)) == (first, said)
    journal = Path(done.task("a")["trace"]).with_name("publish_trace.jsonl").read_text(encoding="utf-8")
    events = [json.loads(line) for line in journal.splitlines()]
    assert {"ref": next(iter(first)), "sha": next(iter(first.values()))}.items() <= next(
        event.items() for event in events if event["event"] == "trace_kept"
    )


def test_where_nobody_asks_for_it_nothing_is_kept(world: World) -> None:
    world.plugin("b", {"a": "old\n"})
    world.script("b", "edit", EDITS_A)
    assert world.run("edit", "b").code == 0
    assert kept(world, "b") == {}


def test_a_forge_that_refuses_it_costs_a_warning_and_not_the_pull_request(world: World) -> None:
    settings = ["git", f"--git-dir={world.bare('a')}", "config", "receive.hideRefs"]
    subprocess.run([*settings, "refs/fleet-bot"], check=True)
    done = world.run("edit")
    assert done.code == 0
    assert "The trace was not kept in the repository" in done.task("a")["reason"]
    assert kept(world) == {}
    assert "is kept in this repository" not in comment(world)
    subprocess.run([*settings[:3], "--unset", *settings[3:]], check=True)
    assert world.fleet_bot("publish", str(world.out)).code == 0
    assert len(kept(world)) == 1
    assert "is kept in this repository" in comment(world)


def test_an_outage_in_between_ends_the_same_when_it_is_published_again(world: World) -> None:
    world.github.faults.add(Fault(method="POST", path="*/comments", status=503, times=20))
    world.run("edit")
    world.github.faults.clear()
    assert world.fleet_bot("publish", str(world.out)).code == 0
    assert len(kept(world)) == 1
    assert "is kept in this repository" in comment(world)


def test_what_looks_like_a_secret_stays_here(world: World) -> None:
    done = world.run("edit", "--dry-run")
    folder = Path(done.task("a")["trace"]).parent
    (folder / "blobs").mkdir(exist_ok=True)
    (folder / "blobs" / ("0" * 64)).write_text("ghp_" + "S3cretS3cretS3cretS3cretS3cretS3cret", encoding="utf-8")
    assert world.fleet_bot("publish", str(world.out)).code == 0
    assert kept(world) == {}
    assert len(pulls(world, "a")) == 1


def test_a_plugin_in_a_folder_keeps_it_too(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.playbook("stamp", STAMP)
        place = tmp_path / "here"
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(place)], check=True)
        subprocess.run(["git", "commit", "--quiet", "--allow-empty", "-m", "first"], cwd=place, check=True)
        world.entries.append({"name": "here", "repo": str(place), "keep_trace": True})
        assert world.run("stamp").code == 0
        refs = subprocess.run(["git", "for-each-ref", "refs/fleet-bot"], cwd=place, capture_output=True, check=True)
        assert refs.stdout.count(b"\n") == 1
