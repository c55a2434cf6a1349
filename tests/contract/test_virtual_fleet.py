"""What every shipped virtual plugin keeps to, so that a scenario shows something of a playbook and not of itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_agent import REPORT_TOOL, TOOLS, Workspace, client, play, run, settings

from bot.base.git import RAW_ATTRIBUTES
from bot.expected.paths import is_test
from bot.virtual.gemini.server import VirtualGemini
from bot.virtual.materialise import commit_ids, fill, history_of, materialise
from bot.virtual.plugin import Scenario, VirtualPlugin, find_virtual_fleet, read_virtual_fleet

FLEET = read_virtual_fleet(find_virtual_fleet())
RED = {"brittle"}
"""Plugins whose own suite is red before anybody comes."""
SCRIPTS = {"add_editorconfig", "add_fix_workflow"}
"""Playbooks that need no model."""
CLAIMS_TOO_MUCH = {"lantern"}
"""Plugins on which the scripted agent says more than it has shown."""
HEADS = {
    "acme/atlas": "ce7946317ebc2e716b78cb23cf0a4a4a4d5bd580",
    "acme/brittle": "53d861adfb89da910284039d14e2c63f7b03ca24",
    "acme/greeter": "3b79b76598e9a922fba0b24438ff0ab2e67fb16f",
    "acme/kiosk": "dabbf65a01563e63682ee9459759ac29b6d8da1f",
    "acme/lantern": "956e25117f0d19f9061a14fe3f855c8a3e57d4fc",
    "acme/pager": "42c6b34899ecf20610c61f953d36d7f4dcb1d68b",
    "acme/slugger": "08e85cc80ddee10b4a17aab0c2498458bcb0b707",
    "acme/steady": "f9f4479c97479f2657e2744358a8fba6b9eccba8",
    "acme/tally": "ed7edee7eeafcbcb1b8b186d1e55ef6ce068bc61",
    "acme/vault": "63743690904900a176e6dccc55f595d3801b626c",
    "acme/weft": "f8922b9fe9aec336da4b3d9ce59b8709af54649e",
    "acme/workshop": "66ec586f853cfff49f96ac849034e88530534b12",
}
"""The commit that each repository's default branch is at: changes only when somebody changes the plain files."""
SCENARIOS = [(plugin, scenario) for plugin in FLEET for scenario in plugin.scenarios]
TO_PROVE = [(plugin, scenario) for plugin, scenario in SCENARIOS if scenario.playbook == "fix_bug"]
PLAYED = [(plugin, scenario) for plugin, scenario in SCENARIOS if scenario.playbook not in SCRIPTS]
KEY = "contract-key"


def named(cases: list[tuple[VirtualPlugin, Scenario]]) -> list[str]:
    return [f"{plugin.name}-{scenario.playbook}" for plugin, scenario in cases]


@pytest.fixture(autouse=True)
def _programs(request: pytest.FixtureRequest) -> None:
    params = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    plugin = params.get("plugin")
    for program in plugin.needs if plugin else ():
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")


@pytest.fixture(scope="module")
def gemini() -> Iterator[VirtualGemini]:
    plugins = {plugin.name: plugin for plugin in FLEET}
    with VirtualGemini(lambda name, playbook: plugins[name].answers(playbook), key=KEY) as server:
        yield server


def clone(plugin: VirtualPlugin, folder: Path, scenario: Scenario | None = None) -> Path:
    """The plugin's project in a clone, at the commit that a run of the scenario starts from."""
    bare = folder / "bare.git"
    ids = materialise(plugin, bare)
    start = list(ids)[-1]
    if scenario is not None and scenario.report is not None:
        start = next((name for name in ids if f"{{commit:{name}}}" in report_of(plugin, scenario)), start)
    if scenario is not None and scenario.commit is not None:
        start = fill(scenario.commit, ids)
    git(folder, "clone", "--quiet", "--no-checkout", str(bare), "work")
    # Byte for byte, as the bot checks out: one plugin's attributes make an ordinary clone dirty.
    (folder / "work" / ".git" / "info" / "attributes").write_text(RAW_ATTRIBUTES, encoding="utf-8")
    git(folder / "work", "checkout", "--quiet", ids.get(start, start))
    return folder / "work" / plugin.entry.directory


def report_of(plugin: VirtualPlugin, scenario: Scenario) -> str:
    if scenario.report is not None:
        return (plugin.folder / scenario.report).read_text(encoding="utf-8")
    return next((f"{issue.title}\n\n{issue.body}" for issue in plugin.issues if issue.number == scenario.issue), "")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
    return done.stdout.decode()


def changed(project: Path) -> list[str]:
    git(project, "add", "--all", "--", ".")
    names = git(project, "diff", "--cached", "--name-only", "-z", "--no-renames", "HEAD").split("\0")
    return [name for name in names if name and "__pycache__" not in name]


def green(plugin: VirtualPlugin, project: Path) -> bool:
    assert plugin.entry.test is not None
    return run(plugin.entry.test.command, project).returncode == 0


def keep_tests_only(plugin: VirtualPlugin, project: Path) -> None:
    """Take back all changes but those of test files: what our proof on the base runs."""
    assert plugin.entry.test is not None
    for name in changed(project):
        if not is_test(name, plugin.entry.test.paths):
            git(project, "checkout", "--quiet", "HEAD", "--", f":/{name}")


def test_there_is_a_plugin_for_each_thing_to_show() -> None:
    outcomes = {outcome for _, scenario in SCENARIOS for outcome in scenario.expect.outcomes}
    assert {"changed", "no_change", "blocked"} <= outcomes
    assert any(plugin.remote.refuse_push for plugin in FLEET)
    assert any(plugin.shares for plugin in FLEET)
    assert any(scenario.issue for _, scenario in SCENARIOS)
    assert any(not plugin.remote.drafts for plugin in FLEET)
    assert {plugin.history.branch for plugin in FLEET} > {"main", "master", "trunk"}


def test_every_shipped_playbook_is_played(project: Path) -> None:
    shipped = {file.stem for file in (project / "playbooks").glob("*.md")} - {"README"}
    assert shipped <= {scenario.playbook for _, scenario in SCENARIOS}


def test_two_plugins_of_one_repository_never_meet_in_one_campaign() -> None:
    seen: set[tuple[str, str, str]] = set()
    for plugin, scenario in SCENARIOS:
        campaign = (plugin.entry.repo, scenario.playbook, str(sorted(scenario.variables.items())))
        assert campaign not in seen
        seen.add(campaign)


@pytest.mark.parametrize("plugin", FLEET, ids=lambda plugin: plugin.name)
def test_it_becomes_a_sound_repository_with_the_same_commits_as_always(plugin: VirtualPlugin, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    ids = commit_ids(plugin, bare)
    subprocess.run(["git", f"--git-dir={bare}", "fsck", "--strict", "--no-progress"], check=True)
    assert list(ids.values())[-1] == HEADS[plugin.entry.repo]


@pytest.mark.parametrize("plugin", FLEET, ids=lambda plugin: plugin.name)
def test_nothing_that_gives_the_end_away_is_in_the_repository(plugin: VirtualPlugin) -> None:
    solutions = [path.read_bytes() for path in sorted(plugin.folder.glob("solution/*.patch"))]
    added = {line[1:] for data in solutions for line in data.splitlines() if line.startswith(b"+") and len(line) > 30}
    for _, files in history_of(plugin):
        assert not {name for name in files if name.split("/")[0] in {"answers", "solution", "plugin.yaml", "reports"}}
        assert not added & {line for _, data in files.values() for line in data.splitlines()}


@pytest.mark.parametrize("plugin", FLEET, ids=lambda plugin: plugin.name)
def test_its_own_suite_runs_and_is_red_only_where_it_should_be(plugin: VirtualPlugin, tmp_path: Path) -> None:
    assert green(plugin, clone(plugin, tmp_path)) == (plugin.name not in RED)


@pytest.mark.parametrize(("plugin", "scenario"), SCENARIOS, ids=named(SCENARIOS))
def test_every_report_can_be_filled(plugin: VirtualPlugin, scenario: Scenario, tmp_path: Path) -> None:
    ids = materialise(plugin, tmp_path / "bare.git")
    assert "{commit:" not in fill(report_of(plugin, scenario), ids)


@pytest.mark.parametrize(("plugin", "scenario"), TO_PROVE, ids=named(TO_PROVE))
def test_the_reference_solution_goes_from_red_to_green(
    plugin: VirtualPlugin, scenario: Scenario, tmp_path: Path
) -> None:
    project = clone(plugin, tmp_path, scenario)
    git(project, "apply", "--whitespace=nowarn", str(plugin.solution(scenario.playbook)))
    assert green(plugin, project)
    keep_tests_only(plugin, project)
    assert changed(project)
    assert not green(plugin, project)


@pytest.mark.parametrize(("plugin", "scenario"), TO_PROVE, ids=named(TO_PROVE))
def test_doing_nothing_proves_nothing(plugin: VirtualPlugin, scenario: Scenario, tmp_path: Path) -> None:
    project = clone(plugin, tmp_path, scenario)
    assert green(plugin, project)
    assert changed(project) == []


@pytest.mark.parametrize(("plugin", "scenario"), PLAYED, ids=named(PLAYED))
def test_its_answers_lead_where_the_scenario_expects(
    plugin: VirtualPlugin, scenario: Scenario, gemini: VirtualGemini, tmp_path: Path
) -> None:
    project = clone(plugin, tmp_path, scenario)
    report = report_of(plugin, scenario)
    config = settings(plugin.name, scenario.playbook, [*TOOLS, REPORT_TOOL] if report else TOOLS)
    workspace = Workspace(project, fill(report, commit_ids(plugin, tmp_path / "bare.git")))
    with client(gemini.url, KEY) as model:
        answer = play(model, config, workspace, f"Follow the playbook {scenario.playbook}.")
    assert answer
    assert not gemini.unused().get(plugin.answers(scenario.playbook))
    touched = changed(project)
    assert bool(touched) == (scenario.expect.outcomes != ("no_change",))
    assert green(plugin, project) == (plugin.name not in RED)
    if scenario.playbook == "bump_version":
        folder = "" if plugin.entry.directory == "." else f"{plugin.entry.directory}/"
        assert {f"{folder}{plugin.entry.version_file}", f"{folder}{plugin.entry.changelog}"} <= set(touched)
    if scenario.playbook == "fix_bug":
        keep_tests_only(plugin, project)
        assert green(plugin, project) == (plugin.name in CLAIMS_TOO_MUCH)
