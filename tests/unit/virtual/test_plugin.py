"""A virtual plugin is read strictly, and every mistake is named with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.base.errors import ConfigurationError
from bot.base.values import TestCommand
from bot.virtual.plugin import find_virtual_fleet, read_virtual_fleet

LEAST = "summary: A plugin.\nentry: {repo: acme/one}\n"


def write(fleet: Path, name: str, text: str, *, repo: bool = True) -> Path:
    folder = fleet / name
    (folder / "repo" if repo else folder).mkdir(parents=True)
    (folder / "plugin.yaml").write_text(text, encoding="utf-8")
    return folder


def problems(fleet: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        read_virtual_fleet(fleet)
    return [str(problem).replace(f"{fleet}/", "") for problem in raised.value.problems]


def test_the_least_that_a_plugin_needs(tmp_path: Path) -> None:
    write(tmp_path, "one", LEAST)
    (plugin,) = read_virtual_fleet(tmp_path)
    assert (plugin.name, plugin.entry.name, plugin.entry.repo) == ("one", "one", "acme/one")
    assert plugin.history.branch == "main"
    assert plugin.scenarios == ()
    assert plugin.answers("fix_bug") == tmp_path / "one" / "answers" / "fix_bug.yaml"
    assert plugin.solution("fix_bug") == tmp_path / "one" / "solution" / "fix_bug.patch"


def test_an_entry_has_the_keys_of_the_manifest(tmp_path: Path) -> None:
    write(tmp_path, "one", "summary: x\nentry: {repo: acme/one, test: make test, topics: [a], draft: false}\n")
    write(tmp_path, "two", "summary: x\nentry: {repo: acme/two, test: {command: make test, junit: out.xml}}\n")
    one, two = read_virtual_fleet(tmp_path)
    assert one.entry.test == TestCommand(command="make test")
    assert (one.entry.topics, one.entry.draft) == (("a",), False)
    assert two.entry.test == TestCommand(command="make test", junit="out.xml")


def test_a_plugin_that_shares_a_repository_has_the_history_of_its_owner(tmp_path: Path) -> None:
    write(
        tmp_path, "owner", "summary: x\nentry: {repo: acme/both}\nhistory: {branch: trunk}\nremote: {private: true}\n"
    )
    write(tmp_path, "guest", "summary: x\nentry: {repo: acme/both, directory: guest}\nshares: owner\n", repo=False)
    guest, owner = read_virtual_fleet(tmp_path)
    assert guest.shares == "owner"
    assert (guest.source, guest.history, guest.remote) == (owner.folder, owner.history, owner.remote)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("summary: [\n", "one/plugin.yaml:2: is no YAML"),
        ("summary: x\nentry: {repo: acme/one}\nrpeo: 1\n", "one/plugin.yaml:1: Object contains unknown field `rpeo`"),
        ("summary: x\nentry:\n  repo: acme/one\n  draft: maybe\n", "one/plugin.yaml:4: Expected `bool`, got `str`"),
        ("summary: x\nentry: {repo: https://github.com/a/b}\n", "one/plugin.yaml:2: Expected `str` matching regex"),
        (
            LEAST + "scenarios:\n  - playbook: a\n    expect: {outcomes: [changed]}\n  - playbook: b\n"
            "    expect: {outcomes: [done]}\n",
            "one/plugin.yaml:7: Invalid enum value 'done'",
        ),
        (LEAST + "scenarios: [{playbook: a, issue: 7, expect: {outcomes: [changed]}}]\n", "there is no issue 7"),
        (LEAST + "scenarios: [{playbook: a, report: a.txt, expect: {outcomes: [changed]}}]\n", "a.txt is not there"),
        (LEAST + "scenarios: [{playbook: a, expect: {outcomes: []}}]\n", "Expected `array` of length >= 1"),
        (LEAST + "shares: other\n", "shares: other is no virtual plugin with a repository of its own"),
        (
            LEAST + "history: {commits: [{name: a, when: 2024-01-01T00:00:00Z, message: a}, "
            "{name: a, when: 2024-01-02T00:00:00Z, message: b}]}\n",
            "two commits have the same name",
        ),
        (LEAST + "history: {commits: [{name: a, when: 2024-01-01, message: a}]}\n", "RFC3339 encoded datetime"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "one", text)
    (problem,) = problems(tmp_path)
    assert problem.startswith("one/plugin.yaml:")
    assert said in problem


def test_all_mistakes_of_all_plugins_are_named(tmp_path: Path) -> None:
    write(tmp_path, "one", LEAST + "more: 1\n")
    write(tmp_path, "two", LEAST, repo=False)
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "plugin.yaml").write_bytes(b"summary: \xff\n")
    found = problems(tmp_path)
    assert len(found) == 3
    assert "no UTF-8" in found[1]
    assert "no folder repo/" in found[2]


def test_two_plugins_can_only_share_one_repository(tmp_path: Path) -> None:
    write(tmp_path, "owner", "summary: x\nentry: {repo: acme/both}\n")
    write(tmp_path, "guest", "summary: x\nentry: {repo: acme/other}\nshares: owner\n", repo=False)
    assert problems(tmp_path) == [
        "guest/plugin.yaml:1: shares: owner lives in acme/both, this one in acme/other",
    ]


def test_a_folder_without_plugins_is_an_empty_fleet(tmp_path: Path) -> None:
    assert read_virtual_fleet(tmp_path) == ()


def test_the_shipped_fleet_is_found_in_the_checkout(project: Path) -> None:
    assert find_virtual_fleet() == project / "virtual_fleet"
