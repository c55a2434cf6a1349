"""Selectors: which events a rule speaks about, compiled once into functions.

::

    {event: file_write, path: "src/**"}                 an event and conditions on its fields
    {event: command_run, argv0: pytest, exit: {ge: 1}}  what we ran ourselves is left out unless `phase` is named
    {is: test, exit: 0}                                 a named selector, with more conditions
    {is: edit, not: {path: "tests/**"}}                 but none that the inner selector fits
    {any: [red, {event: limit_reached}]}                one of several
    test                                                a name alone
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from bot.expected.conditions import compile_condition
from bot.expected.happening import OWN_PHASES, Happening
from bot.expected.vocabulary import Field, Mistake, field_at, near, vocabulary

Fields = Mapping[str, Any]
Test = Callable[[str, Fields], bool]
_WORDS = ("event", "is", "any", "not")


class Wanted(msgspec.Struct, frozen=True):
    """A condition as it was written, for those who look for events that fit it or just do not."""

    event: str
    field: str
    kind: Field
    spec: Any


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """A predicate on events."""

    kinds: frozenset[str]
    """Names of the events that can fit at all."""
    test: Test
    """Takes an event of one of the `kinds` and its fields."""
    wanted: tuple[Wanted, ...] = ()
    ours: bool = True
    """Whether a command that we ran ourselves can fit."""

    def fits(self, event: Happening) -> bool:
        """Whether the rule speaks about this event."""
        return event.event in self.kinds and self.test(event.event, event.fields)


NOTHING = Selector(kinds=frozenset(), test=lambda event, fields: False)
"""Stands for a selector that could not be read."""


class Selectors:
    """The named selectors of a playbook, and the reader of all others."""

    def __init__(self, let: object, mistakes: list[Mistake]) -> None:
        """`let` is the parsed mapping. What is wrong anywhere is added to `mistakes`."""
        self._mistakes = mistakes
        self._named: dict[str, Selector] = {}
        self._open: list[str] = []
        if not isinstance(let, Mapping):
            self._wrong("let", "has to be a mapping from names to selectors")
            let = {}
        for name in let:
            if not isinstance(name, str):
                self._wrong(f"let.{name}", "the name is no text", "YAML reads on, yes, no and off as true and false")
        self._let = {name: spec for name, spec in let.items() if isinstance(name, str)}
        for name in self._let:
            self._by_name(name, f"let.{name}")

    def read(self, spec: object, where: str, about: frozenset[str] | None = None) -> Selector:
        """The selector that `spec` says. `about` are the events it speaks of when it names none itself."""
        if isinstance(spec, str):
            return self._by_name(spec, where)
        if isinstance(spec, list | tuple):
            return _union([self.read(part, f"{where}[{index}]", about) for index, part in enumerate(spec)])
        if not isinstance(spec, Mapping) or not spec:
            self._wrong(where, "is neither a selector nor the name of one", "{event: …}, {is: name, …} or a name")
            return NOTHING
        base = self._base(spec, where, about)
        if not base.kinds:
            return NOTHING
        parts = [base, *self._conditions(spec, base.kinds, where)]
        if "not" in spec:
            parts.append(_negated(self.read(spec["not"], f"{where}.not", base.kinds), base.kinds))
        return _intersection(parts)

    def _base(self, spec: Mapping[Any, Any], where: str, about: frozenset[str] | None) -> Selector:
        given = [word for word in ("event", "is", "any") if word in spec]
        if len(given) > 1:
            self._wrong(where, f"{' and '.join(given)} exclude each other")
            return NOTHING
        if not given:
            if about is None:
                self._wrong(where, "does not say which event it is about", "add event: or is:")
                return NOTHING
            return Selector(kinds=about, test=_always)
        if given[0] == "event":
            return self._events(spec, where)
        inner = spec[given[0]]
        return self.read(inner if isinstance(inner, str | list | tuple) else [inner], f"{where}.{given[0]}", about)

    def _events(self, spec: Mapping[Any, Any], where: str) -> Selector:
        names = spec["event"] if isinstance(spec["event"], list | tuple) else [spec["event"]]
        known = vocabulary()
        for name in names:
            if name not in known:
                self._wrong(f"{where}.event", f"there is no event {name!r}{near(str(name), known)}")
        kinds = frozenset(name for name in names if name in known)
        if "command_run" in kinds and "phase" not in spec:
            return Selector(kinds=kinds, test=lambda event, fields: fields.get("phase") not in OWN_PHASES, ours=False)
        return Selector(kinds=kinds, test=_always, ours="command_run" in kinds)

    def _conditions(self, spec: Mapping[Any, Any], kinds: frozenset[str], where: str) -> list[Selector]:
        found = []
        for name, condition in spec.items():
            if isinstance(name, str) and name in _WORDS:
                continue
            if not isinstance(name, str):
                self._wrong(where, f"the key {name!r} is no text", "YAML reads on, off, yes and no as true and false")
                continue
            found.append(self._condition(name, condition, kinds, where))
        return found

    def _condition(self, name: str, spec: object, kinds: frozenset[str], where: str) -> Selector:
        field: Field | str = ""
        for event in sorted(kinds):
            field = field_at(event, name)
            if isinstance(field, str):
                self._wrong(where, field)
                return NOTHING
        if not isinstance(field, Field):
            raise AssertionError
        test = compile_condition(spec, field, f"{where}.{name}", self._mistakes)
        return Selector(
            kinds=kinds,
            test=_on_field(name, test),
            wanted=tuple(Wanted(event, name, field, spec) for event in sorted(kinds)),
        )

    def _by_name(self, name: str, where: str) -> Selector:
        if name in self._named:
            return self._named[name]
        if name not in self._let:
            self._wrong(where, f"no selector is called {name!r}{near(name, self._let)}", "name it below let:")
            return NOTHING
        if name in self._open:
            self._wrong(f"let.{name}", f"is defined by itself ({' → '.join([*self._open, name])})")
            return NOTHING
        self._open.append(name)
        selector = self.read(self._let[name], f"let.{name}")
        self._open.pop()
        self._named[name] = selector
        return selector

    def _wrong(self, where: str, what: str, cure: str = "") -> None:
        self._mistakes.append(Mistake(where, what, cure))


def _on_field(name: str, test: Callable[[Any], bool]) -> Test:
    first, *rest = name.split(".")
    if not rest:

        def plain(event: str, fields: Fields) -> bool:
            value = fields.get(first)
            return value is not None and test(value)

        return plain

    def deep(event: str, fields: Fields) -> bool:
        value = value_at(fields, name)
        return value is not None and _holds(test, value)

    return deep


def value_at(fields: Fields, dotted: str) -> object:
    """The value that `args.path` or `exit` names, or None."""
    value: object = fields
    for step in dotted.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _holds(test: Callable[[Any], bool], value: object) -> bool:
    try:
        return test(value)
    except TypeError:  # a tool's arguments are the model's: a list may stand where a text is expected
        return False


def _always(event: str, fields: Fields) -> bool:
    return True


def _intersection(parts: list[Selector]) -> Selector:
    kinds = frozenset.intersection(*(part.kinds for part in parts))
    tests = [part.test for part in parts if part.test is not _always] or [_always]
    wanted = tuple(one for part in parts for one in part.wanted)
    ours = all(part.ours for part in parts)
    if len(tests) == 1:
        return Selector(kinds=kinds, test=tests[0], wanted=wanted, ours=ours)
    if len(tests) == 2:
        first, second = tests
        return Selector(
            kinds=kinds,
            test=lambda event, fields: first(event, fields) and second(event, fields),
            wanted=wanted,
            ours=ours,
        )
    return Selector(kinds=kinds, test=_all_of(tests), wanted=wanted, ours=ours)


def _all_of(tests: list[Test]) -> Test:
    def every(event: str, fields: Fields) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs more than what it asks
            if not test(event, fields):
                return False
        return True

    return every


def _union(parts: list[Selector]) -> Selector:
    if len(parts) == 1:
        return parts[0]
    return Selector(
        kinds=frozenset().union(*(part.kinds for part in parts)),
        test=_any_of(parts),
        wanted=tuple(one for part in parts for one in part.wanted),
        ours=any(part.ours for part in parts),
    )


def _any_of(parts: list[Selector]) -> Test:
    def some(event: str, fields: Fields) -> bool:
        for part in parts:  # noqa: SIM110 - as above
            if event in part.kinds and part.test(event, fields):
                return True
        return False

    return some


def _negated(inner: Selector, kinds: frozenset[str]) -> Selector:
    return Selector(
        kinds=kinds,
        test=lambda event, fields: not (event in inner.kinds and inner.test(event, fields)),
        wanted=inner.wanted,
    )
