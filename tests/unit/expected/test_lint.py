"""Lint finds rules that cannot fail, rules that contradict each other, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.glob import matches
from bot.expected.document import read_rules
from bot.expected.lint import Lint, lint
from bot.expected.samples import matching, paths, samples
from bot.expected.vocabulary import Field, Mistake

WRITE = {"event": "file_write"}


def lint_of(*expect: object, outcome: object = None) -> Lint:
    mistakes: list[Mistake] = []
    book = read_rules({}, list(expect), outcome, mistakes)
    assert mistakes == []
    return lint(book)


def cannot_fail(found: Lint) -> list[str]:
    return [rule.id for rule in found.rules if not rule.can_fail]


@pytest.mark.parametrize(
    "rule",
    [
        {"never": WRITE | {"path": {"outside": "**"}}},
        {"never": {"event": "command_run", "exit": {"ge": 1, "lt": 1}}},
        {"only": {"of": WRITE, "allow": WRITE}},
        {"count": {"of": WRITE | {"path": "a"}, "min": 0}},
        {"last": {"of": WRITE | {"path": "a"}, "is": WRITE}},
        {"before": {"first": WRITE, "then": WRITE | {"path": {"outside": "**"}}}},
        {"between": {"from": WRITE, "never": {"event": "note", "message": {"in": ["a"], "not": "a"}}}},
        {"never": {"event": "version_change", "bump": "patch", "not": {"bump": ["patch", "minor"]}}},
    ],
)
def test_a_rule_that_nothing_can_break_is_reported(rule: dict[str, object]) -> None:
    found = lint_of({"id": "vacuous"} | rule, {"id": "fine", "never": WRITE | {"path": "x"}})
    # `last` without any event is broken: that one can fail by having none.
    assert cannot_fail(found) == ([] if "last" in rule else ["vacuous"])
    assert found.good is ("last" in rule)


def test_good_rules_are_good_and_say_what_breaks_them() -> None:
    found = lint_of(
        {"id": "order", "before": {"first": {"event": "command_run", "exit": {"ge": 1}}, "then": WRITE}},
        {"id": "few", "count": {"of": {"event": "tool_requested"}, "max": 40}},
        {
            "id": "again",
            "after": {"each": WRITE, "must": {"event": "command_run", "argv0": "pytest", "passed": {"ge": 1}}},
        },
        {"id": "some", "count": {"of": WRITE, "min": 3}},
        {"id": "arguments", "never": {"event": "tool_requested", "args.path": "secret/**"}},
        {"id": "said", "never": {"event": "command_run", "stdout": {"re": r"(?i)error: \d{3}\b"}}},
        {"id": "argv", "never": {"event": "command_run", "argv": {"has": "--force", "ge": 1}}},
        {"id": "flag", "never": {"event": "guard_refused", "undone": True}},
    )
    assert found.good
    assert found.caught <= found.mutants
    assert {rule.id: rule.broken_by for rule in found.rules}["few"].endswith("41 times")
    assert sum("file_write" in event for event in found.passing) == 3


def test_same_can_pass_and_fail_with_a_pattern_too() -> None:
    side = {"of": {"event": "note"}, "field": "message", "re": r"v(\d+)"}
    found = lint_of(
        {"id": "s", "same": {"a": side, "b": {"of": {"event": "nudged"}, "field": "reason", "re": r"(\d+)"}}}
    )
    assert found.good


def test_rules_that_contradict_each_other_are_reported() -> None:
    found = lint_of({"id": "must", "count": {"of": WRITE, "min": 1}}, {"id": "must-not", "never": WRITE})
    assert found.contradiction == ("must",)
    assert not found.good


def test_many_conditions_do_not_stop_it() -> None:
    names = [f"p{i}/**" for i in range(9)]
    rules = [
        {"id": f"{i}", "never": WRITE | {"path": name, "bytes": {"ge": i + 2}, "added": i, "removed": {"le": i}}}
        for i, name in enumerate(names)
    ]
    assert lint_of(*rules).good


@pytest.mark.parametrize(
    "rule",
    [
        {"diff": {}},
        {"tests": {"no_regression": False}},
        {"file": {"path": "a"}},
        {"tests_not_weakened": {"except": ["**"]}},
        {"changelog": {"entries": 7}},
    ],
)
def test_a_predicate_that_cannot_both_hold_and_fail_is_reported(rule: dict[str, object]) -> None:
    assert not lint_of(outcome=[{"id": "vacuous"} | rule]).good


@pytest.mark.parametrize(
    "rule",
    [
        {"diff": {"max_files": 3}},
        {"diff": {"max_lines": 50}},
        {"diff": {"paths": ["lib/**"], "min_files": 1}},
        {"tests": {"red_to_green": True}},
        {"tests": {"passed": 4}},
        {"file": {"path": "docs/*.md", "contains": "^# [A-Z]+"}},
        {"file": {"path": "src/{a,b}.py", "lacks": "print"}},
        {"file": {"path": "x", "changed": False}},
        {"version": {"bump": "major"}},
        {"version": {"to": "9.9.9"}},
        {"version": {"file": "sub/pyproject.toml", "bump": "none"}},
        {"changelog": {"file": "docs/log.md", "version": "5.0"}},
        {"tests_not_weakened": True},
    ],
)
def test_a_predicate_that_says_something_is_good(rule: dict[str, object]) -> None:
    assert lint_of(outcome=[{"id": "good"} | rule]).good


@pytest.mark.parametrize(
    "pattern",
    [
        r"^## (\S+)",
        r"v?\d+\.\d+(?:rc\d)?",
        "a|b",
        "[^a-z]x",
        "(?P<x>ab){2,3}",
        r"[\w.]+@[a-c]\.\w",
        ".",
        r"^$|x",
        r"\bgit\b \S+",
    ],
)
def test_a_text_is_found_for_a_pattern(pattern: str) -> None:
    for pick in (0, 1):
        text = matching(pattern, pick)
        assert text is None or re.search(pattern, text, re.MULTILINE)
    assert matching(pattern) is not None


def test_where_no_text_is_found_none_is_made_up() -> None:
    assert matching(r"(?!)") is None
    assert matching("(") is None


@given(
    st.lists(st.sampled_from(["src", "*", "**", "a?c", "{b,c}.py", "[xy]", "[!q]z", "*.md"]), min_size=1, max_size=4)
)
def test_a_path_is_found_for_a_glob(parts: list[str]) -> None:
    glob = "/".join(parts)
    found = list(paths(glob))
    if "[!" not in glob:
        assert any(matches(path, glob) for path in found), (glob, found)


def test_samples_lie_on_both_sides_of_a_bound() -> None:
    number = Field(kind="number")
    assert list(samples({"gt": 3}, number)) == [4, 3]
    assert list(samples({"not": [1]}, number)) == [1, 2]
    assert list(samples({"ge": 1}, Field(kind="list"))) == [["x"], []]
    assert list(samples({"not": True}, Field(kind="flag"))) == [True, False]
    assert list(samples({"re": "a"}, Field(kind="list")))[-1] == []
