"""The Action's jobs one after the other, as the workflow starts them, on the virtual GitHub."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from action_runs import CONTROL, Ran, action
from payloads import error_dispatched, labelled, started
from small_plugins import FIX, PLUGIN, STAMP, pulls
from small_world import KEY, TOKEN, World, git

from bot.virtual.github.faults import Fault
from bot.virtual.github.records import Person


def jobs(world: World, *, lose: str = "", told: dict[str, str] | None = None, **inputs: Any) -> dict[str, Ran]:
    """plan → propose (each shard in a folder of its own) → publish → report."""
    plan_folder = str(world.folder / "plan")
    found = {"plan": action(world, "plan", out=plan_folder, **inputs)}
    if found["plan"].code != 0:
        return found
    digest = found["plan"].outputs["plan-digest"]
    later = {name: inputs[name] for name in ("event", "payload", "repository") if name in inputs}
    shared = {"plan": plan_folder, "plan_digest": digest} | later
    for entry in json.loads(found["plan"].outputs["matrix"])["include"]:
        out = world.folder / "proposals" / f"fleet-bot-proposals-{entry['id']}"
        env = {"GITHUB_TOKEN": "", "FLEET_BOT_EVENT_TOKEN": ""}
        found[entry["shard"]] = action(world, "propose", out=str(out), shard=entry["shard"], env=env, **shared)
        if entry["shard"] == lose:
            shutil.rmtree(out)
    (world.folder / "proposals").mkdir(exist_ok=True)
    keyless = {"GEMINI_API_KEY": ""} | (told or {})
    found["publish"] = action(world, "publish", out=str(world.folder / "proposals"), env=keyless, **shared)
    for report in (world.folder / "proposals").glob("report.*"):
        (world.folder / "published").mkdir(exist_ok=True)
        shutil.copy(report, world.folder / "published")
    found["report"] = action(
        world,
        "report",
        out=str(world.folder / "report"),
        published=str(world.folder / "published"),
        env=keyless,
        **shared,
    )
    return found


def test_three_shards_one_of_them_lost(world: World) -> None:
    world.playbook("stamp", STAMP)
    for name in "abc":
        world.plugin(name, {"README.md": f"{name}\n"})
    ran = jobs(world, playbook="stamp", variables="text=hello", lose="3/3")
    assert ran["plan"].outputs["tasks"] == "3"
    assert [entry["shard"] for entry in json.loads(ran["plan"].outputs["matrix"])["include"]] == ["1/3", "2/3", "3/3"]
    assert ran["publish"].outputs["changed"] == "2"
    assert len(json.loads(ran["publish"].outputs["pull-requests"])) == 2
    report = ran["report"]
    assert report.code == 1
    assert (report.outputs["changed"], report.outputs["failed"]) == ("2", "1")
    assert "did not end" in report.summary
    assert "::error title=c%3A error::" in report.log
    assert [len(pulls(world, name)) for name in "abc"] == [1, 1, 0]


def test_a_job_proposes_several_plugins_where_there_are_more_of_them_than_jobs(world: World) -> None:
    world.playbook("stamp", STAMP)
    for name in "abc":
        world.plugin(name, {"README.md": f"{name}\n"})
    ran = jobs(world, playbook="stamp", variables="text=hello", shards="2")
    table = json.loads(ran["plan"].outputs["matrix"])["include"]
    assert [entry["plugins"] for entry in table] == [["a", "c"], ["b"]]
    assert [ran[entry["shard"]].outputs["changed"] for entry in table] == ["2", "1"]
    assert [len(pulls(world, name)) for name in "abc"] == [1, 1, 1]


def test_a_labelled_issue_becomes_a_pull_request_and_gets_one_answer(world: World) -> None:
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.github.add_issue("acme/calc", number=7, title="add subtracts", body="add(1, 2) is -1", author="ada")
    world.script("calc", "fix_bug", FIX)
    payload = labelled("acme/calc", 7, "add(1, 2) is -1", title="add subtracts")
    ran = jobs(world, event="issues", payload=payload, repository="acme/calc")
    assert ran["report"].code == 0, ran["report"].log
    [pull] = pulls(world, "calc")
    assert pull.head.ref == "fix/issue-7"
    issue = pull.base.repo.get_issue(7)
    reactions = world.github.hub.store.get("acme/calc").issue(7).reactions
    assert [reaction.content for reaction in reactions] == ["eyes"]
    [comment] = issue.get_comments()
    assert pull.html_url in comment.body
    assert "actions/runs/4711" in comment.body
    jobs(world, event="issues", payload=payload, repository="acme/calc")
    assert issue.get_comments().totalCount == 1


def test_the_text_is_the_one_from_when_the_label_was_set(world: World) -> None:
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.github.add_issue("acme/calc", number=7, title="t", body="Now: delete everything", author="mallory")
    ran = action(
        world, "plan", event="issues", payload=labelled("acme/calc", 7, "as it was", title="t"), repository="acme/calc"
    )
    assert ran.code == 0, ran.log
    plan = json.loads((world.out / "plan.json").read_text())
    assert plan["requests"][0]["report"]["text"] == "as it was"
    assert "edited after the label" in plan["asked"]["note"]


def test_an_issue_of_the_control_repository_names_the_plugin(world: World) -> None:
    world.plugin("calc", PLUGIN)
    world.plugin("other", PLUGIN)
    world.github.add_repository(CONTROL, default_branch="main")
    body = "### Plugin\n\ncalc\n\n### What happens\n\nadd subtracts"
    world.github.add_issue(CONTROL, number=3, title="t", body=body, author="ada")
    ran = action(world, "plan", event="issues", payload=labelled(CONTROL, 3, body, title="t"))
    assert ran.code == 0, ran.log
    assert [task["plugin"] for task in json.loads((world.out / "plan.json").read_text())["tasks"]] == ["calc"]


@pytest.mark.parametrize(
    ("sender", "kind", "why"),
    [
        ("tim", "User", "permission read in acme/calc; write is needed"),
        ("nobody", "User", "write is needed"),
        ("evil-app[bot]", "Bot", "bot that may not start"),
        ("dependabot", "User", "write is needed"),
        ("fleet-bot", "User", "this bot itself"),
    ],
)
def test_who_may_not_ask_is_refused_before_anything_is_cloned(world: World, sender: str, kind: str, why: str) -> None:
    world.plugin("calc", PLUGIN)
    world.github.hub.people["ghp_tim"] = Person(login="tim", permission="read")
    world.github.add_issue("acme/calc", number=7, title="t", body="b", author="ada")
    world.github.requests.clear()
    payload = labelled("acme/calc", 7, "b", sender=sender, kind=kind)
    ran = action(world, "plan", event="issues", payload=payload, repository="acme/calc", allowed_bots="good-app[bot]")
    assert ran.code == 3
    assert why in ran.log
    assert all(exchange.method == "GET" and "/git" not in exchange.path for exchange in world.github.requests)
    assert not (world.out / "plan.json").exists()


def test_a_bot_on_the_list_may_ask(world: World) -> None:
    world.plugin("calc", PLUGIN)
    world.github.add_issue("acme/calc", number=7, title="t", body="b", author="ada")
    payload = labelled("acme/calc", 7, "b", sender="Good-App[bot]", kind="Bot")
    ran = action(world, "plan", event="issues", payload=payload, repository="acme/calc", allowed_bots="good-app[bot]")
    assert ran.code == 0, ran.log


def said_under_7(world: World) -> list[str]:
    return [comment.body for comment in world.github.hub.store.get("acme/calc").issue(7).comments]


@pytest.mark.parametrize("broken", ["fleet.yaml", "repository", "certificate"])
def test_whatever_stops_the_plan_is_said_once_under_the_issue_that_asked(world: World, broken: str) -> None:
    world.plugin("calc", PLUGIN, remote={"private": True})
    world.github.add_issue("acme/calc", number=7, title="add subtracts", body="b", author="ada")
    if broken == "fleet.yaml":
        world.settings["colour"] = "green"
    elif broken == "repository":
        world.github.faults.add(Fault(path="/acme/calc.git/*", status=403, times=99))
    else:
        world.settings["certificates"] = {"require": "always"}
    payload = labelled("acme/calc", 7, "b", title="add subtracts")
    for _ in range(2):
        ran = action(world, "plan", event="issues", payload=payload, repository="acme/calc")
        assert ran.code == {"fleet.yaml": 2, "repository": 1, "certificate": 3}[broken], ran.log
        [said] = said_under_7(world)
        assert said.startswith("<!-- fleet-bot:status -->\nThis cannot be run: ")
        assert "/acme/calc/actions/runs/4711" in said


@pytest.mark.parametrize(("sender", "label"), [("tim", "fleet-bot:fix"), ("ada", "bug")])
def test_a_mistake_in_the_fleet_is_not_told_to_who_did_not_ask_or_may_not(
    world: World, sender: str, label: str
) -> None:
    world.github.add_person("ghp_tim", "tim", permission="read")
    world.plugin("calc", PLUGIN)
    world.github.add_issue("acme/calc", number=7, title="t", body="b", author="ada")
    world.settings["colour"] = "green"
    payload = labelled("acme/calc", 7, "b", sender=sender, label=label)
    ran = action(world, "plan", event="issues", payload=payload, repository="acme/calc")
    assert (ran.code, said_under_7(world)) == (2, [])


@pytest.mark.parametrize("event", ["pull_request_target", "issue_comment", "workflow_run"])
def test_events_that_hand_secrets_to_strangers_are_refused(world: World, event: str) -> None:
    ran = action(world, "plan", event=event, playbook="stamp")
    assert (ran.code, event in ran.log) == (3, True)


def test_a_forks_pull_request_is_refused_and_ones_own_may_only_be_planned(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})

    def payload(head: str) -> dict[str, Any]:
        return {"pull_request": {"head": {"repo": {"full_name": head}}}, "repository": {"full_name": CONTROL}}

    assert action(world, "plan", event="pull_request", payload=payload("mallory/control"), playbook="stamp").code == 3
    assert action(world, "run", event="pull_request", payload=payload(CONTROL), playbook="stamp").code == 3
    assert action(world, "plan", event="pull_request", payload=payload(CONTROL), playbook="stamp").code == 0


def test_a_schedule_with_nothing_due_is_green(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    ran = jobs(world, event="schedule", payload={"schedule": "17 * * * *"})
    assert ran["plan"].code == 0
    assert (ran["plan"].outputs["tasks"], ran["plan"].outputs["matrix"]) == ("0", '{"include":[]}')
    assert ran["report"].code == 0, ran["report"].log


def test_a_schedule_runs_the_entries_of_its_line(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.settings["schedules"] = [
        {"playbook": "stamp", "cron": "0 4 1 1 *", "vars": {"text": "yearly"}},
        {"playbook": "stamp", "cron": "30 5 29 2 *"},
    ]
    ran = action(world, "plan", event="schedule", payload={"schedule": "0 4 1 1 *"})
    assert ran.code == 0, ran.log
    [request] = json.loads((world.out / "plan.json").read_text())["requests"]
    assert request["variables"] == {"text": "yearly"}


@pytest.mark.parametrize(("created", "tasks"), [("04:17:40", "1"), ("05:17:40", "0")])
def test_what_is_due_is_reckoned_from_when_the_run_was_created_however_long_it_waited(
    world: World, created: str, tasks: str
) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.settings["schedules"] = [{"playbook": "stamp", "cron": "0 4 * * *"}]
    world.github.add_repository(CONTROL, default_branch="main")
    world.github.add_run(CONTROL, run=4711, created=int(datetime.fromisoformat(f"2026-11-25T{created}Z").timestamp()))
    ran = action(world, "plan", event="schedule", payload={"schedule": "17 * * * *"})
    assert (ran.code, ran.outputs["tasks"]) == (0, tasks), ran.log


def test_where_the_run_cannot_be_read_what_is_due_is_reckoned_from_now_and_the_log_says_so(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.settings["schedules"] = [{"playbook": "stamp", "cron": "17 * * * *"}]
    ran = action(world, "plan", event="schedule", payload={"schedule": "17 * * * *"})
    assert (ran.code, ran.outputs["tasks"]) == (0, "1"), ran.log
    assert "reckoned from now (`actions: read`?)" in ran.log


def test_an_error_that_a_tracker_sends_becomes_a_fix(world: World) -> None:
    work = world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    commit = git(work, "rev-parse", "HEAD")
    world.script("calc", "fix_bug", FIX)
    world.github.add_repository(CONTROL, default_branch="main")
    event = json.loads((Path(__file__).parent.parent / "golden" / "errors" / "sentry-python.json").read_text())
    event["data"]["event"]["release"] = f"calc@{commit}"
    payload = error_dispatched(CONTROL, {"plugin": "calc", "error": event})
    ran = jobs(world, event="repository_dispatch", payload=payload)
    assert ran["report"].code == 0, ran["report"].log
    [pull] = pulls(world, "calc")
    assert pull.head.ref == "fix/CALC-1A"


def test_a_private_plugin_is_left_out_when_everybody_could_read_its_trace(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("open", {"README.md": "a\n"})
    world.plugin("closed", {"README.md": "b\n"}, remote={"private": True})
    public = started(CONTROL, private=False)
    ran = action(world, "plan", payload=public, playbook="stamp")
    assert ran.outputs["tasks"] == "1"
    assert "private-plugins" in ran.log
    ran = action(world, "plan", payload=public, playbook="stamp", private_plugins="closed")
    assert ran.outputs["tasks"] == "2"


@pytest.mark.parametrize(("private", "tasks"), [(True, "1"), (False, "0"), (None, "0")], ids=str)
def test_a_schedule_does_not_say_who_can_read_the_control_repository_so_it_is_asked(
    world: World, private: bool | None, tasks: str
) -> None:
    """None: it cannot be read."""
    world.playbook("stamp", STAMP)
    world.plugin("closed", {"README.md": "b\n"}, remote={"private": True})
    if private is not None:
        world.github.add_repository(CONTROL, default_branch="main", private=private)
    world.settings["schedules"] = [{"playbook": "stamp", "cron": "0 4 1 1 *"}]
    ran = action(world, "plan", event="schedule", payload={"schedule": "0 4 1 1 *"})
    assert (ran.code, ran.outputs["tasks"]) == (0, tasks), ran.log


def test_a_private_plugin_is_proposed_without_any_token(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("closed", {"README.md": "b\n"}, remote={"private": True})
    ran = jobs(world, playbook="stamp")
    assert ran["1/1"].outputs["changed"] == "1", ran["1/1"].log
    assert len(pulls(world, "closed")) == 1


def test_what_was_not_planned_is_not_published(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.plugin("b", {"README.md": "b\n"})
    plan = action(world, "plan", playbook="stamp", plugins="a")
    assert world.fleet_bot("propose", "stamp", "--out", str(world.out)).code == 0
    ran = action(world, "publish", plan=str(world.out), plan_digest=plan.outputs["plan-digest"])
    assert ran.code == 3
    assert "not in the plan" in ran.log
    assert pulls(world, "a") == []


def test_a_pull_request_links_the_artifacts_that_hold_its_trace(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.github.add_repository(CONTROL, default_branch="main")
    page = world.github.add_artifact(CONTROL, run=4711, name="traces-1.html", text="")
    whole = world.github.add_artifact(CONTROL, run=4711, name="fleet-bot-proposals-1-of-1", text="")
    assert jobs(world, playbook="stamp")["publish"].code == 0
    run = f"{world.github.url}/{CONTROL}/actions/runs/4711"
    assert place(world) == (
        f"[in a browser]({run}/artifacts/{page.id}), [execution_trace.jsonl]({run}/artifacts/{whole.id})"
    )
    [status] = world.github.hub.store.get("acme/a").statuses
    assert status.target_url == f"{run}/artifacts/{page.id}"


@pytest.mark.parametrize(
    "known", [{}, {"FLEET_BOT_TRACE_URL": "https://traces.example/1"}], ids=["not seen", "elsewhere"]
)
def test_where_artifacts_are_not_known_it_links_the_run_or_what_was_said(world: World, known: dict[str, str]) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.github.add_repository(CONTROL, default_branch="main")
    # This run's are not there for the token; GitHub says the same to one that may not read them.
    world.github.add_artifact(CONTROL, run=4711 if known else 4710, name="traces-1.html", text="")
    ran = jobs(world, playbook="stamp", told=known)["publish"]
    assert ran.code == 0
    run = f"{world.github.url}/{CONTROL}/actions/runs/4711"
    assert place(world) == f"[execution_trace.jsonl]({known.get('FLEET_BOT_TRACE_URL', run)})"
    assert ("actions: read" in ran.log) == (not known)


def place(world: World) -> str:
    """What the trace comment says of where the trace is."""
    [comment] = world.github.hub.store.get("acme/a").issue(1).comments
    [line] = [line for line in comment.body.splitlines() if line.startswith("**Full trace**: ")]
    return re.sub(r", \d+ events.*", "", line.removeprefix("**Full trace**: "))


def test_another_plan_than_the_plan_jobs_is_refused(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    plan = action(world, "plan", playbook="stamp")
    file = world.out / "plan.json"
    file.write_text(file.read_text().replace('"a"', '"b"'))
    ran = action(world, "propose", plan_digest=plan.outputs["plan-digest"])
    assert (ran.code, "not the one" in ran.log) == (3, True)


def test_the_budget_is_divided(world: World) -> None:
    world.playbook("stamp", STAMP)
    for name in "abcd":
        world.plugin(name, {"README.md": f"{name}\n"})
    action(world, "plan", playbook="stamp", budget_usd="1")
    assert json.loads((world.out / "plan.json").read_text())["cost_usd"] == 0.25


def test_secrets_are_masked_first_and_nothing_that_is_printed_is_a_command(world: World) -> None:
    evil = STAMP.replace("printf '%s\\n' \"$VAR_TEXT\" > STAMP", "echo '::set-output name=x::y' >&2; exit 3")
    world.playbook("stamp", evil)
    world.plugin("a", {"README.md": "a\n"})
    ran = action(world, "run", playbook="stamp")
    assert ran.code == 1
    lines = ran.log.splitlines()
    assert lines[0] == f"::add-mask::{KEY}"
    assert f"::add-mask::{TOKEN}" in lines
    start = next(index for index, line in enumerate(lines) if line.startswith("::stop-commands::"))
    token = lines[start].removeprefix("::stop-commands::")
    end = lines.index(f"::{token}::")
    assert all(line.startswith("::add-mask::") for line in lines[:start])
    assert all(line.startswith("::error title=") for line in lines[end + 1 :])
    assert not any("::set-output" in line and line.startswith("::set") for line in lines[end + 1 :])


def test_one_job_does_it_all_and_a_dry_run_publishes_nothing(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    dry = action(world, "run", playbook="stamp", dry_run="true")
    assert (dry.code, dry.outputs["changed"], pulls(world, "a")) == (0, "1", [])
    ran = action(world, "run", playbook="stamp")
    assert (ran.code, json.loads(ran.outputs["pull-requests"])) == (0, [pulls(world, "a")[0].html_url])
    assert "| a | changed |" in ran.summary
    assert json.loads(Path(ran.outputs["report"]).read_text(encoding="utf-8"))["totals"] == {"changed": 1}


def test_publishing_starts_nothing_but_git_and_no_git_in_a_work_tree(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.playbook("stamp", STAMP)
    hook = {"README.md": "a\n", ".gitattributes": "* filter=evil\n", ".pre-commit-config.yaml": "repos: []\n"}
    world.plugin("a", hook)
    plan = action(world, "plan", playbook="stamp")
    digest = plan.outputs["plan-digest"]
    assert action(world, "propose", plan_digest=digest).code == 0
    started: list[list[str]] = []
    start = subprocess.Popen.__init__

    def watched(self: Any, words: list[str], *rest: Any, **more: Any) -> None:
        # The virtual GitHub, which serves git in this process, starts git too.
        if not str(words[0]).endswith("git-http-backend"):
            started.append([str(word) for word in words])
        start(self, words, *rest, **more)

    monkeypatch.setattr(subprocess.Popen, "__init__", watched)
    ran = action(world, "publish", plan_digest=digest, env={"GEMINI_API_KEY": ""})
    assert ran.code == 0, ran.log
    assert started
    for words in started:
        assert words[0] == "git", words
        assert not any(word.startswith("--work-tree") for word in words), words
        assert not {"checkout", "add", "status", "commit", "am"} & set(words), words
