"""Facts: what a profile can ask of a tree."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bot.virtual.code import CodeCheck, code_holds
from bot.virtual.facts import Fact, holds, version
from bot.virtual.tree import Node, node


class View(msgspec.Struct):
    files: dict[str, Node]
    original: dict[str, Node]
    state: dict[str, Any] = {}


FILES = {
    "a.py": node(b"def f(x):\n    return x + 1\n"), "b/c.py": node(b"Y = 1\n"), "p.toml": node(b'[t]\nv = "1.10"\nn = 3\nb = true\n'),
    "d.json": node(b'{"a": [{"b": "x"}]}'), "e.yaml": node(b"k: {l: 2}\n"), "broken.toml": node(b"[["), "new": node(b""),
}  # fmt: skip
VIEW = View(
    {**FILES, "a.py": node(b"def f(x):\n    return x + 2\n")},
    {k: v for k, v in FILES.items() if k != "new"} | {"old": node(b"")},
    {"s": 1},
)
KNOWN = {"yes": Fact(file="a.py"), "no": Fact(file="nope")}


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ({}, True), ({"file": "a.py"}, True), ({"file": "nope"}, False), ({"file": "nope", "exists": False}, True),
        ({"file": "a.py", "exists": False}, False), ({"file": "**/*.py", "exists": True}, True),
        ({"file": "*.rb", "exists": False}, True), ({"file": "*.py", "exists": False}, False),
        ({"file": "a.py", "matches": "^    return"}, True), ({"file": "a.py", "matches": "^return"}, False),
        ({"file": "a.py", "lacks": r"\+ 1"}, True), ({"file": "a.py", "lacks": r"\+ 2"}, False),
        ({"file": "**/*.py", "matches": "^Y"}, True), ({"file": "nope", "lacks": "x"}, False),
        ({"file": "a.py", "changed": True}, True), ({"file": "b/c.py", "changed": True}, False),
        ({"file": "new", "changed": True}, True), ({"file": "old", "changed": True}, True),
        ({"file": "*", "changed": True}, True), ({"file": "b/*", "changed": True}, False),
        ({"file": "b/*", "changed": False}, True), ({"file": "o*", "changed": True}, True),
        ({"file": "p.toml", "value": "t.v"}, True), ({"file": "p.toml", "value": "t.x"}, False),
        ({"file": "p.toml", "value": "t.v", "equals": "1.10"}, True), ({"file": "p.toml", "value": "t.n", "equals": 3}, True),
        ({"file": "p.toml", "value": "t.b", "equals": 1}, False), ({"file": "p.toml", "value": "t.v", "newer_than": "1.9"}, True),
        ({"file": "p.toml", "value": "t.v", "newer_than": "1.10"}, False), ({"file": "p.toml", "value": "t.v", "at_least": "1.10.0"}, True),
        ({"file": "p.toml", "value": "t.v", "at_least": "2"}, False), ({"file": "p.toml", "value": "t.v", "matches": r"^1\."}, True),
        ({"file": "p.toml", "value": "t", "matches": '"n": 3'}, True), ({"file": "broken.toml", "value": "t"}, False),
        ({"file": "d.json", "value": "a.0.b", "equals": "x"}, True), ({"file": "d.json", "value": "a.7"}, False),
        ({"file": "e.yaml", "value": "k.l", "equals": 2}, True),
        ({"file": "a.py", "python": {"defines": "f"}}, True), ({"file": "broken.toml", "python": {"parses": False}}, True),
        ({"state": (("s", 1),)}, True), ({"state": (("s", 2),)}, False), ({"state": (("t", 1),)}, False),
        ({"all": ["yes", "yes"]}, True), ({"all": ["yes", "no"]}, False), ({"any": ["no", "yes"]}, True),
        ({"any": ["no"]}, False), ({"no": ["no"]}, True), ({"no": ["no", "yes"]}, False),
        ({"any": [{"file": "nope"}, {"all": ["yes"]}]}, True),
        ({"same": [{"file": "p.toml", "value": "t.n"}, {"file": "p.toml", "matches": r"n = (\d)"}]}, True),
        ({"same": [{"file": "p.toml", "value": "t.n"}, {"file": "a.py", "matches": r"\+ (\d)"}]}, False),
        ({"same": [{"file": "nope"}, {"file": "nope"}]}, False), ({"same": [{"file": "a.py", "matches": "(nope)"}]}, False),
        ({"same": [{"file": "p.toml", "value": "no"}]}, False), ({"same": [{"file": "new"}, {"file": "new"}]}, True),
    ],
)  # fmt: skip
def test_a_fact_holds_or_not(fact: dict[str, Any], expected: bool) -> None:
    assert holds(msgspec.convert(fact, Fact), KNOWN, VIEW) is expected


def test_a_fact_can_be_called_by_name() -> None:
    assert holds("yes", KNOWN, VIEW)
    assert not holds("no", KNOWN, VIEW)


SOURCE = """
class A:
    def f(self, x):
        y = g(x, 1, key=2)
        return y.strip("-")

async def g(*a): return None
"""


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ({"parses": True}, True), ({"parses": False}, False), ({"defines": "A"}, True), ({"defines": "A.f"}, True),
        ({"defines": "A.g"}, False), ({"defines": "g"}, True), ({"contains": "g(x, 1, key=2)"}, True),
        ({"contains": "g(_, _, key=_)"}, True), ({"contains": "g(_)"}, False), ({"contains": "g(_, ..., key=_)"}, True),
        ({"contains": "_.strip(_a)"}, True), ({"contains": "y = _"}, True), ({"contains": "z = _"}, False),
        ({"lacks": "_.lower()"}, True), ({"lacks": "_.strip(_)"}, False), ({"returns": "_.strip('-')"}, True),
        ({"returns": "None"}, True), ({"returns": "_.strip('+')"}, False), ({"inside": "A.f", "returns": "None"}, False),
        ({"inside": "g", "returns": "None"}, True), ({"inside": "h"}, False), ({"contains": "_"}, True),
        ({"contains": "1"}, True), ({"contains": "True"}, False),
    ],
)  # fmt: skip
def test_code_is_asked_by_its_tree(check: dict[str, Any], expected: bool) -> None:
    assert code_holds(msgspec.convert(check, CodeCheck), SOURCE) is expected


def test_what_is_no_code_has_nothing_in_it() -> None:
    assert not code_holds(CodeCheck(lacks="x"), "def (")
    assert code_holds(CodeCheck(parses=False), "def (")


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.9", "1.10"), ("1.0rc1", "1.0"), ("1.0.dev3", "1"), ("1.0", "1.0.1"), ("v1.2", "2"), ("0.9.9", "1.0a1")],
)
def test_versions_sort_as_people_mean_them(older: str, newer: str) -> None:
    assert version(older) < version(newer)


def test_trailing_zeros_and_build_numbers_mean_nothing() -> None:
    assert version("1.2") == version("1.2.0") == version("v1.2.0+build5")
    assert version("none")[0] == ()
