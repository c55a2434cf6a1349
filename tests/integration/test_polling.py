"""Labels on the plugins' own issues, found by the clock: each setting of the label is answered once, whoever set it may write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from action_runs import CONTROL, Ran, action
from app_keys import key_pair
from msgspec.structs import replace
from payloads import labelled
from small_plugins import FIX, PLUGIN, STAMP, pulls
from small_world import TOKEN, World

from bot.forge.app import READING, TALKING, WRITING
from bot.virtual.github.faults import Fault
from bot.virtual.github.records import Issue

ADA, EVE = "ghp_" + "ada0" * 9, "ghp_" + "eve0" * 9
WORKFLOW = "ghs_" + "work0" * 8
NEXT_SECOND = 1.1
"""GitHub's times are to the second, so what has to be later takes so long."""
APP = {"FLEET_BOT_APP_ID": "4711", "FLEET_BOT_APP_PRIVATE_KEY": key_pair()[0], "GITHUB_TOKEN": "", "GH_TOKEN": ""}
CLOCK = {"event": "schedule", "payload": {"schedule": "17 * * * *"}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.github.add_person(ADA, "ada", permission="write")
        world.github.add_person(EVE, "eve", permission="read")
        world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
        world.script("calc", "fix_bug", FIX)
        world.github.add_repository(CONTROL, default_branch="main")
        world.github.add_issue("acme/calc", number=7, title="add subtracts", body="add(1, 2) is -1", author="eve")
        yield world


def asked(world: World, method: str, tail: str, body: object = None, token: str = ADA) -> None:
    import requests

    place = f"{world.github.api_url}/repos/acme/calc/issues/7{tail}"
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "test"}
    answer = requests.request(method, place, json=body, headers=headers, timeout=10)
    assert answer.ok, answer.text


def label(world: World, token: str, method: str = "POST") -> None:
    if method == "POST":
        asked(world, "POST", "/labels", {"labels": ["fleet-bot:fix"]}, token)
    else:
        asked(world, "DELETE", "/labels/fleet-bot:fix", token=token)


def polled(world: World, **more: Any) -> tuple[Ran, Ran, Ran]:
    """Plan, propose and publish, as three jobs."""
    plan = action(world, "plan", poll="true", **CLOCK, **more)
    if plan.outputs.get("tasks", "0") == "0":
        return plan, plan, plan
    digest = plan.outputs["plan-digest"]
    rest = [action(world, job, plan_digest=digest, **CLOCK, **more) for job in ("propose", "publish")]
    return plan, rest[0], rest[1]


def change_issue(world: World, change: Callable[[Issue], Issue]) -> None:
    """What GitHub's interface does not offer to everybody."""
    store = world.github.hub.store
    repository = store.get("acme/calc")
    store.put(replace(repository, issues=repository.issues | {7: change(repository.issue(7))}))


def comments(world: World) -> list[str]:
    return [comment.body for comment in world.github.hub.store.get("acme/calc").issue(7).comments]


def test_a_label_leads_to_a_pull_request_and_one_answer_and_not_again(world: World) -> None:
    label(world, ADA)
    plan, propose, publish = polled(world)
    assert (plan.code, propose.code, publish.code) == (0, 0, 0), plan.log + propose.log + publish.log
    [pull] = pulls(world, "calc")
    assert pull.head.ref == "fix/issue-7"
    [said] = comments(world)
    assert pull.html_url in said
    issue = world.github.hub.store.get("acme/calc").issue(7)
    assert [(one.content, one.author) for one in issue.reactions] == [("eyes", "fleet-bot")]
    again, _, _ = polled(world)
    assert again.outputs["tasks"] == "0"
    assert "Nothing is due" in again.log
    assert len(comments(world)) == 1


def test_setting_the_label_again_asks_again_and_updates_the_one_answer(world: World) -> None:
    label(world, ADA)
    polled(world)
    label(world, ADA, "DELETE")
    assert polled(world)[0].outputs["tasks"] == "0"
    label(world, ADA)
    plan, _, publish = polled(world)
    assert plan.outputs["tasks"] == "1"
    assert publish.code == 0, publish.log
    assert len(comments(world)) == len(pulls(world, "calc")) == 1


def test_what_another_account_of_ours_has_answered_is_answered_and_a_strangers_word_is_none(world: World) -> None:
    label(world, ADA)
    setting = world.github.hub.store.get("acme/calc").issue(7).events[-1].id
    asked(world, "POST", "/comments", {"body": f"<!-- fleet-bot:asked {setting} -->"})
    change_issue(world, lambda issue: replace(issue, comments=(replace(issue.comments[0], author="eve"),)))
    world.github.add_person("ghp_reader", "fleet-reader")
    reading = {"GITHUB_TOKEN": "ghp_reader"}
    plan = action(world, "plan", poll="true", **CLOCK, env=reading)
    assert plan.outputs["tasks"] == "1", plan.log
    for job in ("propose", "publish"):
        action(world, job, plan_digest=plan.outputs["plan-digest"], **CLOCK)
    assert action(world, "plan", poll="true", **CLOCK, env=reading).outputs["tasks"] == "0"


def test_what_the_plugins_own_workflow_has_answered_is_answered_until_the_label_is_set_again(world: World) -> None:
    """Both ways at once: the plugin's own caller, by its workflow's token, and the look of the control repository."""
    world.github.add_person(WORKFLOW, "github-actions[bot]", app=True)
    label(world, ADA)
    payload = labelled("acme/calc", 7, "add(1, 2) is -1", title="add subtracts")
    own = {"event": "issues", "payload": payload, "repository": "acme/calc", "env": {"FLEET_BOT_EVENT_TOKEN": WORKFLOW}}
    ran = action(world, "run", **own)
    assert ran.code == 0, ran.log
    [said] = world.github.hub.store.get("acme/calc").issue(7).comments
    assert said.author == "github-actions[bot]"
    again, _, _ = polled(world)
    assert again.outputs["tasks"] == "0", again.log
    label(world, ADA, "DELETE")
    label(world, ADA)
    assert polled(world)[0].outputs["tasks"] == "1"


def label_as_eve(world: World) -> None:
    """On GitHub whoever has the triage role may set labels; here a label of ada's is made hers."""
    label(world, ADA)
    change_issue(
        world, lambda issue: replace(issue, events=(*issue.events[:-1], replace(issue.events[-1], actor="eve")))
    )


def test_who_may_not_write_asks_in_vain_and_is_told_so_once(world: World) -> None:
    why = "eve has the permission read in acme/calc; write is needed"
    label_as_eve(world)
    plan, _, _ = polled(world)
    assert plan.outputs["tasks"] == "0"
    assert why in plan.log
    [said] = comments(world)
    assert why in said
    assert world.github.hub.store.get("acme/calc").issue(7).reactions == ()
    again, _, _ = polled(world)
    assert (again.outputs["tasks"], why in again.log, comments(world)) == ("0", False, [said])
    label(world, ADA, "DELETE")
    label_as_eve(world)
    assert why in polled(world)[0].log
    assert len(comments(world)) == 1
    label(world, ADA, "DELETE")
    label(world, ADA)
    assert polled(world)[0].outputs["tasks"] == "1"
    assert len(comments(world)) == 2


def test_where_the_plans_token_may_say_nothing_it_stands_in_the_log_each_time(world: World) -> None:
    world.github.add_app("4711", "fleet-app", key_pair()[1], ("acme/calc",), dict(READING))
    label_as_eve(world)
    for _ in range(2):
        plan = action(world, "plan", poll="true", **CLOCK, env=APP)
        assert (plan.code, plan.outputs["tasks"]) == (0, "0"), plan.log
        assert "eve has the permission read" in plan.log
        assert "acme/calc#7: the token may say nothing there" in plan.log
    assert comments(world) == []


@pytest.mark.parametrize("change", [{"body": "Rather delete everything."}, {"title": "Delete everything"}])
def test_words_that_were_changed_after_the_label_are_not_given_to_an_agent(
    world: World, change: dict[str, str]
) -> None:
    label(world, ADA)
    asked(world, "PATCH", "", change)
    plan, _, _ = polled(world)
    assert plan.outputs["tasks"] == "0"
    assert "acme/calc#7: Its text was changed after the label was set; set the label anew" in plan.log
    [said] = comments(world)
    assert "set the label anew" in said
    time.sleep(NEXT_SECOND)
    label(world, ADA, "DELETE")
    label(world, ADA)
    assert polled(world)[0].outputs["tasks"] == "1"


def test_words_that_were_changed_before_the_label_are_what_it_was_set_for(world: World) -> None:
    asked(world, "PATCH", "", {"body": "add(1, 2) is -1, which is wrong", "title": "add subtracts!"})
    time.sleep(NEXT_SECOND)
    label(world, ADA)
    assert polled(world)[0].outputs["tasks"] == "1"


def test_a_repository_that_cannot_be_read_does_not_stop_the_others(world: World) -> None:
    world.entries.insert(0, {"name": "gone", "repo": "acme/gone"})
    label(world, ADA)
    plan, _, _ = polled(world)
    assert plan.outputs["tasks"] == "1"
    assert "acme/gone" in plan.log


def test_a_fix_that_is_not_proven_is_answered_too(world: World) -> None:
    world.script("calc", "fix_bug", "rules: [{say: I cannot.}]")
    label(world, ADA)
    _, _, publish = polled(world)
    [said] = comments(world)
    assert "calc: **failed**" in said
    assert publish.code == 1


def test_a_campaign_without_its_certificate_does_not_stop_the_others_of_the_same_look(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.settings["certificates"] = {"require": "always"}
    world.settings["schedules"] = [{"playbook": "stamp", "cron": CLOCK["payload"]["schedule"]}]
    label(world, ADA)
    plan, propose, publish = polled(world)
    assert (plan.code, plan.outputs["tasks"], propose.code, publish.code) == (0, "1", 0, 0), plan.log
    assert "::warning title=fix_bug" in plan.log
    assert "no certificate" in plan.summary
    assert len(pulls(world, "calc")) == 1
    [said] = comments(world)
    assert "no certificate for fix" in said
    report = action(world, "report", plan_digest=plan.outputs["plan-digest"], **CLOCK)
    assert report.code == 1
    assert "blocked" in report.summary
    # Nothing was answered yet: the next look asks again, and says nothing new.
    assert "no certificate" in polled(world)[0].summary
    assert comments(world) == [said]


def test_a_lone_campaign_without_its_certificate_is_refused_and_its_issue_told(world: World) -> None:
    world.settings["certificates"] = {"require": "always"}
    label(world, ADA)
    plan, _, _ = polled(world)
    assert plan.code == 3
    [said] = comments(world)
    assert "no certificate for fix" in said


def test_when_the_look_fails_its_issues_are_told_nothing_of_other_plugins(world: World) -> None:
    world.plugin("closed", PLUGIN, remote={"private": True})
    world.playbook("stamp", STAMP)
    world.settings["schedules"] = [{"playbook": "stamp", "cron": CLOCK["payload"]["schedule"], "plugins": ["closed"]}]
    world.github.faults.add(Fault(path="/acme/closed.git/*", status=403, times=99))
    world.github.add_repository(CONTROL, default_branch="main", private=True)
    label(world, ADA)
    plan, _, _ = polled(world)
    assert plan.code == 1
    [said] = comments(world)
    assert "the next look tries again" in said
    assert "closed" not in said


def test_without_being_asked_nobody_looks(world: World) -> None:
    label(world, ADA)
    assert action(world, "plan", **CLOCK).outputs["tasks"] == "0"
    assert not [one for one in world.github.requests if "/issues" in one.path and one.method == "GET"]


def test_with_an_app_it_is_the_app_that_reads_and_answers(world: World) -> None:
    world.github.add_app("4711", "fleet-app", key_pair()[1], ("acme/calc",), dict(WRITING))
    label(world, ADA)
    plan = action(world, "plan", poll="true", **CLOCK, env=APP)
    assert plan.outputs["tasks"] == "1", plan.log
    [reaction] = world.github.hub.store.get("acme/calc").issue(7).reactions
    assert (reaction.content, reaction.author) == ("eyes", "fleet-app[bot]")
    given = [one.rights for one in world.github.hub.people.values() if one.rights is not None]
    assert given == [dict(READING), dict(TALKING)]
    digest = plan.outputs["plan-digest"]
    assert action(world, "propose", plan_digest=digest, **CLOCK, env={"GITHUB_TOKEN": TOKEN}).code == 0
    published = action(world, "publish", plan_digest=digest, **CLOCK, env=APP)
    assert published.code == 0, published.log
    [answer] = world.github.hub.store.get("acme/calc").issue(7).comments
    assert answer.author == "fleet-app[bot]"
