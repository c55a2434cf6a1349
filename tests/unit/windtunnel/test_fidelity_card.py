"""The fidelity card of a virtual plugin: which runs count, and when they make a certificate stale."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec
import pytest

from bot.base.errors import ConfigurationError, WorldError
from bot.ports import ModelId
from bot.windtunnel.certificate import Attempt, Scenario, Subject, issue
from bot.windtunnel.fidelity_card import FEWEST_RUNS, WINDOW, Card, Run, add_run, card_file, read_card, standing
from bot.windtunnel.plan import Plan

SUBJECT = Subject(
    playbook="fix_bug",
    playbook_version="1.0.0",
    playbook_hash="p",
    rules_hash="r",
    tools_hash="t",
    prompts_hash="q",
    model=ModelId(adapter="gemini", name="m"),
)
SCENARIO = Scenario(name="calc", virtual_plugin="calc", attempts=(Attempt(seed=0, result="passed", trace="x"),))
CERTIFICATE = issue(SUBJECT, Plan(), (SCENARIO,), {"calc": "v1"}, today=datetime.date(2026, 3, 1))


def run(number: int, fidelity: float = 0.9, **given: object) -> Run:
    values: dict[str, object] = {
        "trace": f"head{number}",
        "on": "plugin",
        "at": "2026-03-02",
        "plugin": "real",
        "playbook": "fix_bug",
        "playbook_hash": "p",
        "model": "m",
        "virtual_hash": "v1",
        "fidelity": fidelity,
        "rules": 4,
        "agreed": 3,
    }
    return msgspec.convert(values | given, Run)


def card(*runs: Run) -> Card:
    return Card(virtual_plugin="calc", runs=runs)


@pytest.mark.parametrize("field", ["playbook_hash", "model", "virtual_hash"])
def test_runs_with_another_playbook_model_or_virtual_plugin_say_nothing_of_a_certificate(field: str) -> None:
    assert standing(card(run(1, **{field: "other"})), CERTIFICATE) is None
    found = standing(card(run(1, 0.1, **{field: "other"}), run(2, 0.8)), CERTIFICATE)
    assert found is not None
    assert (found.runs, found.fidelity, found.agreement) == (1, 0.8, 0.75)


def test_a_few_runs_make_nothing_stale_and_enough_do() -> None:
    few = standing(card(*(run(n, 0.1) for n in range(FEWEST_RUNS - 1))), CERTIFICATE)
    enough = standing(card(*(run(n, 0.1) for n in range(FEWEST_RUNS))), CERTIFICATE)
    assert few is not None
    assert enough is not None
    assert (few.below(0.5), enough.below(0.5), enough.below(0)) == (False, True, False)


def test_the_newest_runs_count() -> None:
    old, new = (run(n, 0.0) for n in range(5)), (run(n, 1.0) for n in range(5, 5 + WINDOW))
    found = standing(card(*old, *new), CERTIFICATE)
    assert found is not None
    assert (found.runs, found.fidelity) == (WINDOW, 1.0)


def test_what_there_is_to_learn_is_told_the_frequent_first() -> None:
    runs = (run(1, only_real=("a", "b", "b"), misses=("tox",)), run(2, only_real=("a",)), run(3, only_real=("c", "a")))
    found = standing(card(*runs), CERTIFICATE)
    assert found is not None
    assert found.only_real == ("a", "b", "c")
    assert found.misses == ("tox",)


def test_a_run_counts_once_on_the_plugin_and_once_on_its_twin(tmp_path: Path) -> None:
    assert add_run(tmp_path, "calc", run(1))
    assert not add_run(tmp_path, "calc", run(1))
    assert add_run(tmp_path, "calc", run(1, on="twin"))
    found = read_card(card_file(tmp_path, "calc"))
    assert found is not None
    assert [one.on for one in found.runs] == ["plugin", "twin"]


def test_a_card_does_not_grow_for_ever(tmp_path: Path) -> None:
    for number in range(60):
        add_run(tmp_path, "calc", run(number))
    found = read_card(card_file(tmp_path, "calc"))
    assert found is not None
    assert (len(found.runs), found.runs[-1].trace) == (50, "head59")


def test_no_card_is_none_and_a_broken_one_is_a_mistake(tmp_path: Path) -> None:
    assert read_card(tmp_path / "none.json") is None
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no fidelity card"):
        read_card(tmp_path / "bad.json")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "certificates").write_text("in the way", encoding="utf-8")
    with pytest.raises((WorldError, ConfigurationError)):
        add_run(tmp_path, "calc", run(1))
