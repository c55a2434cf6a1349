"""The small language that selects plugins."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.errors import UsageError
from bot.base.values import Plugin
from bot.fleet.select import compile_selection

FLEET = (
    Plugin(name="http-core", repo="acme/http-core", topics=("python", "http"), labels=("core",)),
    Plugin(name="http-ui", repo="acme/http-ui", topics=("javascript",)),
    Plugin(name="old-tool", repo="legacy/old-tool", topics=("python",)),
    Plugin(name="plain", repo="https://git.example.org/acme/plain"),
)


def chosen(text: str) -> list[str]:
    fits = compile_selection(text)
    return [plugin.name for plugin in FLEET if fits(plugin)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("topic:python", ["http-core", "old-tool"]),
        ("topic:Python", ["http-core", "old-tool"]),
        ("name:http-*", ["http-core", "http-ui"]),
        ("repo:acme/*", ["http-core", "http-ui"]),
        ("repo:https://**/plain", ["plain"]),
        ("label:core", ["http-core"]),
        ("name:{plain,old-tool}", ["old-tool", "plain"]),
        ("not topic:*", ["plain"]),
        ("not not topic:http", ["http-core"]),
        ("topic:python and not name:old-*", ["http-core"]),
        ("topic:javascript or topic:http and topic:python", ["http-core", "http-ui"]),
        ("(topic:javascript or topic:http) and topic:python", ["http-core"]),
        ("not (topic:python or topic:javascript)", ["plain"]),
        ("NOT topic:python AND(name:plain)", ["plain"]),
        ("  topic:python  ", ["http-core", "old-tool"]),
    ],
)
def test_a_selection_means(text: str, names: list[str]) -> None:
    assert chosen(text) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks a test such as topic:python at its end"),
        ("topic:python and", "lacks a test such as topic:python at its end"),
        ("python", "at character 1: `python` is no test"),
        ("topic:a topic:b", "at character 9: `topic:b` does not belong here"),
        ("topic:a and or topic:b", "at character 13: `or` is no test"),
        ("(topic:a", "lacks a `)` at its end"),
        ("(topic:a topic:b)", "`topic:b` is not the `)` that is missing"),
        ("topic:a)", "at character 8: `)` closes nothing"),
        ("()", "at character 2: `)` is no test"),
        ("tpoic:a", "did you mean topic?"),
        ("colour:a", "there are topic, name, repo, label"),
        ("topic:", "has nothing after the colon"),
        ("name:[z-a]", "is no glob"),
        ("(" * 99 + "topic:a" + ")" * 99, "is nested too deep"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_selection(text)
    assert said in caught.value.what
    assert "topic:python" in caught.value.cure


_TESTS = st.sampled_from(["topic:python", "topic:http", "name:http-*", "repo:acme/*", "label:core"])
_TREES = st.recursive(
    _TESTS,
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=12,
)


def written(tree: object) -> str:
    match tree:
        case ("not", inner):
            return f"not ({written(inner)})"
        case (left, word, right):
            return f"({written(left)}) {word} ({written(right)})"
    return str(tree)


def meant(tree: object, plugin: Plugin) -> bool:
    match tree:
        case ("not", inner):
            return not meant(inner, plugin)
        case (left, "and", right):
            return meant(left, plugin) and meant(right, plugin)
        case (left, "or", right):
            return meant(left, plugin) or meant(right, plugin)
    return compile_selection(str(tree))(plugin)


@given(_TREES, st.sampled_from(FLEET))
def test_brackets_and_words_combine_as_in_logic(tree: object, plugin: Plugin) -> None:
    assert compile_selection(written(tree))(plugin) is meant(tree, plugin)


@given(st.lists(_TESTS, min_size=2, max_size=6), st.data(), st.sampled_from(FLEET))
def test_and_binds_before_or(tests: list[str], data: st.DataObject, plugin: Plugin) -> None:
    words = [data.draw(st.sampled_from(["and", "or"])) for _ in tests[1:]]
    text = tests[0] + "".join(f" {word} {test}" for word, test in zip(words, tests[1:], strict=True))
    groups = [group.split(" and ") for group in text.split(" or ")]
    expected = any(all(compile_selection(test)(plugin) for test in group) for group in groups)
    assert compile_selection(text)(plugin) is expected


@given(st.text(alphabet="()nota dr:*[]{}!?-", max_size=40) | st.text(max_size=30))
def test_any_text_is_a_selection_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert compile_selection(text)(FLEET[0]) in {True, False}
