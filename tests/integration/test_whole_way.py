"""From `fleet.yaml` to pull requests with their trace, through the real command line, SDKs, git and sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_plugins import FIX, PLUGIN, STAMP, pulls
from small_world import World, commit, git

from bot.virtual.github.faults import Fault


def trace_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(row["trace"]).read_text(encoding="utf-8").splitlines()]


def test_a_script_goes_all_the_way_and_a_second_run_changes_nothing(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"}, reviewers=["ada"], labels=["bot"])
    world.plugin("b", {"README.md": "b\n"})
    first = world.run("stamp", "--var", "text=hello")
    assert first.code == 0, first.err
    assert first.json["totals"] == {"changed": 2}
    [pull] = pulls(world, "a")
    assert pull.draft
    assert pull.title == "Stamp: hello"
    assert {label.name for label in pull.labels} == {"bot", "stamp"}
    assert [person.login for person in pull.requested_reviewers] == ["ada"]
    assert world.show("a", pull.head.ref, "STAMP") == b"hello\n"
    [comment] = pull.get_issue_comments()
    assert "<!-- fleet-bot:trace" in comment.body
    proposal = world.proposal(first.task("a"))
    assert proposal["trace"]["head"] in comment.body
    second = world.run("stamp", "--var", "text=hello")
    assert second.json["totals"] == {"changed": 2}
    [again] = pulls(world, "a")
    assert (again.head.sha, again.updated_at) == (pull.head.sha, pull.updated_at)
    assert [c.body for c in again.get_issue_comments()] == [comment.body]


def test_a_bug_fix_is_proven_red_to_green_and_what_the_agent_says_is_quoted_inert(world: World) -> None:
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.github.add_issue(
        "acme/calc", number=7, title="add subtracts", body="add(1, 2) is -1", author="ada", labels=()
    )
    world.script("calc", "fix_bug", FIX)
    done = world.run("fix_bug", "calc", "--issue", "7")
    assert done.code == 0, done.err
    row = done.task("calc")
    assert (row["outcome"], row["branch"]) == ("changed", "fix/issue-7")
    [pull] = pulls(world, "calc")
    assert "Fixes acme/calc#7" in pull.body
    assert "@everyone" not in pull.body
    assert "Fixes #99" not in pull.body
    verification = world.proposal(row)["verification"]
    assert verification["proven"]
    assert [name.rpartition("::")[2] for name in verification["red_before"]] == ["test_sum"]
    events = trace_of(row)
    assert [e["event"] for e in events][:1] == ["run_started"]
    assert events[-1]["event"] == "run_finished"
    assert [e["path"] for e in events if e["event"] == "file_write"] == ["test_calc.py", "calc.py"]
    assert row["usage"]["calls"] == 6


def test_an_agent_that_edits_before_a_test_was_red_is_refused_and_its_word_counts_for_nothing(world: World) -> None:
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.script(
        "calc",
        "fix_bug",
        """
        rules:
          - when: {step: 0}
            calls: [{read_file: {path: calc.py}}]
          - when: {result: {tool: read_file}}
            calls: [{edit_file: {path: calc.py, old: a - b, new: a + b}}]
          - when: {result: {tool: edit_file, is_error: true}}
            say: I wrote a failing test, fixed the bug, and all tests pass.
        """,
    )
    done = world.run("fix_bug", "calc", "--bug", "add subtracts")
    assert done.code == 1
    assert done.task("calc")["outcome"] == "failed"
    assert "Nothing was changed" in done.task("calc")["reason"]
    [refused] = [event for event in trace_of(done.task("calc")) if event["event"] == "guard_refused"]
    assert refused["rule"] == "red-first"
    assert pulls(world, "calc") == []


def test_a_pull_request_that_a_person_closed_stays_closed(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.run("stamp")
    pulls(world, "a")[0].edit(state="closed")
    work = world.folder / "work" / "a"
    commit(work, {"README.md": "moved on\n"})
    git(work, "push", "--quiet", "origin", "main")
    done = world.run("stamp")
    assert done.code == 0
    assert done.task("a")["outcome"] == "skipped"
    assert "stays so" in done.task("a")["reason"]
    assert [pull.state for pull in pulls(world, "a")] == ["closed"]


def test_what_a_person_pushed_to_our_branch_is_never_overwritten(world: World) -> None:
    world.playbook("stamp", STAMP)
    work = world.plugin("a", {"README.md": "a\n"})
    branch = world.run("stamp").task("a")["branch"]
    git(work, "fetch", "--quiet", "origin", branch)
    git(work, "switch", "--quiet", "-c", "mine", "FETCH_HEAD")
    theirs = commit(work, {"STAMP": "by hand\n"})
    git(work, "push", "--quiet", "origin", f"mine:{branch}")
    git(work, "switch", "--quiet", "main")
    commit(work, {"README.md": "moved on\n"})
    git(work, "push", "--quiet", "origin", "main")
    done = world.run("stamp")
    assert done.task("a")["outcome"] == "skipped"
    assert "did not make" in done.task("a")["reason"]
    assert git(world.bare("a"), "rev-parse", branch) == theirs


def test_when_the_base_moved_the_same_pull_request_is_brought_up_to_date(world: World) -> None:
    world.playbook("stamp", STAMP)
    work = world.plugin("a", {"README.md": "a\n"})
    world.run("stamp")
    head = commit(work, {"README.md": "moved on\n"})
    git(work, "push", "--quiet", "origin", "main")
    done = world.run("stamp")
    assert done.task("a")["pull_request"]["action"] in {"updated", "unchanged"}
    [pull] = pulls(world, "a")
    assert git(world.bare("a"), "rev-parse", f"{pull.head.ref}^") == head
    assert pull.get_issue_comments().totalCount == 1


def test_where_drafts_are_not_to_be_had_the_pull_request_is_ready_and_says_so(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"}, remote={"drafts": False})
    world.run("stamp")
    world.run("stamp")
    [pull] = pulls(world, "a")
    assert not pull.draft
    assert "Drafts are not available" in pull.body


def test_what_a_person_wrote_into_our_pull_request_stays_while_the_change_is_the_same(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.run("stamp")
    [pull] = pulls(world, "a")
    pull.edit(title="A better title", body=f"{pull.body}\n\nReviewed by Ada.")
    world.run("stamp")
    [again] = pulls(world, "a")
    assert again.title == "A better title"
    assert "Reviewed by Ada." in again.body


def test_work_that_is_done_outlives_an_outage_of_the_forge(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    patch = Path(world.run("stamp", "--dry-run").task("a")["proposal"]).with_name("changes.patch")
    before = patch.read_bytes()
    world.github.faults.add(Fault(path="*", status=503, times=1000))
    during = world.run("stamp", "--dry-run")
    assert during.task("a")["outcome"] == "error"
    assert patch.read_bytes() == before
    world.github.faults.clear()
    assert world.fleet_bot("publish", str(world.out), "--json").json["totals"] == {"changed": 1}


def test_a_secret_in_the_report_reaches_no_title_and_no_commit(world: World) -> None:
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.script("calc", "fix_bug", FIX)
    secret = "ghp_" + "Ab1" * 12
    done = world.run("fix_bug", "calc", "--bug", f"crash with {secret}")
    assert done.code == 0, done.err
    [pull] = pulls(world, "calc")
    message = git(world.bare("calc"), "log", "-1", "--format=%B", pull.head.ref)
    assert secret not in pull.title + pull.body + message


def test_a_dry_run_does_all_but_publish_and_publish_takes_it_from_there(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    done = world.run("stamp", "--dry-run")
    assert done.task("a")["outcome"] == "changed"
    assert pulls(world, "a") == []
    assert not any(
        exchange.method not in {"GET"} and exchange.path.startswith("/api") for exchange in world.github.requests
    )
    published = world.fleet_bot("publish", str(world.out), "--json")
    assert published.code == 0, published.err
    assert published.task("a")["pull_request"]["number"] == pulls(world, "a")[0].number


def test_shards_propose_apart_and_publish_together(world: World) -> None:
    world.playbook("stamp", STAMP)
    for name in "abc":
        world.plugin(name, {"README.md": f"{name}\n"})
    shards = [entry["shard"] for entry in world.fleet_bot("plan", "stamp", "--shards", "2").json["include"]]
    assert shards == ["1/2", "2/2"]
    for shard in shards:
        done = world.fleet_bot("propose", "stamp", "--out", str(world.out / shard[0]), "--shard", shard, "--json")
        assert done.code == 0, done.err
    assert world.fleet_bot("publish", str(world.out), "--json").json["totals"] == {"changed": 3}
    assert [len(pulls(world, name)) for name in "abc"] == [1, 1, 1]


def test_a_plugin_given_by_a_path_needs_no_forge(world: World, tmp_path: Path) -> None:
    world.playbook("stamp", STAMP)
    folder = tmp_path / "mine"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, {"README.md": "mine\n"})
    world.entries.append({"name": "mine", "repo": str(folder)})
    done = world.run("stamp", env={"GITHUB_TOKEN": "", "GITHUB_API_URL": "http://127.0.0.1:9"})
    assert done.code == 0, done.err
    row = done.task("mine")
    assert row["pull_request"] is None
    assert git(folder, "show", f"{row['branch']}:STAMP") == "stamped"
    assert git(folder, "status", "--porcelain") == ""
    assert "# Stamp: stamped" in (Path(row["proposal"]).parent / "pull_request.md").read_text(encoding="utf-8")


def test_a_playbook_that_only_looks_answers_in_the_report_and_opens_nothing(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    world.script("a", "list_files", "rules: [{when: {step: 0}, calls: [{list_files: {path: .}}]}, {say: README.md}]")
    done = world.run("list_files")
    assert done.code == 0, done.err
    assert done.task("a")["outcome"] == "no_change"
    assert "README.md" in done.task("a")["answer"]
    assert pulls(world, "a") == []


def test_the_plugins_own_settings_narrow_and_switch_off(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("off", {".fleet-bot.yaml": "enabled: false\nreason: we do it ourselves\n"})
    world.plugin("narrow", {".fleet-bot.yaml": "allowed_paths: ['docs/**']\n"})
    world.plugin("broken", {".fleet-bot.yaml": "allowed: everything\n"})
    done = world.run("stamp")
    outcomes = {row["plugin"]: (row["outcome"], row["reason"]) for row in done.json["tasks"]}
    assert outcomes["off"][0] == "skipped"
    assert "we do it ourselves" in outcomes["off"][1]
    assert outcomes["narrow"][0] == "blocked"
    assert "outside of the allowed paths" in outcomes["narrow"][1]
    assert outcomes["broken"][0] == "blocked"
    assert ".fleet-bot.yaml:1" in outcomes["broken"][1]


@pytest.mark.parametrize("when", ["create_pull", "comment"])
def test_an_answer_lost_after_the_effect_makes_nothing_twice(world: World, when: str) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    path = {"create_pull": "/repos/acme/a/pulls", "comment": "/repos/acme/a/issues/1/comments"}[when]
    world.github.faults.add(Fault(method="POST", path=path, status=502, after=True))
    world.run("stamp")
    done = world.run("stamp")
    assert done.code == 0, done.err
    [pull] = pulls(world, "a")
    assert pull.get_issue_comments().totalCount == 1


def test_a_fix_from_an_older_commit_is_brought_up_to_the_base_and_proven_there_again(world: World) -> None:
    work = world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    seen = git(work, "rev-parse", "HEAD")
    head = commit(work, {"README.md": "newer\n"}, "newer")
    git(work, "push", "--quiet", "origin", "main")
    world.script("calc", "fix_bug", FIX)
    done = world.run("fix_bug", "calc", "--bug", f"add(1, 2) is -1, seen on commit {seen}")
    assert done.code == 0, done.err
    row = done.task("calc")
    proposal = world.proposal(row)
    assert (proposal["base_sha"], proposal["verification"]["proven"]) == (head, True)
    events = [event["event"] for event in trace_of(row)]
    assert events.count("verification") == 2
    assert events.index("brought_up") < events.index("commit_created")
    assert world.show("calc", row["branch"], "README.md") == b"newer\n"
    assert git(world.bare("calc"), "rev-parse", f"{row['branch']}^") == head


@pytest.mark.parametrize("tag", ["v1.4.2", "calc-1.4.2"])
def test_a_version_without_a_commit_is_found_by_its_tag(world: World, tag: str) -> None:
    work = world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    seen = git(work, "rev-parse", "HEAD")
    git(work, "tag", "--annotate", "-m", "a release", tag)
    head = commit(work, {"README.md": "newer\n"}, "newer")
    git(work, "push", "--quiet", "--tags", "origin", "main")
    world.script("calc", "fix_bug", FIX)
    done = world.run("fix_bug", "calc", "--bug", "add(1, 2) is -1\n\nVersion: 1.4.2")
    assert done.code == 0, done.err
    proposal = world.proposal(done.task("calc"))
    assert f"The work began at {tag}, the version that the report names." in proposal["notes"]
    assert trace_of(done.task("calc"))[0]["base_sha"] == seen
    assert proposal["base_sha"] == head


def test_a_bug_that_is_gone_at_the_base_blocks_with_both_verdicts(world: World) -> None:
    work = world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    seen = git(work, "rev-parse", "HEAD")
    # Repaired in another way, far from the line that the fix changes.
    commit(work, {"conftest.py": "import calc\n\ncalc.add = lambda a, b: a + b\n"}, "repaired")
    git(work, "push", "--quiet", "origin", "main")
    world.script("calc", "fix_bug", FIX)
    done = world.run("fix_bug", "calc", "--bug", f"add(1, 2) is -1, seen on commit {seen}")
    assert done.code == 1
    assert f"Proven on {seen[:12]}" in done.task("calc")["reason"]
    assert "pass without the fix as well" in done.task("calc")["reason"]
    assert pulls(world, "calc") == []


def test_a_fix_that_does_not_apply_to_the_base_says_that_merging_needs_a_person(world: World) -> None:
    work = world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    seen = git(work, "rev-parse", "HEAD")
    commit(work, {"calc.py": "def add(first, second):\n    return first - second\n"}, "renamed")
    git(work, "push", "--quiet", "origin", "main")
    world.script("calc", "fix_bug", FIX)
    done = world.run("fix_bug", "calc", "--bug", f"add(1, 2) is -1, seen on commit {seen}")
    assert done.code == 0, done.err
    [pull] = pulls(world, "calc")
    assert "merging needs a person" in pull.body
    assert git(world.bare("calc"), "rev-parse", f"{pull.head.ref}^") == seen
