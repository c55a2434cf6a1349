"""The rules of the shipped playbooks: there are some for each, and each of them can fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from playbook_front import playbook_at

from bot.base.values import Playbook, Variable
from bot.expected.beside import completed
from bot.expected.document import rules_of
from bot.expected.lint import lint

FOLDER = Path(__file__).resolve().parents[3] / "playbooks"
RULES = sorted(file.name.removesuffix(".expect.yaml") for file in FOLDER.glob("*.expect.yaml"))
TEXT = Variable()
WITHOUT_FRONT = {
    "bump_version": {"level": Variable(choices=("patch", "minor", "major"), default="patch"), "version": TEXT},
    "copy_file": {"source": TEXT, "target": TEXT},
    "command_and_capture": {"command": TEXT},
    "update_dependency": {"dependency": TEXT, "version": TEXT},
}
"""Variables of playbooks, for a checkout that has only their rules."""


def shipped(name: str) -> Playbook:
    file = FOLDER / f"{name}.md"
    if file.exists():
        return completed(playbook_at(file))
    return completed(Playbook(id=name, version="1", summary="", variables=WITHOUT_FRONT.get(name, {}), file=str(file)))


def test_every_playbook_has_rules() -> None:
    assert {file.stem for file in FOLDER.glob("*.md")} <= {*RULES, "README"}
    assert len(RULES) >= 9


@pytest.mark.parametrize("name", RULES)
def test_every_rule_of_a_shipped_playbook_can_pass_and_can_fail(name: str) -> None:
    found = lint(rules_of(shipped(name)))
    assert found.rules
    assert found.contradiction == ()
    assert [rule.id for rule in found.rules if not rule.can_fail] == []
    assert found.good


@pytest.mark.parametrize("name", RULES)
def test_every_rule_that_can_stop_somebody_says_what_to_do(name: str) -> None:
    assert [rule.id for rule in rules_of(shipped(name)).rules if rule.guards and not rule.message] == []
