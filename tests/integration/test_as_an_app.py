"""A whole campaign as a GitHub App: no token at all, one of our own for each repository, check runs on pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_keys import key_pair
from small_playbooks import STAMP
from small_world import World

from bot.forge.app import READING, WRITING, WRITING_WORKFLOWS

ENV = {"GITHUB_TOKEN": "", "GH_TOKEN": "", "FLEET_BOT_APP_ID": "4711", "FLEET_BOT_APP_PRIVATE_KEY": key_pair()[0]}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.playbook("stamp", STAMP)
        for name in ("a", "b"):
            world.plugin(name, {"README.md": f"{name}\n"}, remote={"private": True})
        world.github.add_app("4711", "fleet-app", key_pair()[1], ("acme/a", "acme/b"), dict(WRITING))
        yield world


def issued(world: World) -> list[tuple[str | None, dict[str, str] | None]]:
    """For which repository, and with which rights, tokens were given out."""
    return [(one.only, one.rights) for one in world.github.hub.people.values() if one.rights is not None]


def test_each_repository_gets_tokens_of_its_own_and_proposing_only_reads(world: World) -> None:
    done = world.run("stamp", env=ENV)
    assert done.code == 0, done.err
    tokens = issued(world)
    assert sorted(repo or "" for repo, _ in tokens) == ["acme/a", "acme/a", "acme/b", "acme/b"]
    assert [rights for _, rights in tokens].count(dict(READING)) == 2
    for name in ("a", "b"):
        repository = world.github.hub.store.get(f"acme/{name}")
        (issue,) = repository.issues.values()
        assert issue.author == "fleet-app[bot]"
        (run,) = repository.check_runs
        assert (run.name, run.conclusion, repository.statuses) == ("fleet-bot/gate", "success", ())


def test_proposing_alone_never_asks_for_a_token_that_writes(world: World) -> None:
    assert world.fleet_bot("propose", "stamp", "--out", str(world.out), env=ENV).code == 0
    assert {tuple(sorted((rights or {}).items())) for _, rights in issued(world)} == {tuple(sorted(READING.items()))}


def test_only_a_playbook_that_opens_workflows_is_published_with_a_token_that_writes_them(world: World) -> None:
    world.github.add_app("4711", "fleet-app", key_pair()[1], ("acme/a", "acme/b"), dict(WRITING_WORKFLOWS))
    workflow = f"acme/fleet-bot/.github/workflows/campaign.yml@{'0' * 40}"
    done = world.run("add_fix_workflow", "a", "--var", f"workflow={workflow}", env=ENV)
    assert done.code == 0, done.err
    assert done.task("a")["outcome"] == "changed"
    assert world.run("stamp", "b", env=ENV).code == 0
    assert [repo for repo, rights in issued(world) if "workflows" in (rights or {})] == ["acme/a"]


def test_twice_changes_nothing(world: World) -> None:
    for _ in range(2):
        assert world.run("stamp", env=ENV).code == 0
    assert [len(world.github.hub.store.get(f"acme/{name}").check_runs) for name in ("a", "b")] == [1, 1]
    assert [len(world.github.hub.store.get(f"acme/{name}").issues) for name in ("a", "b")] == [1, 1]


def test_a_plugin_that_the_app_is_not_installed_on_does_not_stop_the_others(world: World) -> None:
    world.plugin("c", {"README.md": "c\n"}, remote={"private": True})
    done = world.run("stamp", env=ENV)
    assert done.code == 1
    assert "not installed on acme/c" in done.task("c")["reason"]
    assert done.task("a")["outcome"] == "changed"


def test_half_an_app_is_a_mistake(world: World) -> None:
    done = world.run("stamp", env=ENV | {"FLEET_BOT_APP_ID": ""})
    assert done.code == 2
    assert "Set both FLEET_BOT_APP_ID and FLEET_BOT_APP_PRIVATE_KEY" in done.err


def test_neither_key_nor_tokens_are_in_anything_that_is_left_behind(world: World) -> None:
    done = world.run("stamp", env=ENV)
    secrets = [token for token in world.github.hub.people if token.startswith("ghs_")]
    secrets += [line for line in key_pair()[0].splitlines() if len(line) > 40]
    assert len(secrets) > 4
    left = [file.read_text("utf-8", "replace") for file in world.out.rglob("*") if file.is_file()]
    for secret in secrets:
        assert not any(secret in text for text in (*left, done.out, done.err))
