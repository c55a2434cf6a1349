"""`add_fix_workflow` rolls the caller out over a fleet: what it writes is sound, and the gate opens it by name only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from small_plugins import pulls
from small_world import World

from bot.cli.main import run

WORKFLOW = "acme/fleet-bot/.github/workflows/campaign.yml@" + "0123456789abcdef" * 2 + "01234567"
CALLER = ".github/workflows/fleet-bot-fix.yml"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.plugin("a", {"README.md": "a\n"}, test="true && echo 'it''s green'", topics=["python"])
        world.plugin("b", {"README.md": "b\n", "fleet.yaml": "version: 1\nplugins: [{name: b, repo: acme/b}]\n"})
        yield world


def rolled_out(world: World) -> dict[str, str]:
    done = world.run("add_fix_workflow", "--var", f"workflow={WORKFLOW}")
    assert done.code == 0, done.err
    return {name: done.task(name)["branch"] for name in ("a", "b")}


def test_each_plugin_gets_a_caller_that_the_linters_of_workflows_find_nothing_in(world: World, tmp_path: Path) -> None:
    branch = rolled_out(world)["a"]
    text = world.show("a", branch, CALLER).decode()
    document = yaml.safe_load(text)
    assert document["jobs"]["fix"]["uses"] == WORKFLOW
    assert document["jobs"]["fix"]["if"] == "${{ github.event.label.name == 'fleet-bot:fix' }}"
    # Another label's event is a run of its own: it waits for no fix, and no fix waits for it.
    group = (
        "fleet-bot-fix-${{ github.event.label.name == 'fleet-bot:fix' && github.event.issue.number || github.run_id }}"
    )
    assert document["concurrency"] == {"group": group, "cancel-in-progress": False, "queue": "max"}
    assert document["jobs"]["fix"]["permissions"] == dict.fromkeys(
        ("contents", "pull-requests", "issues", "statuses"), "write"
    ) | {"actions": "read"}
    file = tmp_path / "linted" / CALLER
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    programs = Path(sys.executable).parent
    for command in (
        ["zizmor", "--offline", "--persona=pedantic", "--quiet", "--no-progress"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ["actionlint", "-no-color"],
    ):
        program = programs / command[0]
        if not program.exists():
            continue  # It has no wheel for this machine.
        done = subprocess.run([str(program), *command[1:], str(file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_fleet_yaml_is_valid_and_one_that_is_there_stays(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    branches = rolled_out(world)
    manifest = tmp_path / "fresh" / "fleet.yaml"
    manifest.parent.mkdir()
    manifest.write_bytes(world.show("a", branches["a"], "fleet.yaml"))
    assert yaml.safe_load(manifest.read_text(encoding="utf-8")) == {
        "version": 1,
        "plugins": [{"name": "a", "repo": "acme/a", "test": "true && echo 'it''s green'"}],
    }
    assert run(["validate", "--manifest", str(manifest)]) == 0
    capsys.readouterr()
    assert world.show("b", branches["b"], "fleet.yaml") == b"version: 1\nplugins: [{name: b, repo: acme/b}]\n"


def test_once_is_enough(world: World) -> None:
    rolled_out(world)
    rolled_out(world)
    assert [len(pulls(world, name)) for name in ("a", "b")] == [1, 1]


@pytest.mark.parametrize(
    "workflow",
    [
        "acme/fleet-bot/.github/workflows/campaign.yml@main",
        "evil\nrun: x",
        "$(id)/x/.github/workflows/campaign.yml@" + "0" * 40,
    ],
)
def test_only_a_workflow_by_its_commit_is_rolled_out(world: World, workflow: str) -> None:
    done = world.run("add_fix_workflow", "--var", f"workflow={workflow}")
    assert done.code == 2
    assert pulls(world, "a") == []


def test_another_playbook_may_not_touch_workflows(world: World) -> None:
    text = (Path(__file__).parents[2] / "playbooks" / "add_fix_workflow.md").read_text(encoding="utf-8")
    shut = "\n".join(line for line in text.splitlines() if not line.startswith("opens:")).replace(
        "id: add_fix_workflow", "id: sneak"
    )
    world.playbook("sneak", shut + "\n")
    done = world.run("sneak", "a", "--var", f"workflow={WORKFLOW}")
    assert done.task("a")["outcome"] == "blocked"
    assert pulls(world, "a") == []
