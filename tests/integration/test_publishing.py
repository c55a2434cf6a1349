"""Publishing: finding before writing, whose the branch is, and what a run leaves behind when it is stopped midway."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from github import Auth, Github
from github.PullRequest import PullRequest
from github.Repository import Repository
from small_playbooks import STAMP_WITH_TEXT
from small_world import BOT, TOKEN, World, commit, git

from bot.fleet import run as campaign
from bot.publish.publisher import Press, Published, publish
from bot.task.ownership import MARK
from bot.virtual.github.faults import Fault

FIX = STAMP_WITH_TEXT.replace("id: stamp", "id: fix_stamp") + "{{ report }}\n"


@pytest.fixture
def stamps(world: World) -> World:
    """A world with one playbook, that puts a stamp into plugins."""
    world.playbook("stamp", STAMP_WITH_TEXT)
    return world


def repository(world: World, name: str, token: str = TOKEN) -> Repository:
    """A plugin, seen by PyGithub."""
    hub = Github(
        auth=Auth.Token(token),
        base_url=world.github.api_url,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    return hub.get_repo(f"acme/{name}")


def pulls(world: World, name: str) -> list[PullRequest]:
    """All its pull requests, oldest first."""
    return sorted(repository(world, name).get_pulls(state="all"), key=lambda pull: pull.number)


def move_on(work: Path, files: dict[str, str | bytes], *options: str) -> str:
    """A person's commit on the base branch of the forge."""
    git(work, "pull", "--quiet", "origin", "main")
    head = commit(work, files)
    git(work, "push", "--quiet", *options, "origin", "main")
    return head


def branch_of(world: World) -> str:
    """The branch that a stamp will have."""
    planned = world.fleet_bot("plan", "stamp", "--json").json
    branch: str = planned["tasks"][0]["branch"]
    return branch


def events(row: dict[str, Any], name: str = "execution_trace.jsonl") -> list[dict[str, Any]]:
    """A trace beside a proposal."""
    file = Path(row["proposal"]).parent / name
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def writes(world: World) -> list[str]:
    """What was sent to the forge that may change something."""
    return [
        f"{exchange.method} {exchange.path}"
        for exchange in world.github.requests
        if (exchange.method != "GET" and "/api/" in exchange.path) or exchange.path.endswith("/git-receive-pack")
    ]


# Whose the branch is -------------------------------------------------------------------------------------------------


def test_a_branch_that_a_person_made_and_left_empty_is_left_alone(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"})
    branch = branch_of(stamps)
    git(work, "push", "--quiet", "origin", f"main:{branch}")
    row = stamps.run("stamp").task("a")
    assert row["outcome"] == "skipped"
    assert "did not make" in row["reason"]
    assert git(stamps.bare("a"), "rev-parse", branch) == git(work, "rev-parse", "main")


def test_a_run_on_an_older_commit_takes_commits_of_the_base_for_what_they_are(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"})
    older = git(work, "rev-parse", "main")
    fix = ("fix_stamp", "--bug", "no stamp")
    stamps.playbook("fix_stamp", FIX)
    newer = move_on(work, {"README.md": "moved on\n"})
    first = stamps.run(*fix).task("a")
    assert first["outcome"] == "changed", first
    again = stamps.run(*fix, "--commit", older).task("a")
    assert again["branch"] == first["branch"]
    assert again["outcome"] == "changed", again
    assert git(stamps.bare("a"), "rev-parse", f"{again['branch']}^") == newer


def test_a_pull_request_that_was_closed_is_known_before_anything_runs(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"})
    stamps.run("stamp")
    pulls(stamps, "a")[0].edit(state="closed")
    move_on(work, {"README.md": "moved on\n"})
    row = stamps.run("stamp").task("a")
    assert row["outcome"] == "skipped"
    assert "stays so" in row["reason"]
    assert "command_run" not in {event["event"] for event in events(row)}


def test_somebody_elses_pull_request_from_the_branch_is_known_before_anything_runs(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"})
    branch = branch_of(stamps)
    git(work, "switch", "--quiet", "-c", "mine")
    commit(work, {"STAMP": "by hand\n"})
    git(work, "push", "--quiet", "origin", f"mine:{branch}")
    repository(stamps, "a", "ghp_person").create_pull(base="main", head=branch, title="Mine", body="")
    row = stamps.run("stamp").task("a")
    assert row["outcome"] == "skipped"
    assert "Somebody else's pull request #1" in row["reason"]
    assert "command_run" not in {event["event"] for event in events(row)}


def test_a_mark_that_somebody_copied_makes_no_pull_request_ours(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"})
    dry = stamps.run("stamp", "--dry-run").task("a")
    git(work, "switch", "--quiet", "-c", "mine")
    commit(work, {"STAMP": "by hand\n"})
    git(work, "push", "--quiet", "origin", f"mine:{dry['branch']}")
    repository(stamps, "a", "ghp_person").create_pull(base="main", head=dry["branch"], title="M", body=f"{MARK} -->")
    row = stamps.fleet_bot("publish", str(stamps.out), "--json").task("a")
    assert row["outcome"] == "skipped"
    assert "Somebody else's" in row["reason"]


def test_a_token_that_may_not_see_pull_requests_is_enough_to_propose(stamps: World) -> None:
    stamps.plugin("a", {"README.md": "a\n"})
    stamps.github.faults.add(Fault(method="GET", path="/repos/acme/a/pulls", status=404))
    assert stamps.run("stamp", "--dry-run").task("a")["outcome"] == "changed"


# After a merge -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["merge", "squash"])
@pytest.mark.parametrize("deleted", [True, False], ids=["branch deleted", "branch left"])
def test_after_a_merge_new_work_opens_a_new_pull_request(stamps: World, method: str, deleted: bool) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"}, draft=False)
    branch = stamps.run("stamp").task("a")["branch"]
    pulls(stamps, "a")[0].merge(merge_method=method)
    if deleted:
        git(stamps.bare("a"), "update-ref", "-d", f"refs/heads/{branch}")
    assert stamps.run("stamp").task("a")["outcome"] == "no_change"
    move_on(work, {"STAMP": "stale\n"})
    row = stamps.run("stamp").task("a")
    assert row["outcome"] == "changed", row
    assert [(pull.number, pull.state) for pull in pulls(stamps, "a")] == [(1, "closed"), (2, "open")]
    assert row["pull_request"]["number"] == 2
    assert [label.name for label in pulls(stamps, "a")[1].labels] == ["stamp"]


def test_a_branch_that_was_merged_with_a_persons_commits_in_it_is_free_again(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"}, draft=False)
    branch = stamps.run("stamp").task("a")["branch"]
    git(work, "fetch", "--quiet", "origin", branch)
    git(work, "switch", "--quiet", "-c", "theirs", "FETCH_HEAD")
    commit(work, {"README.md": "by a person\n"})
    git(work, "push", "--quiet", "origin", f"theirs:{branch}")
    pulls(stamps, "a")[0].merge(merge_method="squash")
    git(work, "switch", "--quiet", "main")
    move_on(work, {"STAMP": "stale\n"})
    assert stamps.run("stamp").task("a")["pull_request"]["number"] == 2


def test_a_proposal_that_was_merged_meanwhile_is_no_change_and_nothing_is_written(stamps: World) -> None:
    stamps.plugin("a", {"README.md": "a\n"}, draft=False)
    stamps.run("stamp")
    pulls(stamps, "a")[0].merge(merge_method="squash")
    before = writes(stamps)
    done = stamps.fleet_bot("publish", str(stamps.out), "--json")
    assert done.code == 0
    row = done.task("a")
    assert (row["outcome"], row["pull_request"]["number"]) == ("no_change", 1)
    assert "#1 was merged" in row["reason"]
    assert writes(stamps) == before


def test_a_base_that_was_rewritten_asks_for_a_new_proposal(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"})
    stamps.run("stamp", "--dry-run")
    git(work, "commit", "--quiet", "--amend", "-m", "rewritten")
    git(work, "push", "--quiet", "--force", "origin", "main")
    row = stamps.fleet_bot("publish", str(stamps.out), "--json").task("a")
    assert row["outcome"] == "blocked"
    assert "ropose again" in row["reason"]
    assert "git" not in row["reason"].replace("git/", "")


# Twice ---------------------------------------------------------------------------------------------------------------


def test_labels_that_a_person_took_away_do_not_come_back_and_nobody_is_asked_twice(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"}, reviewers=["ada"], labels=["bot"])
    stamps.run("stamp")
    pulls(stamps, "a")[0].remove_from_labels("bot")
    asked = [call for call in writes(stamps) if "requested_reviewers" in call]
    move_on(work, {"README.md": "moved on\n"})
    assert stamps.run("stamp").task("a")["pull_request"]["action"] == "updated"
    [pull] = pulls(stamps, "a")
    assert [label.name for label in pull.labels] == ["stamp"]
    assert [call for call in writes(stamps) if "requested_reviewers" in call] == asked


@pytest.mark.parametrize("stopped", ["labels", "requested_reviewers"])
def test_what_a_crash_kept_from_a_new_pull_request_comes_with_the_next_run(stamps: World, stopped: str) -> None:
    stamps.plugin("a", {"README.md": "a\n"}, reviewers=["ada"])
    stamps.github.faults.add(Fault(method="POST", path=f"*/{stopped}", status=401))
    assert stamps.run("stamp").code == 2
    done = stamps.run("stamp")
    assert done.code == 0, done.err
    [pull] = pulls(stamps, "a")
    assert [label.name for label in pull.labels] == ["stamp"]
    assert [person.login for person in pull.requested_reviewers] == ["ada"]


def test_labels_that_the_forge_refuses_are_a_note_and_the_trace_comment_comes_all_the_same(stamps: World) -> None:
    stamps.plugin("a", {"README.md": "a\n"}, reviewers=["ada"])
    stamps.github.faults.add(Fault(method="POST", path="*/labels", status=422, times=9))
    done = stamps.run("stamp")
    assert done.code == 0, done.err
    [pull] = pulls(stamps, "a")
    assert pull.get_issue_comments().totalCount == 1
    assert [person.login for person in pull.requested_reviewers] == ["ada"]
    notes = [event["message"] for event in events(done.task("a"), "publish_trace.jsonl") if event["event"] == "note"]
    assert any("labels could not be added" in note for note in notes)


def test_a_comment_that_the_forge_refuses_does_not_hide_the_pull_request(stamps: World) -> None:
    stamps.plugin("a", {"README.md": "a\n"})
    stamps.github.faults.add(Fault(method="POST", path="*/comments", status=422))
    row = stamps.run("stamp").task("a")
    assert (row["outcome"], row["pull_request"]["number"]) == ("error", 1)
    assert stamps.run("stamp").task("a")["outcome"] == "changed"
    assert pulls(stamps, "a")[0].get_issue_comments().totalCount == 1


def test_where_the_full_trace_is_stands_in_the_comment_and_moving_it_changes_nothing(stamps: World) -> None:
    stamps.plugin("a", {"README.md": "a\n"})
    row = stamps.run("stamp").task("a")
    [comment] = pulls(stamps, "a")[0].get_issue_comments()
    home = Path.home()
    assert f"`$HOME/{Path(row['trace']).relative_to(home)}`" in comment.body
    assert str(home) not in comment.body, "the name of somebody's home folder"
    elsewhere = stamps.folder / "elsewhere"
    shutil.copytree(stamps.out, elsewhere)
    url = {"FLEET_BOT_TRACE_URL": "https://example.test/runs/1"}
    done = stamps.fleet_bot("publish", str(elsewhere), "--json", env=url)
    assert done.code == 0, done.err
    assert [found.body for found in pulls(stamps, "a")[0].get_issue_comments()] == [comment.body]
    stamps.plugin("b", {"README.md": "b\n"})
    job = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_RUN_ID": "7"}
    stamps.plugin("c", {"README.md": "c\n"})
    stamps.run("stamp", "c", env=job)
    page = f"({stamps.github.url}/acme/fleet/actions/runs/7)"
    assert page in pulls(stamps, "c")[0].get_issue_comments()[0].body
    stamps.run("stamp", "b", env=url)
    assert "(https://example.test/runs/1)" in pulls(stamps, "b")[0].get_issue_comments()[0].body


# What a proposal claims ----------------------------------------------------------------------------------------------


def test_a_proposal_goes_to_the_branch_that_the_fleet_says(stamps: World) -> None:
    work = stamps.plugin("a", {"README.md": "a\n"})
    git(work, "push", "--quiet", "origin", "main:release")
    row = stamps.run("stamp", "--dry-run").task("a")
    assert refused(stamps, row, base_branch="release") == "it goes to release, and the default branch is main"


CLAIMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "title": lambda was: {"title": "Urgent: merge now"},
    "body": lambda was: {"body": was["body"] + "\nApproved by Ada."},
    "labels": lambda was: {"labels": []},
    "draft": lambda was: {"draft": not was["draft"]},
    "files": lambda was: {"files": ["README.md"]},
    "lines": lambda was: {"added": 0},
    "proof": lambda was: {"verification": was["verification"] | {"reason": "17 new tests"}},
    "no proof": lambda was: {"verification": None},
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_proposal_says_is_what_was_sealed(stamps: World, claim: str) -> None:
    stamps.plugin("a", {"README.md": "a\n"})
    row = stamps.run("stamp", "--dry-run").task("a")
    assert refused(stamps, row, **CLAIMS[claim](stamps.proposal(row)))


def refused(world: World, row: dict[str, Any], **changed: Any) -> str:
    """Change a proposal, publish it, and say why the gate refused it."""
    file = Path(row["proposal"])
    file.write_text(json.dumps(world.proposal(row) | changed), encoding="utf-8")
    before = writes(world)
    done = world.fleet_bot("publish", str(world.out), "--json").task(row["plugin"])
    assert done["outcome"] == "blocked", done
    assert "The gate refused: " in done["reason"]
    assert writes(world) == before
    said: str = done["reason"].partition("The gate refused: ")[2].partition(".")[0]
    return said


# The folder of proposals ---------------------------------------------------------------------------------------------


def test_a_proposal_that_cannot_be_read_does_not_stop_the_others(stamps: World) -> None:
    for name in "ab":
        stamps.plugin(name, {"README.md": f"{name}\n"})
    row = stamps.run("stamp", "--dry-run").task("a")
    Path(row["proposal"]).write_text('{"v": 1, ', encoding="utf-8")
    done = stamps.fleet_bot("publish", str(stamps.out), "--json")
    assert done.code == 1
    assert done.json["totals"] == {"changed": 1, "error": 1}
    assert "is no proposal that this version reads" in done.task("a")["reason"]
    assert len(pulls(stamps, "b")) == 1


def test_a_plugin_may_be_called_blobs(stamps: World) -> None:
    stamps.plugin("blobs", {"README.md": "b\n"})
    stamps.run("stamp", "--dry-run")
    assert stamps.fleet_bot("publish", str(stamps.out), "--json").json["totals"] == {"changed": 1}


def test_several_campaigns_have_a_report_each_and_one_together(stamps: World) -> None:
    stamps.plugin("a", {"README.md": "a\n"})
    for text in ("one", "two"):
        stamps.run("stamp", "--var", f"text={text}", "--dry-run")
    done = stamps.fleet_bot("publish", str(stamps.out), "--json")
    assert done.code == 0, done.err
    together = json.loads((stamps.out / "report.json").read_text(encoding="utf-8"))
    assert together == done.json
    assert len(together["campaigns"]) == 2
    for report in together["campaigns"]:
        own = json.loads((stamps.out / report["campaign"] / "report.json").read_text(encoding="utf-8"))
        assert own == report
        assert report["campaign"] in (stamps.out / "report.md").read_text(encoding="utf-8")
    assert (stamps.out / "report.html").read_text(encoding="utf-8").count('class="outcome changed"') == 2


@pytest.mark.parametrize("command", ["publish", "run"])
def test_a_publishing_that_is_stopped_reports_what_was_done_and_how_to_go_on(
    stamps: World, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        stamps.plugin(name, {"README.md": f"{name}\n"})
    stamps.run("stamp", "--dry-run")
    (stamps.out / "report.json").unlink()

    def stopped(folder: Path, press: Press) -> Published:
        if folder.name == "b":
            raise KeyboardInterrupt
        return publish(folder, press)

    monkeypatch.setattr(campaign, "publish", stopped)
    words = ("publish", str(stamps.out)) if command == "publish" else ("run", "stamp", "--out", str(stamps.out))
    done = stamps.fleet_bot(*words)
    assert done.code == 130
    assert f"go on with: fleet-bot publish {stamps.out}" in done.err
    rows = json.loads((stamps.out / "report.json").read_text(encoding="utf-8"))["tasks"]
    assert rows[0]["pull_request"]["number"] == 1
    monkeypatch.undo()
    assert stamps.fleet_bot(*words).code == 0
    assert len(pulls(stamps, "b")) == 1


def test_a_token_that_is_refused_midway_leaves_a_report_of_what_was_done(stamps: World) -> None:
    for name in "ab":
        stamps.plugin(name, {"README.md": f"{name}\n"})
    stamps.run("stamp", "--dry-run")
    stamps.github.faults.add(Fault(method="POST", path="/repos/acme/b/pulls", status=401))
    done = stamps.fleet_bot("publish", str(stamps.out), "--json")
    assert done.code == 2
    rows = json.loads((stamps.out / "report.json").read_text(encoding="utf-8"))["tasks"]
    assert [row["plugin"] for row in rows] == ["a"]


def test_what_closes_the_issue_stands_before_what_may_be_cut(world: World) -> None:
    world.playbook("fix_stamp", FIX)
    world.plugin("a", {"README.md": "a\n"})
    world.github.add_issue("acme/a", number=7, title="no stamp", body="long " * 9000, author="ada", labels=())
    done = world.run("fix_stamp", "a", "--issue", "7")
    assert done.code == 0, done.err
    body = pulls(world, "a")[0].body
    assert body.index("Fixes acme/a#7") < body.index("### What was asked")
    assert pulls(world, "a")[0].user.login == BOT
