"""Rules as a person writes them: read as a whole, with all mistakes at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.base.errors import ConfigurationError
from bot.base.values import Playbook, Variable
from bot.expected.beside import completed, lines_in, rules_file
from bot.expected.document import read_rules, rules_of
from bot.expected.vocabulary import Mistake

NOTE = {"event": "note"}


def mistakes(expect: object, outcome: object = None, let: object = None) -> str:
    found: list[Mistake] = []
    read_rules(let, expect, outcome, found)
    return "\n".join(map(str, found))


def playbook(**fields: object) -> Playbook:
    return Playbook(**({"id": "p", "version": "1", "summary": ""} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"never": NOTE}, "expect[0]: has no id"),
        ({"id": "a", "nevr": NOTE}, "expect[0]: there is no operator 'nevr'; did you mean never?"),
        ({"id": "a"}, "expect[0]: needs exactly one of never, only"),
        ({"id": "a", "never": NOTE, "last": {"of": NOTE, "is": NOTE}}, "needs exactly one of"),
        (
            {"id": "a", "never": NOTE, "severity": "harmful"},
            "expect[0].severity: 'harmful' is no severity; did you mean harm?",
        ),
        ({"id": "a", "never": NOTE, "when": "chnged"}, "expect[0].when: 'chnged' is no outcome; did you mean changed?"),
        ({"id": "a", "never": NOTE, "when": 3}, "expect[0].when: 3 is no outcome"),
        ({"id": "a", "never": NOTE, "message": 3}, "expect[0].message: is no text"),
        ({"id": "a", "before": {"first": NOTE}}, "expect[0].before: then is missing"),
        (
            {"id": "a", "before": {"first": {"event": "nte"}, "then": NOTE}},
            "expect[0].before.first.event: there is no event 'nte'",
        ),
        ({"id": "a", "before": NOTE}, "there is no 'event' here"),
        ({"id": "a", "before": "x"}, "has to be a mapping with first, then"),
        ({"id": "a", "after": {"each": NOTE, "must": NOTE, True: 1}}, "YAML reads on, yes, no and off"),
        ({"id": "a", "only": {"of": NOTE}}, "allow is missing"),
        ({"id": "a", "last": {"of": NOTE}}, "is is missing"),
        ({"id": "a", "count": {"of": NOTE}}, "needs min or max"),
        ({"id": "a", "count": {"min": 1}}, "of is missing"),
        ({"id": "a", "count": {"of": NOTE, "min": -1}}, "-1 is no number of events"),
        ({"id": "a", "count": {"of": NOTE, "max": True}}, "True is no number of events"),
        ({"id": "a", "count": {"of": NOTE, "min": 3, "max": 1}}, "max 1 is below min 3"),
        ({"id": "a", "between": {"from": NOTE}}, "never is missing"),
        ({"id": "a", "same": {"a": NOTE}}, "b is missing"),
        ({"id": "a", "same": {"a": NOTE, "b": {"of": NOTE, "field": "message"}}}, "expect[0].same.a: of is missing"),
        (
            {"id": "a", "same": {"a": {"of": NOTE, "field": "mesage"}, "b": {"of": NOTE, "field": "message"}}},
            "note has no field mesage",
        ),
        (
            {
                "id": "a",
                "same": {"a": {"of": NOTE, "field": "message", "re": "("}, "b": {"of": NOTE, "field": "message"}},
            },
            "not a regular expression",
        ),
        ("never", "is no rule"),
    ],
)
def test_a_mistake_in_a_rule_is_named_with_its_place(rule: object, sentence: str) -> None:
    assert sentence in mistakes([rule])


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"id": "a", "fil": {}}, "outcome[0]: there is no operator 'fil'; did you mean file?"),
        ({"id": "a", "file": {}}, "outcome[0].file: Object missing required field `path`"),
        ({"id": "a", "file": {"path": "a", "exist": True}}, "unknown field `exist`"),
        ({"id": "a", "file": {"path": "a", "contains": "("}}, "outcome[0].file: missing )"),
        ({"id": "a", "version": {"bump": "ptach"}}, "Invalid enum value 'ptach'"),
    ],
)
def test_a_mistake_in_a_predicate_is_named_with_its_place(rule: object, sentence: str) -> None:
    assert sentence in mistakes([], [rule])


def test_all_mistakes_come_at_once() -> None:
    text = mistakes(
        [
            {"id": "a", "never": "red"},
            {"id": "a", "never": NOTE},
            {"id": "b", "severity": "x", "never": {"event": "y"}},
        ],
        [{"id": "b", "diff": {"max_files": "x"}}],
        {"green": {"event": "z"}},
    )
    for sentence in ("no selector is called 'red'", "the id a is taken", "b is taken", "event 'y'", "event 'z'", "'x'"):
        assert sentence in text
    assert "has to be a list" in mistakes({"id": "a"})


def test_what_an_only_or_a_last_allows_need_not_repeat_the_event() -> None:
    rules = [
        {"id": "a", "only": {"of": {"event": "file_write"}, "allow": {"path": "src/**"}}},
        {"id": "b", "last": {"of": {"event": "command_run"}, "is": {"exit": 0}}},
    ]
    assert mistakes(rules) == ""


def test_variables_are_filled_in_with_their_type() -> None:
    book = rules_of(
        playbook(
            variables={"most": Variable(type="integer"), "name": Variable()},
            expect=({"id": "{{ name }}-x", "count": {"of": NOTE, "max": "{{ most }}"}},),
        ),
        {"most": 3, "name": "n"},
    )
    assert book.rules[0].id == "n-x"
    assert book.rules[0].operator.most == 3  # type: ignore[attr-defined]


def test_without_values_examples_stand_in() -> None:
    variables = {
        "a": Variable(choices=("minor", "major")),
        "b": Variable(default="major"),
        "c": Variable(type="integer"),
    }
    rule = {"id": "x", "never": {"event": "version_change", "bump": ["{{ a }}", "{{ b }}"], "to": "{{c}}."}}
    assert rules_of(playbook(variables=variables, expect=(rule,))).rules


def test_text_of_strangers_must_not_shape_a_rule() -> None:
    bad = playbook(variables={"report": Variable(untrusted=True)}, expect=({"id": "{{ report }}", "never": NOTE},))
    with pytest.raises(ConfigurationError) as caught:
        rules_of(bad, {"report": "x"})
    assert "text of strangers" in str(caught.value.problems[0])


def test_an_unknown_variable_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError) as caught:
        rules_of(playbook(variables={"name": Variable()}, expect=({"id": "{{ nam }}", "never": NOTE},)))
    assert "there is no variable nam; did you mean name?" in str(caught.value.problems[0])


def test_the_hash_follows_the_rules_and_the_variables() -> None:
    rule = {"id": "x", "never": {"event": "note", "message": "{{ a }}"}}
    book = playbook(variables={"a": Variable()}, expect=(rule,))
    assert rules_of(book, {"a": "1"}).hash == rules_of(book, {"a": "1"}).hash
    assert rules_of(book, {"a": "1"}).hash != rules_of(book, {"a": "2"}).hash
    assert not rules_of(playbook())


def test_rules_beside_a_playbook_are_added_and_hashed(tmp_path: Path) -> None:
    file = tmp_path / "p.md"
    mine = playbook(file=str(file), hash="h", let={"a": NOTE}, expect=({"id": "x", "never": "a"},))
    assert completed(mine) == mine
    text = {"let": {"b": NOTE}, "expect": [{"id": "y", "never": "b"}], "outcome": [{"id": "z", "diff": {}}]}
    rules_file(file).write_text(yaml.safe_dump(text))
    more = completed(mine)
    assert [rule.id for rule in rules_of(more).rules] == ["x", "y"]
    assert [rule.id for rule in rules_of(more).outcomes] == ["z"]
    assert more.hash != "h"
    assert completed(playbook()) == playbook()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", ":2: "),
        ("- a", "is no mapping"),
        ("expct: []", "there is no 'expct' here"),
        ("expect: {}", "expect has to be a list"),
        ("let: []", "let has to be a mapping"),
    ],
)
def test_a_broken_rules_file_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "p.expect.yaml").write_text(text + "\n")
    with pytest.raises(ConfigurationError) as caught:
        completed(playbook(file=str(tmp_path / "p.md")))
    assert sentence in str(caught.value.problems[0])


def test_a_mistake_beside_a_playbook_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "p.expect.yaml").write_text(
        "let:\n  a: {event: note}\nexpect:\n  - id: x\n    before:\n      first: b\n      then: a\n  - never: a\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        rules_of(completed(playbook(file=str(tmp_path / "p.md"))))
    assert [problem.line for problem in caught.value.problems] == [6, 8]
    assert all(problem.file.endswith("p.expect.yaml") for problem in caught.value.problems)
    assert lines_in(tmp_path / "nothing") == {}
