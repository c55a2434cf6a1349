"""Tokens of an App: for one repository, least permissions, renewed in time; by real HTTP at the virtual GitHub."""

from __future__ import annotations

import pytest
from app_keys import key_pair

from bot.base.errors import ConfigurationError, FleetBotError, ForgeError, TaskBlocked
from bot.base.git import GitDir, ls_remote
from bot.forge.app import READING, WRITING, WRITING_WORKFLOWS, AppTokens
from bot.forge.client import AppKey
from bot.forge.github import GitHubForge

REPO = "acme/widget"


@pytest.fixture
def world(github_world):
    github_world.github.add_app("4711", "fleet-app", key_pair()[1], (REPO,), dict(WRITING))
    return github_world


def tokens(world, *, app_id: str = "4711", key: str | None = None) -> AppTokens:
    app = AppKey(id=app_id, key=key if key is not None else key_pair()[0])
    github = world.github
    return AppTokens(app, api_url=github.api_url, server_url=github.url, clock=world.clock)


def forge(world, permissions) -> GitHubForge:
    token = tokens(world).token(REPO, permissions)
    github = world.github
    return GitHubForge(token=token, api_url=github.api_url, server_url=github.url, clock=world.clock, app=True)


def test_a_token_for_reading_reads_and_cannot_write(world):
    reading = forge(world, READING)
    assert reading.facts(REPO).default_branch == "main"
    remote = reading.remote(REPO)
    assert ls_remote(remote.url, remote.token)[0] == "main"
    with pytest.raises(FleetBotError):
        reading.push(REPO, world.objects.path, world.change(), "fix/x", None)
    with pytest.raises(ForgeError):
        reading.create_pull(REPO, base="main", branch="main", title="t", body="b", draft=False)
    assert world.head("fix/x") is None


def test_a_token_for_writing_does_what_publishing_needs(world):
    writing = forge(world, WRITING)
    writing.push(REPO, world.objects.path, world.change(), "fix/x", None)
    pull = writing.create_pull(REPO, base="main", branch="fix/x", title="A title", body="A body", draft=True)
    assert writing.login() == pull.author == "fleet-app[bot]"
    writing.add_labels(REPO, pull.number, ("bug",))
    writing.create_comment(REPO, pull.number, "A comment")
    assert writing.report(REPO, pull.head_sha, passed=True, text="fine", url="https://ci.invalid/1")
    assert not writing.report(REPO, pull.head_sha, passed=True, text="fine", url=None)
    assert writing.report(REPO, pull.head_sha, passed=False, text="a protected file", url=None)
    first, second = world.github.hub.store.get(REPO).check_runs
    assert (first.name, first.conclusion, first.details_url) == ("fleet-bot/gate", "success", "https://ci.invalid/1")
    assert (second.conclusion, second.summary) == ("failure", "a protected file")
    assert world.github.hub.store.get(REPO).statuses == ()


WORKFLOW = ".github/workflows/x.yml"


def test_workflows_are_pushed_only_with_their_own_permission(world):
    commit = world.change(WORKFLOW, "on: push\n")
    with pytest.raises(TaskBlocked) as error:
        forge(world, WRITING).push(REPO, world.objects.path, commit, "fix/x", None)
    words = "refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml` without `workflows`"
    assert words in error.value.what
    assert "workflows: write" in error.value.cure
    assert world.head("fix/x") is None
    world.github.add_app("4711", "fleet-app", key_pair()[1], (REPO,), dict(WRITING_WORKFLOWS))
    forge(world, WRITING_WORKFLOWS).push(REPO, world.objects.path, commit, "fix/x", None)
    assert world.head("fix/x") == commit
    # What a branch has already may be built upon without it.
    forge(world, WRITING).push(REPO, world.objects.path, commit, "fix/y", None)
    assert world.head("fix/y") == commit


def test_an_app_without_the_permission_for_workflows_is_told_which_it_needs(world):
    with pytest.raises(ForgeError) as error:
        tokens(world).token(REPO, WRITING_WORKFLOWS)
    assert "workflows: write" in error.value.cure


def test_it_is_for_one_repository_only(world, tmp_path):
    world.github.add_repository("acme/secret", default_branch="main", private=True)
    world.github.add_repository("acme/open", default_branch="main")
    writing = forge(world, WRITING)
    with pytest.raises(ForgeError):
        writing.facts("acme/secret")
    with pytest.raises(FleetBotError):
        writing.push("acme/open", world.objects.path, world.change(), "fix/x", None)
    assert GitDir(tmp_path / "github" / "acme" / "open.git").resolve("refs/heads/fix/x") is None


def test_it_is_asked_for_once_and_renewed_before_it_ends(world):
    ours = tokens(world)
    first = ours.token(REPO, READING)
    assert ours.token(REPO, READING) == first
    assert ours.token(REPO, WRITING) != first
    world.clock.time += 3400
    assert ours.token(REPO, READING) != first


def test_a_token_that_has_ended_is_refused(world):
    old = forge(world, READING)
    world.clock.time += 3700
    with pytest.raises(ConfigurationError, match="refused"):
        old.facts(REPO)


def test_an_app_that_is_not_installed_is_told_with_its_cure(world):
    world.github.add_repository("acme/other", default_branch="main")
    with pytest.raises(ForgeError, match="not installed on acme/other") as error:
        tokens(world).token("acme/other", READING)
    assert "Install App" in error.value.cure


def test_permissions_that_it_was_not_given_are_told(world):
    with pytest.raises(ForgeError) as error:
        tokens(world).token(REPO, {"administration": "write"})
    assert "Give the App these permissions" in error.value.cure


@pytest.mark.parametrize(("app_id", "whose"), [("4711", "another"), ("12", "ours")])
def test_a_wrong_key_or_id_is_a_mistake_in_the_settings(world, app_id, whose):
    with pytest.raises(ConfigurationError, match="id or its private key"):
        tokens(world, app_id=app_id, key=key_pair(whose)[0]).token(REPO, READING)


def test_a_key_that_is_none_is_a_mistake_in_the_settings(world):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        tokens(world, key="-----BEGIN NONSENSE-----\n").token(REPO, READING)


def test_its_key_is_shown_nowhere():
    app = AppKey(id="4711", key=key_pair()[0])
    assert "PRIVATE" not in repr(app) + str(app)
