"""Which events and fields a selector may name: the trace's closed vocabulary, and what we derive besides."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import inspect

from bot.trace.events import EVENTS

Kind = Literal["number", "text", "path", "flag", "list", "map", "record"]
Yaml = Any
"""A part of a parsed document, of which nothing is known yet."""
_PATHS = frozenset({"path", "file"})
ENVELOPE = frozenset({"v", "seq", "time", "run", "turn", "event", "prev", "hash"})


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """What a field of an event holds, as far as a condition on it can be right or wrong."""

    kind: Kind
    values: tuple[str, ...] = ()
    """All texts it can hold, when they are a closed set."""
    fields: Mapping[str, Field] = {}
    """Of a record."""


class Mistake(msgspec.Struct, frozen=True):
    """Something wrong in rules that a person wrote. `where` is a path such as `expect[2].before.first`."""

    where: str
    what: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" → {self.cure}" if self.cure else "")


DERIVED: Mapping[str, Mapping[str, Field]] = {
    "command_run": {
        "argv0": Field(kind="text"),
        "argv": Field(kind="list"),
        "exit": Field(kind="number"),
        **{name: Field(kind="number") for name in ("passed", "failed", "skipped", "errors")},
    }
}
"""Fields that `bot.expected.happening` adds."""


@functools.cache
def vocabulary() -> Mapping[str, Mapping[str, Field]]:
    """Event name → field name → what it holds."""
    found: dict[str, Mapping[str, Field]] = {}
    for name, kind in EVENTS.items():
        info = inspect.type_info(kind)
        if not isinstance(info, inspect.StructType):
            raise AssertionError
        found[name] = _fields(info) | dict(DERIVED.get(name, {}))
    return found


def field_at(event: str, dotted: str) -> Field | str:
    """The field that `args.path` or `exit` names in an event, or a sentence that says why there is none."""
    here: Mapping[str, Field] = vocabulary()[event]
    field = Field(kind="record", fields=here)
    steps = dotted.split(".")
    for index, step in enumerate(steps):
        if step not in here:
            return f"{event} has no field {'.'.join(steps[: index + 1])}{near(step, here)}"
        field = here[step]
        if field.kind == "map" and index + 1 < len(steps):
            return Field(kind="path" if steps[-1] in _PATHS else "text")
        here = field.fields
    return field


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or, where nothing is like it and the choice is small, what there is."""
    names = list(known)
    close = difflib.get_close_matches(word, names, 1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there is {', '.join(sorted(names))}" if 0 < len(names) <= 24 else ""


def _fields(info: inspect.StructType) -> dict[str, Field]:
    return {field.encode_name: _field(field.encode_name, field.type) for field in info.fields}


def _field(name: str, kind: inspect.Type) -> Field:
    if isinstance(kind, inspect.UnionType):
        kind = next(part for part in kind.types if not isinstance(part, inspect.NoneType))
    if isinstance(kind, inspect.BoolType):
        return Field(kind="flag")
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return Field(kind="number")
    if isinstance(kind, inspect.LiteralType):
        return Field(kind="text", values=tuple(str(value) for value in kind.values))
    if isinstance(kind, inspect.DictType):
        return Field(kind="map")
    if isinstance(kind, inspect.StructType):
        return Field(kind="record", fields=_fields(kind))
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return Field(kind="list")
    return Field(kind="path" if name in _PATHS else "text")
