"""One condition on one field, compiled into a function: `"src/**"`, `{ge: 1}`, `[a, b]`, `{outside: ["src/**"]}`.

A field that an event does not have (a command that ran no tests has no `passed`) fulfils no condition, `not` included.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.base.glob import any_matches
from bot.expected.vocabulary import Field, Mistake, near

Test = Callable[[Any], bool]
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge,
    "le": operator.le,
    "gt": operator.gt,
    "lt": operator.lt,
}
COMPARISONS = (*_ORDER, "not", "in", "re", "outside", "has")
_YAML_WORDS = "YAML reads on, off, yes and no as true and false: put the word in quotes"


def compile_condition(spec: object, field: Field, where: str, mistakes: list[Mistake]) -> Test:
    """The function that says whether a value, never None, fulfils `spec`. Adds what is wrong with it to `mistakes`."""
    if isinstance(spec, Mapping):
        return _every([_comparison(word, value, field, where, mistakes) for word, value in spec.items()])
    if field.kind in {"list", "map", "record"}:
        cure = (
            "use has, re or a comparison of its length" if field.kind == "list" else "name one of its parts with a dot"
        )
        mistakes.append(Mistake(where, f"the field holds a {field.kind}, not a single value", cure))
        return _never
    return _one_of(spec if isinstance(spec, list | tuple) else [spec], field, where, mistakes)


def _comparison(word: object, spec: object, field: Field, where: str, mistakes: list[Mistake]) -> Test:
    place = f"{where}.{word}"
    if not isinstance(word, str) or word not in COMPARISONS:
        cure = _YAML_WORDS if isinstance(word, bool) else f"{near(str(word), COMPARISONS).removeprefix('; ')}"
        mistakes.append(Mistake(where, f"{word!r} is no comparison", cure))
        return _never
    wrong = _fits(word, spec, field)
    if wrong:
        mistakes.append(Mistake(place, wrong))
        return _never
    if word in _ORDER:
        return _compared(_ORDER[word], spec, field)
    if word == "has":
        return _has(spec, place, mistakes)
    if word == "re":
        return _pattern(str(spec), field, place, mistakes)
    inner = compile_condition(spec, field, place, mistakes)
    return inner if word == "in" else lambda value: not inner(value)


def _compared(compare: Callable[[Any, Any], bool], bound: object, field: Field) -> Test:
    if field.kind == "list":
        return lambda value: compare(len(value), bound)
    return lambda value: compare(value, bound)


def _fits(word: str, spec: object, field: Field) -> str:
    """What is wrong with a comparison, in words, or nothing."""
    if word in _ORDER:
        if field.kind not in {"number", "list"}:
            return f"the field holds a {field.kind}, which {word} cannot compare"
        return "" if _is_number(spec) else f"{spec!r} is no number"
    if word == "re":
        if field.kind not in {"text", "path", "list"}:
            return f"the field holds a {field.kind}, which re cannot look at"
        return "" if isinstance(spec, str) else f"{spec!r} is no regular expression"
    if word == "has":
        return "" if field.kind == "list" else f"the field holds a {field.kind}; has is for lists"
    if word == "in":
        return "" if isinstance(spec, list | tuple) else "in takes a list"
    if word == "outside" and field.kind != "path":
        return f"the field holds a {field.kind}; outside is for paths"
    return ""


def _one_of(specs: list[Any] | tuple[Any, ...], field: Field, where: str, mistakes: list[Mistake]) -> Test:
    if not specs:
        mistakes.append(Mistake(where, "an empty list, which nothing fits"))
    for spec in specs:
        wrong = _wrong_value(spec, field)
        if wrong:
            mistakes.append(Mistake(where, *wrong))
            return _never
    if field.kind == "path":
        globs = tuple(specs)
        return lambda value: any_matches(value, globs)
    if len(specs) == 1:
        only = specs[0]
        return lambda value: bool(value == only)
    allowed = frozenset(specs)
    return lambda value: value in allowed


def _wrong_value(spec: object, field: Field) -> tuple[str, str] | None:
    if field.kind == "flag":
        return None if isinstance(spec, bool) else (f"{spec!r} is neither true nor false", "")
    if field.kind == "number":
        return None if _is_number(spec) else (f"{spec!r} is no number", "")
    if isinstance(spec, bool):
        return f"{spec!r} is no text", _YAML_WORDS
    if not isinstance(spec, str):
        return f"{spec!r} is no text", "put it in quotes"
    if field.values and spec not in field.values:
        return f"{spec!r} is never said here{near(spec, field.values)}", ""
    return None


def _has(spec: object, where: str, mistakes: list[Mistake]) -> Test:
    inner = compile_condition(spec, Field(kind="text"), where, mistakes)
    return lambda value: any(inner(item) for item in value)


def _pattern(spec: str, field: Field, where: str, mistakes: list[Mistake]) -> Test:
    try:
        search = re.compile(spec).search
    except re.error as error:
        mistakes.append(Mistake(where, f"not a regular expression: {error}"))
        return _never
    if field.kind == "list":
        return lambda value: search(" ".join(map(str, value))) is not None
    return lambda value: search(value) is not None


def _every(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _never(value: object) -> bool:
    return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
