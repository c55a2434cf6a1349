"""`fleet-bot demo` as a person runs it, twice in the same folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from once import once
from small_world import Done

from bot.virtual.github.server import VirtualGitHub
from bot.virtual.plugin import find_virtual_fleet, read_virtual_fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.thorough]


def play(folder: Path) -> dict[str, Any]:
    """Both runs: what they printed, and what is on the virtual GitHub after each."""
    runs = []
    for _ in range(2):
        command = [sys.executable, "-P", "-m", "bot", "demo", "--dir", str(folder / "demo"), "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.stdout, done.stderr
        ended = Done(done.returncode, done.stdout, done.stderr)
        runs.append(
            {"code": ended.code, "err": ended.err, "told": ended.json, "pulls": pulls(folder / "demo" / "github")}
        )
    return {"runs": runs}


def pulls(root: Path) -> dict[str, dict[str, Any]]:
    """Every pull request, as `owner/name#number`: its title, head and comments."""
    store = VirtualGitHub(root, token=None, login="fleet-bot").hub.store
    found = {}
    for place in sorted(root.glob("*/*.git")):
        name = f"{place.parent.name}/{place.stem}"
        for issue in store.get(name).issues.values():
            if issue.pull is not None:
                found[f"{name}#{issue.number}"] = {
                    "title": issue.title,
                    "comments": [[comment.id, comment.body] for comment in issue.comments],
                }
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Played once, however many workers look at it."""
    found: list[dict[str, Any]] = once(tmp_path_factory, "demo", play)["runs"]
    return found


def tasks(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [task for report in told["campaigns"] for task in report["tasks"]]


def test_it_ends_well_when_every_plugin_ended_as_its_scenario_expects(runs: list[dict[str, Any]]) -> None:
    assert runs[0]["code"] == 0, runs[0]["err"]
    assert "unexpected" not in runs[0]["err"]
    assert {"changed", "no_change", "blocked"} <= {task["outcome"] for task in tasks(runs[0]["told"])}


def test_each_plugin_that_needs_one_has_its_pull_request(runs: list[dict[str, Any]]) -> None:
    told = {task["plugin"] for task in tasks(runs[0]["told"]) if task["pull_request"]}
    fleet = read_virtual_fleet(find_virtual_fleet())
    needed = {
        plugin.name
        for plugin in fleet
        for scenario in plugin.scenarios
        if scenario.demo and scenario.expect.pull_request
    }
    assert needed - told <= {plugin.name for plugin in fleet if plugin.needs}
    assert told == needed & {task["plugin"] for task in tasks(runs[0]["told"])}
    listed = [task["pull_request"]["url"] for task in tasks(runs[0]["told"]) if task["pull_request"]]
    assert len(set(listed)) == len(listed) == len(runs[0]["pulls"])


def test_one_of_them_is_a_bug_fix_proven_from_red_to_green(runs: list[dict[str, Any]]) -> None:
    proven = [task for task in tasks(runs[0]["told"]) if task["red_before"] and task["pull_request"]]
    assert proven
    verification = json.loads(Path(proven[0]["proposal"]).read_text(encoding="utf-8"))["verification"]
    assert verification["proven"]
    assert verification["green_after"]


def test_every_pull_request_has_exactly_one_trace_comment(runs: list[dict[str, Any]]) -> None:
    for name, pull in runs[0]["pulls"].items():
        traces = [body for _, body in pull["comments"] if "<!-- fleet-bot:trace" in body]
        assert len(traces) == 1, name


def test_a_second_run_in_the_same_folder_changes_nothing(runs: list[dict[str, Any]]) -> None:
    first, second = runs
    assert second["code"] == 0, second["err"]
    assert second["pulls"] == first["pulls"]
    assert [report["totals"] for report in second["told"]["campaigns"]] == [
        report["totals"] for report in first["told"]["campaigns"]
    ]
    assert {task["pull_request"]["action"] for task in tasks(second["told"]) if task["pull_request"]} == {"unchanged"}
