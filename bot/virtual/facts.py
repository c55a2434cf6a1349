"""Facts: questions to a virtual tree that a profile's answers depend on. Nothing of the tree is ever executed."""

from __future__ import annotations

import functools
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
import yaml

from bot.base.glob import matches
from bot.virtual.code import CodeCheck, code_holds
from bot.virtual.tree import Node

_ABSENT = object()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A text that stands somewhere in a file."""

    file: str
    value: str | None = None
    """Key path, as in a fact."""
    matches: str | None = None
    """Regular expression whose first group is the text."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A question; all parts that are given have to hold."""

    all: tuple[Fact | str, ...] = ()
    """Facts, by name or written out, that all hold."""
    any: tuple[Fact | str, ...] = ()
    """Facts of which one holds."""
    no: tuple[Fact | str, ...] = ()
    """Facts of which none holds (`not` in the file)."""
    state: tuple[tuple[str, str | int | float | bool], ...] = ()
    """Values that commands have `set`."""
    same: tuple[Place, ...] = ()
    """Places that all say the same, and say something."""
    file: str | None = None
    """The path, or a glob: then one fitting file has to pass everything below."""
    exists: bool | None = None
    changed: bool | None = None
    """Whether it differs from what the virtual plugin began with."""
    matches: str | None = None
    """Regular expression that is found in it (in the value, when there is one); `^` and `$` stand at every line."""
    lacks: str | None = None
    """Regular expression that is not found in it."""
    python: CodeCheck | None = None
    """What holds for it as Python."""
    value: str | None = None
    """Key path such as `project.version` in TOML, JSON or YAML, told apart by the file's name."""
    equals: str | int | float | bool | None = None
    newer_than: str | None = None
    """A version that `value` is newer than."""
    at_least: str | None = None
    """A version that `value` is not older than."""


class View(Protocol):
    """What a fact can ask about."""

    @property
    def files(self) -> Mapping[str, Node]:
        """The tree now."""
        ...

    @property
    def original(self) -> Mapping[str, Node]:
        """The tree at the start."""
        ...

    @property
    def state(self) -> Mapping[str, str | int | float | bool]:
        """What commands have set."""
        ...


def holds(fact: Fact | str, facts: Mapping[str, Fact], view: View) -> bool:
    """Whether a fact, or the one of that name, holds now."""
    if isinstance(fact, str):
        fact = facts[fact]
    if not all(holds(part, facts, view) for part in fact.all):
        return False
    if fact.any and not any(holds(part, facts, view) for part in fact.any):
        return False
    if any(holds(part, facts, view) for part in fact.no):
        return False
    if any(view.state.get(name) != wanted for name, wanted in fact.state):
        return False
    if fact.same and not _same(fact.same, view):
        return False
    return fact.file is None or _file(fact, fact.file, view)


def _same(places: tuple[Place, ...], view: View) -> bool:
    found = set()
    for place in places:
        node = view.files.get(place.file)
        said = None if node is None else _said(place, node)
        if said is None:
            return False
        found.add(said)
    return len(found) == 1


@functools.lru_cache(maxsize=4096)
def _said(place: Place, node: Node) -> str | None:
    text = node.data.decode("utf-8", "surrogateescape")
    if place.value is not None:
        value = _value(text, place.file, place.value)
        if value is _ABSENT:
            return None
        text = str(value)
    if place.matches is None:
        return text
    match = re.search(place.matches, text, re.MULTILINE)
    return match.group(1) if match else None


def _file(fact: Fact, path: str, view: View) -> bool:
    files = view.files
    if any(char in path for char in "*?[{"):
        known = files.keys() | view.original.keys() if fact.changed is not None else files.keys()
        found = [name for name in known if name[0] != "/" and matches(name, path)]
        if fact.exists is False:
            return not found
        return any(_one(fact, name, view) for name in sorted(found))
    return _one(fact, path, view)


def _one(fact: Fact, path: str, view: View) -> bool:
    node = view.files.get(path)
    if fact.exists is not None and fact.exists != (node is not None):
        return False
    if fact.changed is not None and fact.changed != (node != view.original.get(path)):
        return False
    if node is None:
        return fact.exists is False or (fact.changed is True and not _looks_inside(fact))
    return not _looks_inside(fact) or _content(fact, node, path)


def _looks_inside(fact: Fact) -> bool:
    return any(part is not None for part in (fact.matches, fact.lacks, fact.python, fact.value))


@functools.lru_cache(maxsize=4096)
def _content(fact: Fact, node: Node, path: str) -> bool:
    """Whether everything that looks inside of a file holds; the same file is asked again and again."""
    text = node.data.decode("utf-8", "surrogateescape")
    if fact.python is not None and not code_holds(fact.python, text):
        return False
    if fact.value is not None:
        value = _value(text, path, fact.value)
        if value is _ABSENT or not _compares(fact, value):
            return False
        text = value if isinstance(value, str) else json.dumps(value)
    if fact.matches is not None and not re.search(fact.matches, text, re.MULTILINE):
        return False
    return fact.lacks is None or not re.search(fact.lacks, text, re.MULTILINE)


def _compares(fact: Fact, value: object) -> bool:
    if fact.equals is not None and (value != fact.equals or isinstance(value, bool) != isinstance(fact.equals, bool)):
        return False
    if fact.newer_than is not None and not version(str(value)) > version(fact.newer_than):
        return False
    return fact.at_least is None or version(str(value)) >= version(fact.at_least)


def _value(text: str, path: str, keys: str) -> object:
    readers: dict[str, Callable[[str], object]] = {"toml": tomllib.loads, "json": json.loads}
    read = readers.get(path.rpartition(".")[2].lower(), yaml.safe_load)
    try:
        value: object = read(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return _ABSENT
    for step in keys.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


def version(text: str) -> tuple[tuple[int, ...], int, str]:
    """A version so that it sorts: numbers without trailing zeros, then releases after their pre-releases."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    if found is None:
        return (), 0, text
    numbers = [int(part) for part in found.group().split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    rest = text[found.end() :].partition("+")[0]
    pre = re.match(r"[-._]?(a|b|c|rc|alpha|beta|pre|preview|dev)", rest, re.IGNORECASE)
    return tuple(numbers), 0 if pre else 1, rest.lower()
