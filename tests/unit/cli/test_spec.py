"""`fleet-bot spec lint`, as a process."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

FRONT = """---
id: {name}
version: 1.0.0
summary: Does something.
verification: {{tests: none}}
pull_request: {{title: Something}}
---
Do something.
"""
GOOD = "expect:\n  - {id: few, count: {of: {event: file_write}, max: 3}}\n"
VACUOUS = 'expect:\n  - {id: empty, never: {event: file_write, path: {outside: "**"}}}\n'


@pytest.fixture
def lint(fleet_bot: list[str], project: Path, tmp_path: Path) -> Any:
    def run(*words: str, **rules: str) -> subprocess.CompletedProcess[str]:
        for name, text in rules.items():
            (tmp_path / f"{name}.md").write_text(FRONT.format(name=name))
            (tmp_path / f"{name}.expect.yaml").write_text(text)
        command = [*fleet_bot, "spec", "lint", *words, "--playbooks", str(tmp_path)]
        env = os.environ | {"PYTHONPATH": str(project)}
        return subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)

    return run


def test_good_rules_end_with_zero(lint: Any) -> None:
    result = lint("good", good=GOOD)
    assert result.returncode == 0, result.stderr
    assert "good: 1 rules, every rule can fail" in result.stderr
    assert result.stdout == ""


def test_a_rule_that_cannot_fail_ends_with_one(lint: Any) -> None:
    result = lint("good", "vacuous", good=GOOD, vacuous=VACUOUS)
    assert result.returncode == 1
    assert "vacuous: 1 rules, 1 of 1 rules cannot fail" in result.stderr
    assert "empty (never): no mutant breaks it" in result.stderr


def test_rules_that_contradict_each_other_end_with_one(lint: Any) -> None:
    result = lint(
        "c", c="expect:\n  - {id: a, never: {event: note}}\n  - {id: b, count: {of: {event: note}, min: 1}}\n"
    )
    assert result.returncode == 1
    assert "nothing passes: b cannot be fulfilled with the rest" in result.stderr


def test_json_is_one_document(lint: Any) -> None:
    result = lint("vacuous", "--json", vacuous=VACUOUS)
    found = json.loads(result.stdout)
    assert found["ok"] is False
    assert found["playbooks"]["vacuous"]["rules"][0] == {
        "id": "empty",
        "word": "never",
        "can_fail": False,
        "broken_by": "",
    }


def test_mistakes_and_unknown_playbooks_end_with_two(lint: Any) -> None:
    result = lint("wrong", wrong="expect:\n  - {id: a, nevr: {event: note}}\n")
    assert result.returncode == 2
    assert "wrong.expect.yaml:2: expect[0]: there is no operator 'nevr'; did you mean never?" in result.stderr
    result = lint("goood", good=GOOD)
    assert result.returncode == 2
    assert "There is no playbook goood; did you mean good?" in result.stderr


def test_a_playbook_without_rules_is_told_and_a_file_can_be_named(lint: Any, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else" / "none.md"
    elsewhere.parent.mkdir()
    elsewhere.write_text(FRONT.format(name="none"))
    result = lint(str(elsewhere))
    assert result.returncode == 0
    assert "none: no rules" in result.stderr


def test_the_shipped_playbooks_pass(lint: Any) -> None:
    result = lint()
    assert result.returncode == 0, result.stderr
    assert "fix_bug: " in result.stderr
