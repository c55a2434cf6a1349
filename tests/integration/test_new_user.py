"""`docs/github.md`, "Set it up in your organisation", followed step by step by somebody who has never seen it: the
commands are read from the page, GitHub and Gemini are the virtual ones, the workflows that were written run in act.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from act_runs import PIN, SOURCE, Workflows, why_not
from payloads import labelled, started
from small_plugins import FIX, PLUGIN, pulls
from small_world import TOKEN, Done, World

pytestmark = [pytest.mark.skipif(why_not() is not None, reason=str(why_not())), pytest.mark.thorough]
CONTROL = "acme/fleet"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An organisation with two plugins of the fleet, and a repository that is none."""
    with World(tmp_path) as world:
        world.plugin("calc", PLUGIN, remote={"topics": ("fleet", "python")})
        world.plugin("notes", {"README.md": "# Notes\n"}, remote={"topics": ("fleet",)})
        world.plugin("website", {"index.html": "<p>\n"})
        world.script("calc", "fix_bug", FIX)
        yield world


@pytest.fixture
def commands(project: Path) -> list[list[str]]:
    """The commands of the page's first section, in their order."""
    page = (project / "docs" / "github.md").read_text(encoding="utf-8")
    section = page.partition("## Set it up in your organisation")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


def again(workflows: Workflows) -> None:
    """Each run of a workflow has artifacts of its own."""
    shutil.rmtree(workflows.artifacts)
    workflows.artifacts.mkdir()


def test_the_page_leads_from_an_empty_folder_to_a_first_pull_request_and_to_a_fix(
    world: World, commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = tmp_path / "control"
    control.mkdir()
    monkeypatch.chdir(control)
    assert [command[:2] for command in commands] == [["fleet-bot", word] for word in ("init", "validate", "doctor")]

    def typed(command: list[str]) -> Done:
        words = [PIN if word == "COMMIT" else word for word in command[1:]]
        return world.plain(*words, env={"GITHUB_ACTION_REPOSITORY": SOURCE})

    made = typed(commands[0])
    assert made.code == 0, made.err
    manifest = control / "fleet.yaml"
    text = manifest.read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", text) == ["acme/calc", "acme/notes"]
    # Step 1 asks how each is tested; step 2 is a repository on the forge.
    tested = "repo: acme/calc\n    test: python -m pytest -q --disable-plugin-autoload"
    manifest.write_text(text.replace("repo: acme/calc", tested), encoding="utf-8")
    world.github.add_repository(CONTROL, default_branch="main", private=True)

    assert typed(commands[1]).code == 0
    looked = typed(commands[2])
    assert f"{CONTROL} has no label fleet-bot:fix" in looked.err + looked.out
    headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "somebody"}
    place = f"{world.github.api_url}/repos/{CONTROL}/labels"
    assert requests.post(place, json={"name": "fleet-bot:fix"}, headers=headers, timeout=10).status_code == 201
    looked = typed(commands[2])
    assert looked.code == 0, looked.err + looked.out

    workflows = Workflows(world, control, CONTROL)
    dry = workflows.run(
        "workflow_dispatch",
        "fleet",
        started(CONTROL),
        playbook="add_editorconfig",
        plugins="notes",
        **{"dry-run": "true"},
    )
    assert dry.code == 0, dry.log
    assert pulls(world, "notes") == []
    assert (dry.artifacts / "traces-1.html").is_file()
    assert list(dry.artifacts.glob("fleet-bot-proposals-*/*/notes/execution_trace.jsonl"))

    again(workflows)
    real = workflows.run("workflow_dispatch", "fleet", started(CONTROL), playbook="add_editorconfig", plugins="notes")
    assert real.code == 0, real.log
    [pull] = pulls(world, "notes")
    assert _files(world, "notes", pull.head.ref) == [".editorconfig", "README.md"]

    again(workflows)
    body = "### Plugin\n\ncalc\n\n### What happens\n\nadd(1, 2) is -1"
    world.github.add_issue(CONTROL, number=1, title="add subtracts", body=body, author="ada", labels=("fleet-bot:fix",))
    fixed = workflows.run("issues", "fix", labelled(CONTROL, 1, body, title="add subtracts"))
    assert fixed.code == 0, fixed.log
    [pull] = pulls(world, "calc")
    assert pull.head.ref == "fix/issue-1"
    [answer] = world.github.hub.store.get(CONTROL).issue(1).comments
    assert pull.html_url in answer.body


def _files(world: World, name: str, branch: str) -> list[str]:
    command = ["git", f"--git-dir={world.bare(name)}", "ls-tree", "-r", "--name-only", branch]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
