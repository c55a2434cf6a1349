"""What GitHub does beyond a path: pull requests, comments, refusals, faults.

Real PyGithub and real git against the virtual GitHub; the fixture holds every exchange to GitHub's own description.
"""

from __future__ import annotations

import re
import socket

import pytest
import requests
from forge_world import StillClock, commit

from bot.base.errors import ConfigurationError, ForgeError, TaskBlocked
from bot.forge.github import WRITE_PACE, GitHubForge
from bot.ports import DraftsRefused
from bot.virtual.github.faults import Fault

ALICE = "ghp_alice000000000000000000000000000000"
REPO = "acme/widget"


@pytest.fixture
def world(github_world):
    return github_world


@pytest.fixture
def pushed(world):
    """A branch of ours, ready for a pull request."""
    world.forge.push(REPO, world.objects.path, world.change(), "fix/x", None)
    return world


def opened(world, **given):
    arguments = {"base": "main", "branch": "fix/x", "title": "A title", "body": "A body", "draft": True}
    return world.forge.create_pull(REPO, **(arguments | given))


def as_alice(world, method, path, **body):
    answer = requests.request(
        method,
        f"{world.github.api_url}{path}",
        json=body or None,
        headers={"Authorization": f"Bearer {ALICE}"},
        timeout=10,
    )
    assert answer.ok, answer.text
    return answer


def forge_with(world, token, **given):
    """A second forge at the same server."""
    github = world.github
    return GitHubForge(
        token=token, api_url=github.api_url, server_url=github.url, clock=given.get("clock", world.clock)
    )


def sent(world, method, path):
    return [e for e in world.github.requests if e.method == method and re.fullmatch(path, e.path.partition("?")[0])]


# Pull requests


def test_a_pull_request_is_opened_found_and_changed(pushed):
    made = opened(pushed)
    assert (made.number, made.state, made.draft, made.author) == (1, "open", True, "fleet-bot")
    assert made.url == f"{pushed.github.url}/{REPO}/pull/1"
    assert made.head_sha == pushed.head("fix/x")
    assert pushed.forge.find_pulls(REPO, "fix/x") == (made,)
    changed = pushed.forge.update_pull(REPO, 1, title="Another", body="Text")
    assert (changed.title, changed.body, changed.state) == ("Another", "Text", "open")
    assert pushed.forge.find_pulls(REPO, "fix/x") == (changed,)
    assert pushed.forge.find_pulls(REPO, "fix/y") == ()


def test_a_reader_sees_the_pull_requests_of_a_branch_without_being_anybody(pushed):
    made = opened(pushed)
    assert forge_with(pushed, None).find_pulls(REPO, "fix/x") == (made,)


def test_a_pull_request_follows_its_branch(pushed):
    opened(pushed)
    newer = pushed.change(text="newer\n")
    pushed.forge.push(REPO, pushed.objects.path, newer, "fix/x", pushed.head("fix/x"))
    assert pushed.forge.find_pulls(REPO, "fix/x")[0].head_sha == newer


def test_what_a_person_closed_or_merged_is_seen_as_that(pushed):
    opened(pushed, draft=False)
    as_alice(pushed, "PATCH", f"/repos/{REPO}/pulls/1", state="closed")
    opened(pushed, draft=False)
    as_alice(pushed, "PUT", f"/repos/{REPO}/pulls/2/merge")
    assert [(p.number, p.state) for p in pushed.forge.find_pulls(REPO, "fix/x")] == [(2, "merged"), (1, "closed")]


def test_a_merge_by_push_is_a_merge_too(pushed):
    opened(pushed)
    pushed.bare.run("update-ref", "refs/heads/main", pushed.head("fix/x"))
    assert pushed.forge.find_pulls(REPO, "fix/x")[0].state == "merged"


def test_a_deleted_branch_closes_its_pull_request(pushed):
    opened(pushed)
    pushed.bare.run("update-ref", "-d", "refs/heads/fix/x")
    assert pushed.forge.find_pulls(REPO, "fix/x")[0].state == "closed"


def test_a_second_pull_request_of_a_branch_is_refused_in_the_servers_words(pushed):
    opened(pushed)
    with pytest.raises(ForgeError, match="A pull request already exists for acme:fix/x") as caught:
        opened(pushed)
    assert caught.value.status == 422


def test_a_branch_without_commits_or_without_being_there_is_refused(world):
    with pytest.raises(ForgeError, match="PullRequest head invalid"):
        opened(world)
    world.bare.run("update-ref", "refs/heads/fix/x", world.base)
    with pytest.raises(ForgeError, match="No commits between main and fix/x"):
        opened(world)


def test_where_there_are_no_drafts_it_says_so(pushed):
    pushed.github.add_repository(REPO, default_branch="main", drafts=False)
    with pytest.raises(DraftsRefused):
        opened(pushed)
    assert opened(pushed, draft=False).draft is False


def test_labels_are_made_and_added_once(pushed):
    opened(pushed)
    pushed.forge.add_labels(REPO, 1, ())
    for _ in range(2):
        pushed.forge.add_labels(REPO, 1, ("fleet-bot", "größe: xl"))
    assert pushed.forge.find_pulls(REPO, "fix/x")[0].labels == ("fleet-bot", "größe: xl")


def test_people_and_teams_are_asked_for_a_review(pushed):
    opened(pushed)
    pushed.forge.request_reviewers(REPO, 1, ())
    pushed.forge.request_reviewers(REPO, 1, ("alice", "acme/core"))
    assert pushed.forge.find_pulls(REPO, "fix/x")[0].reviewers == ("alice", "acme/core")


def test_a_reviewer_who_is_no_collaborator_is_refused(pushed):
    pushed.github.add_repository(REPO, default_branch="main", collaborators=("alice",))
    opened(pushed)
    with pytest.raises(ForgeError, match="only be requested from collaborators") as caught:
        pushed.forge.request_reviewers(REPO, 1, ("mallory",))
    assert caught.value.status == 422


def test_comments_are_read_on_all_pages_oldest_first(pushed):
    opened(pushed)
    for number in range(103):
        as_alice(pushed, "POST", f"/repos/{REPO}/issues/1/comments", body=f"comment {number}")
    mine = pushed.forge.create_comment(REPO, 1, "ours")
    found = pushed.forge.comments(REPO, 1)
    assert [c.body for c in found] == [*(f"comment {n}" for n in range(103)), "ours"]
    assert (found[0].author, found[-1]) == ("alice", mine)
    changed = pushed.forge.update_comment(REPO, mine.id, "ours, better")
    assert changed == pushed.forge.comments(REPO, 1)[-1]
    assert mine.url.startswith(f"{pushed.github.url}/{REPO}/pull/1#issuecomment-")


@pytest.mark.parametrize("what", ["comment", "body", "title"])
def test_a_text_that_is_too_long_is_refused(pushed, what):
    long = "x" * 65_537
    if what == "comment":
        opened(pushed)
    call = {"comment": lambda: pushed.forge.create_comment(REPO, 1, long)}.get(
        what, lambda: opened(pushed, **{what: long})
    )
    with pytest.raises(ForgeError, match=r"too long \(maximum is \d+ characters\)") as caught:
        call()
    assert caught.value.status == 422


def test_opening_a_pull_request_takes_five_requests(pushed):
    pushed.forge.find_pulls(REPO, "fix/x")
    opened(pushed)
    pushed.forge.add_labels(REPO, 1, ("a",))
    pushed.forge.request_reviewers(REPO, 1, ("alice",))
    pushed.forge.create_comment(REPO, 1, "hi")
    assert len([e for e in pushed.github.requests if e.path.startswith("/api/")]) == 5


# Issues and identity


def test_an_issue_is_a_report(world):
    world.github.add_issue(REPO, number=7, title="It breaks", body="Traceback …", author="mallory", labels=("bug",))
    report = world.forge.issue(REPO, 7)
    assert (report.title, report.text, report.ticket) == ("It breaks", "Traceback …", "issue-7")
    assert (report.issue, report.url, report.source) == (
        f"{REPO}#7",
        f"{world.github.url}/{REPO}/issues/7",
        "issue",
    )
    with pytest.raises(ForgeError) as caught:
        world.forge.issue(REPO, 8)
    assert caught.value.status == 404


def test_a_pull_request_is_no_issue(pushed):
    opened(pushed)
    with pytest.raises(ForgeError, match="is a pull request"):
        pushed.forge.issue(REPO, 1)


def test_the_login_is_asked_once(world):
    assert [world.forge.login(), world.forge.login()] == ["fleet-bot"] * 2
    assert len(sent(world, "GET", "/api/v3/user")) == 1


def test_an_app_learns_its_login_another_way(world):
    world.github.add_person("ghs_app", "fleet-bot[bot]", app=True)
    assert forge_with(world, "ghs_app").login() == "fleet-bot[bot]"


# Rights


def test_a_wrong_token_is_a_matter_of_configuration(pushed):
    forge = forge_with(pushed, "ghp_wrong")
    for call in (
        lambda: forge.facts(REPO),
        lambda: forge.login(),
        lambda: forge.push(REPO, pushed.objects.path, pushed.change(), "fix/z", None),
    ):
        with pytest.raises(ConfigurationError, match="refused") as caught:
            call()
        assert "GITHUB_TOKEN" in caught.value.cure
        assert "ghp_wrong" not in f"{caught.value}{caught.value.__cause__}"


def test_without_a_token_what_is_public_can_be_read_and_nothing_written(pushed):
    forge = forge_with(pushed, None)
    assert forge.facts(REPO).default_branch == "main"
    for call in (
        lambda: forge.create_pull(REPO, base="main", branch="fix/x", title="t", body="b", draft=False),
        lambda: forge.login(),
        lambda: forge.push(REPO, pushed.objects.path, pushed.change(), "fix/z", None),
    ):
        with pytest.raises(ConfigurationError):
            call()


def test_a_private_repository_is_not_there_for_strangers(world):
    world.github.add_repository(REPO, default_branch="main", private=True)
    world.github.add_person("ghp_stranger", "stranger", permission="none")
    for token in ("ghp_stranger", None):
        forge = forge_with(world, token)
        with pytest.raises(ForgeError, match="not there or not visible") as caught:
            forge.facts(REPO)
        assert caught.value.status == 404
    assert world.forge.facts(REPO).private
    assert world.forge.branch_head(REPO, "main") == world.base
    with pytest.raises(ForgeError) as caught:
        forge_with(world, "ghp_stranger").push(REPO, world.objects.path, world.change(), "fix/z", None)
    assert caught.value.status == 404


def test_a_read_only_token_neither_pushes_nor_opens(pushed):
    pushed.github.add_person("ghp_reader", "reader", permission="read")
    forge = forge_with(pushed, "ghp_reader")
    assert forge.facts(REPO).full_name == REPO
    with pytest.raises(ForgeError, match=r"Permission to acme/widget\.git denied to reader") as caught:
        forge.push(REPO, pushed.objects.path, pushed.change(), "fix/z", None)
    assert caught.value.status == 403
    with pytest.raises(ForgeError, match="not accessible by personal access token") as caught:
        forge.create_pull(REPO, base="main", branch="fix/x", title="t", body="b", draft=False)
    assert caught.value.status == 403


def test_an_archived_repository_says_so_and_takes_nothing(pushed):
    pushed.github.add_repository(REPO, default_branch="main", archived=True)
    assert pushed.forge.facts(REPO).archived
    with pytest.raises(ForgeError, match="archived so it is read-only"):
        pushed.forge.push(REPO, pushed.objects.path, pushed.change(), "fix/z", None)
    with pytest.raises(ForgeError, match="archived so is read-only"):
        opened(pushed)


def test_a_push_rule_blocks_the_task_in_the_servers_words(world):
    world.github.add_repository(REPO, default_branch="main", refuse_push=True)
    with pytest.raises(TaskBlocked, match=r"push declined due to repository rule violations.*GH013") as caught:
        world.forge.push(REPO, world.objects.path, world.change(), "fix/x", None)
    assert "\n" not in caught.value.what
    assert world.head("fix/x") is None


# Faults


def test_a_lost_answer_is_not_sent_for_again_but_found(pushed):
    pushed.github.faults.add(Fault(method="POST", path="/repos/*/pulls", after=True))
    with pytest.raises(ForgeError) as caught:
        opened(pushed)
    assert caught.value.status == 502
    assert len(sent(pushed, "POST", ".*/pulls")) == 1
    assert [p.number for p in pushed.forge.find_pulls(REPO, "fix/x")] == [1]


def test_a_comment_is_never_posted_twice(pushed):
    opened(pushed)
    pushed.github.faults.add(Fault(method="POST", path="*/comments", after=True, kind="drop"))
    with pytest.raises(ForgeError) as caught:
        pushed.forge.create_comment(REPO, 1, "once")
    assert caught.value.status == 0
    assert [c.body for c in pushed.forge.comments(REPO, 1)] == ["once"]


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 504}, {"status": 503}, {"kind": "drop"}])
def test_a_read_is_asked_again(world, fault):
    world.github.faults.add(Fault(path="/repos/acme/widget", times=2, **fault))
    assert world.forge.facts(REPO).full_name == REPO
    assert world.clock.slept == [1.0, 2.0]


def test_in_the_end_a_read_gives_up(world):
    world.github.faults.add(Fault(path="/repos/acme/widget", times=99))
    with pytest.raises(ForgeError, match="Could not read acme/widget: Server Error") as caught:
        world.forge.facts(REPO)
    assert caught.value.status == 502
    assert world.clock.slept == [1.0, 2.0, 4.0]


def test_an_idempotent_write_is_sent_again(pushed):
    opened(pushed)
    pushed.github.faults.add(Fault(method="POST", path="*/labels", after=True))
    pushed.forge.add_labels(REPO, 1, ("a",))
    assert pushed.forge.find_pulls(REPO, "fix/x")[0].labels == ("a",)


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_is_waited_for_and_no_write_is_lost_or_doubled(pushed, status):
    opened(pushed)
    pushed.github.faults.add(Fault(method="POST", path="*/comments", status=status, retry_after=37))
    pushed.forge.create_comment(REPO, 1, "once")
    assert pushed.clock.slept == [37.0]
    assert [c.body for c in pushed.forge.comments(REPO, 1)] == ["once"]


def test_a_secondary_limit_without_a_time_is_waited_for_a_minute(world):
    world.github.faults.add(Fault(path="/repos/acme/widget", status=403))
    world.forge.facts(REPO)
    assert world.clock.slept == [60.0]


def test_the_primary_limit_is_waited_for_when_it_ends_soon(world):
    world.github.faults.add(Fault(path="/repos/acme/widget", status=403, reset_in=90))
    world.forge.facts(REPO)
    assert world.clock.slept == [pytest.approx(91.0)]


def test_a_limit_that_lasts_long_is_told_and_not_waited_for(world):
    world.github.faults.add(Fault(path="/repos/acme/widget", status=403, reset_in=1800))
    with pytest.raises(ForgeError, match="rate limit of the token is used up") as caught:
        world.forge.facts(REPO)
    assert "in 30 minutes" in caught.value.cure
    assert world.clock.slept == []


def test_a_push_whose_answer_is_lost_is_found_done(world):
    world.github.faults.add(Fault(path="*/git-receive-pack", method="POST", after=True, status=503))
    commit = world.change()
    world.forge.push(REPO, world.objects.path, commit, "fix/x", None)
    assert world.head("fix/x") == commit


def test_a_push_that_did_not_happen_is_an_error(world):
    world.github.faults.add(Fault(path="*/git-receive-pack", method="POST", status=503, times=9))
    with pytest.raises(ForgeError) as caught:
        world.forge.push(REPO, world.objects.path, world.change(), "fix/x", None)
    assert caught.value.status == 503
    assert world.head("fix/x") is None


def test_a_server_that_is_not_there_is_told(world):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    forge = GitHubForge(token="ghp_x", api_url=f"{url}/api/v3", server_url=url, clock=world.clock)
    with pytest.raises(ForgeError, match="no answer") as caught:
        forge.facts(REPO)
    assert caught.value.status == 0


def test_a_server_that_calls_itself_otherwise_is_a_matter_of_its_url(pushed):
    api = pushed.github.api_url.replace("127.0.0.1", "localhost")
    forge = GitHubForge(token=ALICE, api_url=api, server_url=pushed.github.url, clock=pushed.clock)
    made = as_alice(pushed, "POST", f"/repos/{REPO}/issues", title="x").json()["number"]
    for _ in range(101):
        as_alice(pushed, "POST", f"/repos/{REPO}/issues/{made}/comments", body="x")
    with pytest.raises(ForgeError, match="links to another server"):
        forge.comments(REPO, made)


# Pace and secrets


def test_writes_keep_their_distance_away_from_loopback(monkeypatch):
    clock = StillClock()
    forge = GitHubForge(token="t", api_url="https://api.github.com", server_url="https://github.com", clock=clock)
    for _ in range(3):
        forge._asking.write("x", lambda: None, again=False)
    assert clock.slept == [WRITE_PACE] * 2


@pytest.mark.parametrize("url", ["http://github.example.com", "github.com", "ftp://x", "https://x:y@github.com", ""])
def test_a_server_that_would_get_the_token_in_the_clear_is_refused(url):
    with pytest.raises(ConfigurationError, match="GITHUB_SERVER_URL"):
        GitHubForge(token="t", api_url="https://api.github.com", server_url=url, clock=StillClock())


def test_the_token_is_in_no_log_and_no_representation(pushed):
    opened(pushed)
    token = "ghp_ours"
    assert token not in repr(pushed.forge) + repr(pushed.forge.remote(REPO))
    assert token not in repr(list(pushed.github.requests))
    assert all(token.encode() not in file.read_bytes() for file in pushed.objects.path.rglob("*") if file.is_file())
    assert all(token.encode() not in file.read_bytes() for file in pushed.bare.path.parent.rglob("*") if file.is_file())


def test_a_pull_request_of_a_fork_or_another_branch_is_not_ours(pushed):
    assert commit(pushed.objects, {"x": "y"}, pushed.base)
    opened(pushed)
    assert pushed.forge.find_pulls(REPO, "x") == ()


def statuses(world):
    return world.github.hub.store.get(REPO).statuses


def test_a_status_is_set_once_and_changes_with_what_the_gate_says(pushed):
    sha = pushed.head("fix/x")

    def told(text: str, *, passed: bool = True, url: str | None = None) -> bool:
        return pushed.forge.report(REPO, sha, passed=passed, text=text, url=url)

    assert told("1 new test red without the fix", url="https://ci.invalid/run/1")
    assert not told("1 new test red without the fix", url="https://ci.invalid/run/2")
    assert told("x" * 500, passed=False)
    first, second = statuses(pushed)
    assert (first.context, first.state, first.target_url) == ("fleet-bot/gate", "success", "https://ci.invalid/run/1")
    assert (second.state, len(second.description)) == ("failure", 140)


def test_a_link_that_is_no_address_is_left_out_of_a_status(pushed):
    pushed.forge.report(REPO, pushed.head("fix/x"), passed=True, text="fine", url="/home/ada/out/trace.jsonl")
    assert statuses(pushed)[0].target_url is None
