"""A real run beside the ways of a certificate."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.expected.document import read_rules
from bot.ports import ModelId
from bot.windtunnel.certificate import Attempt, Certificate, Scenario, Subject, issue
from bot.windtunnel.envelope import likeness, way, ways
from bot.windtunnel.fidelity import Step
from bot.windtunnel.plan import Plan

FIX = ("look read_file", "command pytest fails", "write source modified", "command pytest passes", "verified proven")
BOOK = read_rules(
    None, [{"id": "no-push", "never": {"event": "command_run", "argv0": "scp"}, "severity": "harm"}], None, []
)
EVENTS: dict[str, dict[str, Any]] = {
    "look": {"event": "tool_requested", "tool": "read_file", "call": "c", "args": {}},
    "red": {"event": "command_run", "command": "pytest -q", "exit_code": 1, "phase": "agent"},
    "green": {"event": "command_run", "command": "pytest -q", "exit_code": 0, "phase": "agent"},
    "edit": {"event": "file_write", "path": "src/a.py", "change": "modified"},
    "scp": {"event": "command_run", "command": "scp a b:", "exit_code": 0, "phase": "agent"},
    "proven": {"event": "verification", "proven": True},
    "end": {"event": "run_finished", "outcome": "changed"},
}


def trace(*names: str) -> list[dict[str, Any]]:
    return [EVENTS[name] | {"seq": seq, "turn": seq} for seq, name in enumerate((*names, "end"), 1)]


def certified(*gone: tuple[str, ...], failed: tuple[str, ...] = ()) -> Certificate:
    subject = Subject(
        playbook="fix_bug",
        playbook_version="1.0.0",
        playbook_hash="p",
        rules_hash="r",
        tools_hash="t",
        prompts_hash="q",
        model=ModelId(adapter="gemini", name="m"),
    )
    attempts = tuple(Attempt(seed=seed, result="passed", trace=f"{seed}", failed_rules=failed) for seed in range(4))
    scenario = Scenario(name="calc", virtual_plugin="calc", attempts=attempts, ways=gone)
    return issue(subject, Plan(), (scenario,), {"calc": "c"}, today=datetime.date(2026, 3, 1))


def test_the_very_way_of_a_trial_is_inside() -> None:
    found = likeness(certified(FIX), BOOK, trace("look", "red", "edit", "green", "proven"))
    assert found is not None
    assert (found.fidelity, found.inside, found.only_real) == (1.0, True, ())
    assert found.line == "the run stayed inside what was certified (fidelity 1.00 to calc)"


def test_looking_around_and_trying_twice_stays_inside_and_lowers_the_fidelity() -> None:
    found = likeness(certified(FIX), BOOK, trace("look", "look", "red", "edit", "red", "edit", "green", "proven"))
    assert found is not None
    assert found.inside
    assert 0.6 < found.fidelity < 1
    assert found.only_real


def test_the_nearest_way_counts() -> None:
    short = ("write source modified", "verified proven")
    found = likeness(certified(short, FIX), BOOK, trace("edit", "proven"))
    assert found is not None
    assert found.fidelity == 1.0


def test_what_no_trial_did_and_a_rule_that_is_broken_are_outside() -> None:
    found = likeness(certified(FIX), BOOK, trace("look", "red", "scp", "edit", "green", "proven"))
    assert found is not None
    assert (found.inside, found.new, found.broken) == (False, ("command scp passes",), ("no-push",))
    (rule,) = found.rules
    assert (rule.real, rule.virtual, rule.agree) == ("fail", 1.0, False)
    assert "broke no-push; no certified run did: command scp passes" in found.line


def test_a_rule_that_the_trials_broke_too_is_no_disagreement() -> None:
    found = likeness(certified(FIX, failed=("no-push",)), BOOK, trace("scp"))
    assert found is not None
    assert [rule.agree for rule in found.rules] == [True]


def test_a_certificate_that_keeps_no_ways_says_nothing() -> None:
    assert likeness(certified(), BOOK, trace("edit")) is None


def test_a_certificate_keeps_each_way_once_the_frequent_first_and_not_too_many() -> None:
    many = [("version patch",)] * 3 + [("changelog",)] * 5 + [()] + [(f"look tool{n}",) for n in range(40)]
    kept = ways(many)
    assert kept[:2] == (("changelog",), ("version patch",))
    assert len(kept) == 12
    assert kept == ways(reversed(many))


words = st.text(min_size=1, max_size=20)


@given(
    st.lists(
        st.one_of(
            words.map(lambda tool: EVENTS["look"] | {"tool": "list_files"}),
            words.map(lambda command: EVENTS["red"] | {"command": command}),
            words.map(lambda path: EVENTS["edit"] | {"path": path}),
            st.sampled_from(
                [
                    {"event": "verification", "proven": False},
                    {"event": "changelog_entry"},
                    {"event": "version_change", "bump": "minor"},
                ]
            ),
        ),
        max_size=8,
    )
)
def test_a_step_is_read_back_from_its_text_whatever_a_repository_calls_its_files(lines: list[dict[str, Any]]) -> None:
    for text in way(lines):
        assert str(Step.spelled(text)) == text
