"""The desk: what the Action, `init` and `doctor` ask GitHub besides; every exchange fits GitHub's description."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from forge_world import StillClock

from bot.base.errors import ForgeError
from bot.forge.desk import GitHubDesk
from bot.ports import Access
from bot.virtual.github.server import VirtualGitHub

TOKEN = "ghp_ours0000000000000000000000000000000"
MARK = "<!-- fleet-bot:status -->"


@pytest.fixture
def github(github_world: object) -> VirtualGitHub:
    return github_world.github


@pytest.fixture
def desk(github: VirtualGitHub) -> Iterator[GitHubDesk]:
    github.add_person("ghp_tim0000000000000000000000000000000", "tim", permission="read")
    github.add_person("ghs_app0000000000000000000000000000000", "helper[bot]", app=True)
    github.add_repository("acme/widget", default_branch="main", topics=("fleet",))
    github.add_issue("acme/widget", number=7, title="t", body="b", author="alice", labels=("fleet-bot:fix",))
    made = GitHubDesk(token=TOKEN, api_url=github.api_url, server_url=github.url, clock=StillClock())
    yield made
    made.close()


def test_what_people_may_do(desk: GitHubDesk) -> None:
    assert desk.access("acme/widget", "alice").permission == "write"
    assert desk.access("acme/widget", "tim") == Access(permission="read", role="read")
    assert desk.access("acme/widget", "nobody").permission in {"none", "read"}
    assert desk.access("acme/none", "alice").permission == "none"


def test_a_request_is_seen_once_and_answered_in_one_comment(desk: GitHubDesk) -> None:
    desk.seen("acme/widget", 7)
    desk.seen("acme/widget", 7)
    assert desk.words("acme/widget", 7) == ("t", "b")
    desk.create_comment("acme/widget", 7, "somebody else's")
    for text in ("running", "done", "done"):
        desk.answer("acme/widget", 7, MARK, text)
    bodies = [comment.body for comment in desk.comments("acme/widget", 7)]
    assert bodies == ["somebody else's", f"{MARK}\ndone"]


def test_which_setting_of_a_label_counts(desk: GitHubDesk) -> None:
    assert desk.setting("acme/widget", 7, "late") == 0
    desk.add_labels("acme/widget", 7, ("other", "late"))
    first = desk.setting("acme/widget", 7, "Late")
    assert first > desk.setting("acme/widget", 7, "other") > 0
    [wanted] = desk.labelled("acme/widget", "late")
    assert wanted.event == first
    with pytest.raises(ForgeError):
        desk.setting("acme/widget", 8, "late")


def test_what_there_is_in_an_organisation(desk: GitHubDesk) -> None:
    [found] = desk.repositories("acme")
    assert (found.full_name, found.topics, found.archived) == ("acme/widget", ("fleet",), False)
    with pytest.raises(ForgeError):
        desk.repositories("nobody")


def test_what_the_token_may_do(desk: GitHubDesk) -> None:
    assert desk.rights("acme/widget")["push"]
    assert desk.rights("acme/none") == {}
    assert desk.has_label("acme/widget", "Fleet-Bot:Fix")
    assert not desk.has_label("acme/widget", "other")
    left, limit = desk.requests_left()
    assert 0 < left <= limit


def test_the_artifacts_of_a_run_by_name_and_of_several_the_newest(desk: GitHubDesk, github: VirtualGitHub) -> None:
    names = [f"traces-{number}.html" for number in range(1, 131)]
    for name in names:
        github.add_artifact("acme/widget", run=5, name=name, text="first attempt")
    second = github.add_artifact("acme/widget", run=5, name="traces-1.html", text="second attempt")
    other = github.add_artifact("acme/widget", run=6, name="traces-1.html", text="another run")
    found = desk.artifacts("acme/widget", 5)
    assert set(found) == set(names)
    assert found["traces-1.html"] == second.id
    assert desk.artifacts("acme/widget", 6) == {"traces-1.html": other.id}
    with pytest.raises(ForgeError, match="not there"):
        desk.artifacts("acme/widget", 7)


def test_when_a_run_was_created(desk: GitHubDesk, github: VirtualGitHub) -> None:
    github.add_run("acme/widget", run=5, created=1_790_000_000)
    assert desk.run_created("acme/widget", 5) == 1_790_000_000
    with pytest.raises(ForgeError, match="not there"):
        desk.run_created("acme/widget", 6)


def test_an_artifact_that_is_gone_is_none(github: VirtualGitHub) -> None:
    github.add_repository("acme/widget", default_branch="main")
    clock = StillClock(github.hub.store.clock.now())
    github.hub.store.clock = clock
    github.add_artifact("acme/widget", run=5, name="traces-1.html", text="")
    clock.time += 91 * 24 * 3600
    desk = GitHubDesk(token=TOKEN, api_url=github.api_url, server_url=github.url, clock=clock)
    assert desk.artifacts("acme/widget", 5) == {}
    desk.close()
