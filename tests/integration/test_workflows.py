"""The workflows that `fleet-bot init` writes, run by act: from an event of GitHub to pull requests and an answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import requests
from act_runs import WORKFLOW, Acted, Workflows, why_not
from action_runs import CONTROL
from looking import Looking
from payloads import error_dispatched, labelled, started
from small_plugins import FIX, PLUGIN, STAMP, pulls
from small_world import KEY, TOKEN, World

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
BY_HAND = started(CONTROL)


def test_a_label_on_an_issue_leads_to_a_pull_request_and_an_answer(world: World) -> None:
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.script("calc", "fix_bug", FIX)
    body = "### Plugin\n\ncalc\n\n### What happens\n\nadd(1, 2) is -1"
    world.github.add_repository(CONTROL, default_branch="main")
    world.github.add_issue(CONTROL, number=7, title="add subtracts", body=body, author="ada")
    ran = Workflows(world).run("issues", "fix", labelled(CONTROL, 7, body, title="add subtracts"))
    assert ran.code == 0, ran.log
    [pull] = pulls(world, "calc")
    assert pull.head.ref == "fix/issue-7"
    issue = world.github.hub.store.get(CONTROL).issue(7)
    assert [reaction.content for reaction in issue.reactions] == ["eyes"]
    [comment] = issue.comments
    assert pull.html_url in comment.body
    assert KEY not in ran.log
    assert TOKEN not in ran.log


def test_another_label_starts_nothing(world: World) -> None:
    world.plugin("calc", PLUGIN)
    ran = Workflows(world).run("issues", "fix", labelled(CONTROL, 7, "b", label="bug"))
    assert ran.code == 0, ran.log
    assert not any(exchange.path.startswith("/api") for exchange in world.github.requests)


def test_a_production_error_leads_to_a_pull_request(world: World) -> None:
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.script("calc", "fix_bug", FIX)
    world.github.add_repository(CONTROL, default_branch="main")
    file = Path(__file__).parent.parent / "golden" / "errors" / "sentry-python.json"
    error = json.loads(file.read_text(encoding="utf-8"))
    error["data"]["event"]["release"] = "calc@1.0.0"
    payload = error_dispatched(CONTROL, {"plugin": "calc", "error": error})
    ran = Workflows(world).run("repository_dispatch", "fix", payload)
    assert ran.code == 0, ran.log
    assert [pull.head.ref for pull in pulls(world, "calc")] == ["fix/CALC-1A"]


def test_three_shards_of_which_one_fails(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    world.plugin("b", {"README.md": "b\n"}, setup="echo '::error::from the set-up' && exit 3")
    world.plugin("c", {"README.md": "c\n"})
    ran = Workflows(world).run("workflow_dispatch", "fleet", BY_HAND, playbook="stamp", variables="text=hello")
    assert ran.code != 0
    assert [len(pulls(world, name)) for name in "abc"] == [1, 0, 1]
    outcomes = {row["plugin"]: row["outcome"] for row in ran.report()["tasks"]}
    assert outcomes == {"a": "changed", "b": "failed", "c": "changed"}
    _power_is_split(ran)
    pages = {file.name: file.read_text("utf-8") for file in ran.artifacts.glob("*.html")}
    assert set(pages) == {"traces-1.html", "traces-2.html", "traces-3.html"}
    assert all(page.startswith("<!doctype html>") for page in pages.values())
    assert sorted(place.name for place in ran.artifacts.glob("fleet-bot-proposals-*")) == [
        f"fleet-bot-proposals-{number}-of-3" for number in (1, 2, 3)
    ]
    for name, page in (("a", "traces-1.html"), ("c", "traces-3.html")):
        shown, whole = linked(world, name)
        assert shown.text == pages[page]
        assert "execution_trace.jsonl" in whole.text


def linked(world: World, plugin: str) -> tuple[requests.Response, ...]:
    """What a browser finds at the two links that the trace comment has: the page, and the artifact of the trace."""
    [pull] = pulls(world, plugin)
    [place] = [line for line in traced(world, plugin, pull.number).splitlines() if line.startswith("**Full trace**")]
    return tuple(requests.get(found, timeout=10) for found in re.findall(r"\]\((http[^)]+/artifacts/[0-9]+)\)", place))


def traced(world: World, plugin: str, number: int) -> str:
    [comment] = world.github.hub.store.get(f"acme/{plugin}").issue(number).comments
    return comment.body


def test_while_an_agent_works_nothing_in_its_job_can_write(world: World) -> None:
    """What the issue asks for: environment, process tree and files of a propose job, looked at while it runs."""
    world.plugin("calc", PLUGIN, test="python -m pytest -q --disable-plugin-autoload")
    world.script("calc", "fix_bug", FIX.replace("command: python -m pytest", "command: sleep 1; python -m pytest"))
    body = "### Plugin\n\ncalc\n\n### What happens\n\nadd(1, 2) is -1"
    world.github.add_repository(CONTROL, default_branch="main")
    world.github.add_issue(CONTROL, number=7, title="add subtracts", body=body, author="ada")
    workflows = Workflows(world)
    secrets = {"the write token": TOKEN, "the workflow's token": WORKFLOW, "the model's key": KEY}
    folders = (workflows.control, workflows.artifacts, workflows.home, workflows.temporary)
    with Looking("INPUT_COMMAND=propose", secrets, folders=folders, agent="-m pytest") as looking:
        ran = workflows.run("issues", "fix", labelled(CONTROL, 7, body, title="add subtracts"))
    assert ran.code == 0, ran.log
    assert len(pulls(world, "calc")) == 1
    assert looking.agents, "no command of the agent was seen"
    assert looking.files
    assert {found for found in looking.found if found.startswith("the write token")} == set()
    # The step itself has what it reads with and asks the model with, in its environment and nowhere else.
    own = tuple(f" in environ of {program}" for program in ("bash", "env", "uv", "python", "python3", "fleet-bot"))
    assert {found for found in looking.found if not found.endswith(own)} == set()
    assert any(found.startswith("the model's key") for found in looking.found), "nothing would be found here"


def test_publishing_starts_git_and_nothing_from_a_clone(world: World) -> None:
    world.playbook("stamp", STAMP)
    owned = world.folder / "owned"
    trap = f"#!/bin/sh\ntouch {owned}\n"
    world.plugin("a", {"README.md": "a\n", "git": trap, "conftest.py": f"open({str(owned)!r}, 'w')\n"})
    workflows = Workflows(world)
    with Looking("INPUT_COMMAND=publish", {"the model's key": KEY}, folders=(workflows.control,)) as looking:
        ran = workflows.run("workflow_dispatch", "fleet", BY_HAND, playbook="stamp", variables="text=hello")
    assert ran.code == 0, ran.log
    assert len(pulls(world, "a")) == 1
    assert not owned.exists()
    assert looking.processes
    assert looking.found == set()
    # What the kernel executes lies outside everything that a run makes: no program comes out of a clone.
    assert looking.programs
    assert [program for program in looking.programs if program.is_relative_to(world.folder)] == []
    programs = {command.split(" ")[0].rpartition("/")[2] for command in looking.commands if command}
    known = {
        "bash",
        "python",
        "python3",
        "fleet-bot",
        "git",
        "git-remote-http",
        "git-remote-https",
        "sh",
        "uname",
        "env",
    }
    assert programs <= known, programs


def test_a_schedule_with_nothing_due_is_green(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    ran = Workflows(world).run("schedule", "fleet", {"schedule": "17 * * * *"})
    assert ran.code == 0, ran.log
    assert pulls(world, "a") == []
    assert "Nothing is due" in ran.log
    assert "reckoned from now" not in ran.log


def _power_is_split(ran: Acted) -> None:
    """What the processes of each job had in their environment and arguments, written down as they started."""
    assert set(ran.seen) == {"plan", "propose", "publish", "report"}
    for command, process in ran.seen.items():
        assert (KEY in process) == (command == "propose"), command
        assert (TOKEN in process) == (command == "publish"), command
