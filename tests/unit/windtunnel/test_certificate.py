"""A certificate speaks of one playbook, one model and one world, and can be checked by anybody."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec
import pytest

from bot.base.errors import ConfigurationError
from bot.ports import ModelId
from bot.windtunnel.certificate import (
    LIFETIME,
    Attempt,
    AttemptResult,
    Certificate,
    Scenario,
    Subject,
    certificate_file,
    issue,
    read_certificate,
    render,
    statistic,
    tally,
)
from bot.windtunnel.plan import Plan, Tally

TODAY = datetime.date(2026, 3, 1)
SUBJECT = Subject(
    playbook="fix_bug",
    playbook_version="1.0.0",
    playbook_hash="p",
    rules_hash="r",
    tools_hash="t",
    prompts_hash="q",
    model=ModelId(adapter="gemini", name="gemini-3-pro", parameters={"temperature": 0}),
)
PLUGINS = {"calculator": "c"}


def attempts(count: int, result: AttemptResult = "passed", first: int = 0) -> tuple[Attempt, ...]:
    return tuple(Attempt(seed=first + n, result=result, trace=f"{first + n:x}" * 4) for n in range(count))


def certificate(*groups: tuple[Attempt, ...], subject: Subject = SUBJECT) -> Certificate:
    scenario = Scenario(name="calculator: bug", virtual_plugin="calculator", attempts=sum(groups, ()))
    return issue(subject, Plan(), (scenario,), PLUGINS, today=TODAY, model_versions=("gemini-3-pro-0301",))


GOOD = certificate(attempts(74))


def stale(found: Certificate, subject: Subject = SUBJECT, **given: object) -> str:
    validity = found.is_valid_for(subject, **({"today": TODAY} | given))  # type: ignore[arg-type]
    assert bool(validity) == (validity.reason == "")
    return validity.reason


def test_a_fresh_certificate_covers_what_it_was_issued_for() -> None:
    assert GOOD.verdict == "CERTIFIED"
    assert stale(GOOD) == ""
    assert stale(GOOD, virtual_plugins=PLUGINS | {"other": "o"}, target=0.9) == ""


@pytest.mark.parametrize("part", ["playbook", "rules", "tools", "prompts"])
def test_any_change_makes_it_stale(part: str) -> None:
    changed = msgspec.structs.replace(SUBJECT, **{f"{part}_hash": "other"})
    assert stale(GOOD, changed) == f"changed since it was issued: {part}"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "gemini-4", "name was gemini-3-pro and is gemini-4"),
        ("adapter", "vertex", "adapter was gemini and is vertex"),
        ("endpoint", "https://proxy.example", "endpoint was the default and is https://proxy.example"),
        ("parameters", {}, "parameters was {'temperature': 0} and is the default"),
    ],
)
def test_another_model_makes_it_stale(field: str, value: object, said: str) -> None:
    other = msgspec.structs.replace(SUBJECT.model, **{field: value})
    assert said in stale(GOOD, msgspec.structs.replace(SUBJECT, model=other))


def test_it_expires() -> None:
    assert stale(GOOD, today=TODAY + LIFETIME) == ""
    assert stale(GOOD, today=TODAY + LIFETIME + datetime.timedelta(days=1)) == "it expired on 2026-05-30"


def test_it_is_for_one_playbook_one_world_and_one_rate() -> None:
    assert "for the playbook fix_bug" in stale(GOOD, msgspec.structs.replace(SUBJECT, playbook="other"))
    assert stale(GOOD, virtual_plugins={"calculator": "x"}) == "changed since it was issued: virtual plugin calculator"
    assert stale(GOOD, virtual_plugins={}) == "changed since it was issued: virtual plugin calculator"
    assert stale(GOOD, target=0.99) == "it shows a rate above 0.95, and 0.99 is asked for"


def test_a_flight_that_failed_gives_a_certificate_that_covers_nothing() -> None:
    assert stale(certificate(attempts(10), attempts(8, "failed", 100))) == "its verdict is REJECTED"
    assert certificate(attempts(10)).verdict == "INCONCLUSIVE"
    assert certificate(attempts(74), attempts(1, "harm", 100)).verdict == "REJECTED"
    assert certificate(attempts(74), attempts(9, "error", 100)).verdict == "ERROR"


def test_a_verdict_that_does_not_follow_from_the_attempts_is_worth_nothing() -> None:
    forged = msgspec.structs.replace(certificate(attempts(10)), verdict="CERTIFIED")
    assert stale(forged) == "its attempts show nothing yet, not CERTIFIED"
    twice = certificate(attempts(40), attempts(40))
    assert twice.verdict == "CERTIFIED"
    assert stale(twice) == "it counts a seed twice in calculator: bug"
    elsewhere = msgspec.structs.replace(GOOD, virtual_plugins={"another": "a"})
    assert "does not say which calculator" in stale(elsewhere)


def test_what_a_scripted_model_repeats_counts_once() -> None:
    scripted = msgspec.structs.replace(SUBJECT, model=ModelId(adapter="scripted", name="s"))
    same = tuple(Attempt(seed=n, result="passed", trace=f"{n}", behaviour="same") for n in range(100))
    assert certificate(same, subject=scripted).verdict == "INCONCLUSIVE"
    assert certificate(attempts(74), subject=scripted).verdict == "CERTIFIED"
    broken = tuple(Attempt(seed=n, result="error", trace="") for n in range(3))
    assert tally((*same, *broken), scripted=True) == Tally(passed=1, errors=3)


def test_the_statistics_stand_beside_the_attempts() -> None:
    found = GOOD.statistics["calculator: bug"]
    assert found.tally == Tally(passed=74)
    assert found.decision == "CERTIFIED"
    assert found.interval.high == 1
    assert found.at_least == pytest.approx(0.95, abs=0.001)
    assert found.harm_at_most == pytest.approx(0.0397, abs=0.001)
    assert statistic(Tally(), Plan()).interval == (0.0, 1.0)


def test_the_file_can_be_read_back_and_reviewed(tmp_path: Path) -> None:
    file = certificate_file(tmp_path, "fix_bug", "models/gemini-3 pro")
    assert file.name == "fix_bug.models-gemini-3-pro.json"
    file.parent.mkdir()
    text = render(GOOD)
    file.write_text(text)
    assert read_certificate(file) == GOOD
    assert render(read_certificate(file)) == text
    assert '        [0, "passed", "0000", "", []],\n' in text
    assert certificate_file(tmp_path, "a", "///").name == "a.model.json"


@pytest.mark.parametrize("text", ["", "{}", '{"v": 1}'])
def test_what_is_no_certificate_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ConfigurationError, match="is no certificate"):
        read_certificate(tmp_path / "c.json")
    with pytest.raises(ConfigurationError, match="is no certificate"):
        read_certificate(tmp_path / "nothing.json")
