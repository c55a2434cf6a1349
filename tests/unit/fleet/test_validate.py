"""`fleet-bot validate`, as a person meets it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.base.errors import ConfigurationError
from bot.cli.validate import validate

Write = Callable[..., Path]


def run(*words: object) -> Result:
    return CliRunner().invoke(validate, [str(word) for word in words], standalone_mode=False)


def said(result: Result) -> list[str]:
    assert isinstance(result.exception, ConfigurationError)
    return [str(problem) for problem in result.exception.problems]


def test_the_projects_own_fleet_and_playbooks_are_in_order(project: Path) -> None:
    result = run("--manifest", project / "fleet.yaml", "--playbooks", project / "playbooks")
    assert result.return_value == 0
    assert "4 plugins" in result.stderr
    assert "no mistakes" in result.stderr


def test_mistakes_of_all_files_are_listed_together(
    fleet_file: Write, playbook_file: Write, fleet_bot: list[str]
) -> None:
    file = fleet_file("version: 1\nplugins: [{name: a}]\nschedules: [{playbook: fix_bgu, cron: x}]\n")
    playbook_file("tols: [read_file]\npull_request: {title: '{{ a }}'}\n")
    done = subprocess.run([*fleet_bot, "validate"], cwd=file.parent, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "fleet.yaml:2: `repo` is missing in `plugins[0]` → add repo: owner/name, https://host/owner/name, or ./path",
        "fleet.yaml:3: `cron` has 1 fields → write five: minute, hour, day, month, weekday",
        "fleet.yaml:3: there is no playbook fix_bgu → write fix_bug",
        "playbooks/work.md:5: `tols` is no known key → write tools",
        "playbooks/work.md:6: the template uses `a`, which is no variable → known are: plugin, report, ticket, commit",
        "error: 5 mistakes in fleet.yaml and 1 playbook in playbooks and 10 shipped playbooks.",
    ]


def test_json_is_one_document_on_stdout_and_nothing_else(fleet_file: Write) -> None:
    good = run("--manifest", fleet_file("version: 1\nplugins: []\n"), "--json")
    assert good.return_value == 0
    assert json.loads(good.stdout)["ok"] is True
    assert json.loads(good.stdout)["problems"] == []
    bad = run("--manifest", fleet_file("version: 1\n"), "--json")
    assert bad.return_value == 2
    (problem,) = json.loads(bad.stdout)["problems"]
    assert (problem["line"], problem["what"]) == (1, "`plugins` is missing")
    assert bad.stderr == ""


def test_without_a_manifest_the_playbooks_are_looked_at_all_the_same(tmp_path: Path, playbook_file: Write) -> None:
    playbook_file("")
    result = run("--manifest", tmp_path / "fleet.yaml")
    assert len(said(result)) == 2


def test_a_schedule_has_to_give_its_playbook_what_it_needs(fleet_file: Write) -> None:
    entry = "{playbook: update_dependency, cron: '0 4 * * 1', vars: {dependancy: requests}}"
    result = run("--manifest", fleet_file(f"version: 1\nplugins: []\nschedules:\n  - {entry}\n"))
    (problem,) = said(result)
    assert (
        ":4: The variables of update_dependency do not fit: `dependancy` is unknown (did you mean dependency?)"
        in problem
    )
    assert "vars: dependency: …" in problem


@pytest.mark.parametrize(
    "schedules",
    ["x", "[x]", "[{playbook: 7, cron: '0 0 * * *'}]", "[{playbook: list_files, cron: '0 0 * * *', vars: x}]"],
)
def test_a_half_written_schedule_is_a_mistake_and_no_crash(fleet_file: Write, schedules: str) -> None:
    assert said(run("--manifest", fleet_file(f"version: 1\nplugins: []\nschedules: {schedules}\n")))


def test_a_folder_of_playbooks_that_is_not_there_is_said(fleet_file: Write, tmp_path: Path) -> None:
    result = run("--manifest", fleet_file("version: 1\nplugins: []\n"), "--playbooks", tmp_path / "none")
    assert isinstance(result.exception, ConfigurationError)
    assert "is no folder" in result.exception.what


def test_a_plugin_on_another_server_is_a_mistake_where_the_server_is_known(
    fleet_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = fleet_file(
        "version: 1\nplugins:\n- {name: a, repo: https://gitlab.com/acme/a}\n- {name: b, repo: acme/b}\n"
        "- {name: c, repo: ./c}\n- {name: d, repo: https://github.com/acme/d}\n"
    )
    assert run("--manifest", file).return_value == 0
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    (problem,) = said(run("--manifest", file))
    assert problem.startswith(f"{file}:3: https://gitlab.com/acme/a is not on https://github.com → Write `repo`")
