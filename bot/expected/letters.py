"""The events that the rules of a playbook can tell apart, and a search for a trace of them that passes."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from bot.expected.check import RuleBook
from bot.expected.happening import Happening, Order
from bot.expected.monitor import Broken, State
from bot.expected.rules import Verdict
from bot.expected.same import Same, Side
from bot.expected.samples import samples
from bot.expected.selectors import Selector
from bot.expected.vocabulary import DERIVED, Field, field_at

_COMBINATIONS = 4000
_EXPANSIONS = 3000
_STRIDE = 1_000_003
"""A prime, so that its multiples visit everything."""


class Letter(msgspec.Struct, frozen=True):
    """An event without its place in a trace."""

    event: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.fields.items() if name != "phase")
        return f"{self.event}({said})"


Word = tuple[tuple[int, Letter], ...]
"""A trace: model turn and event."""


def letters_of(book: RuleBook) -> tuple[Letter, ...]:
    """One event for each way in which the rules can look at an event."""
    selectors = tuple(selector for rule in book.rules for selector in rule.operator.selectors)
    sides = tuple(
        side for rule in book.rules if isinstance(rule.operator, Same) for side in (rule.operator.a, rule.operator.b)
    )
    found: dict[tuple[object, ...], Letter] = {}
    for letter in _candidates(selectors, sides):
        event = Happening(0, 0, letter.event, _flat(letter))
        look = (
            letter.event,
            *(selector.fits(event) for selector in selectors),
            *(side.value(event) if side.of.fits(event) else None for side in sides),
        )
        if any(part not in {False, None} for part in look[1:]):
            found.setdefault(look, letter)
    return tuple(found.values())


def _candidates(selectors: Iterable[Selector], sides: Iterable[Side]) -> Iterator[Letter]:
    selectors = tuple(selectors)
    pools: dict[str, dict[str, list[Any]]] = {kind: {} for selector in selectors for kind in sorted(selector.kinds)}
    for wanted in (one for selector in selectors for one in selector.wanted):
        _offer(pools[wanted.event].setdefault(wanted.field, []), samples(wanted.spec, wanted.kind))
    for side in sides:
        for kind in sorted(side.of.kinds):
            field = field_at(kind, side.field)
            spec = {"re": side.pattern.pattern} if side.pattern else ["1.0.0", "2.0.0"]
            _offer(
                pools[kind].setdefault(side.field, []),
                samples(spec, field if isinstance(field, Field) else Field(kind="text")),
            )
    for kind, fields in pools.items():
        if kind == "command_run":
            fields.setdefault("phase", ["agent"])
            for name in DERIVED[kind]:
                if name in fields and name not in {"argv", "argv0", "exit"}:
                    _offer(fields[name], [None])
        for values in _combinations(list(fields.values())):
            yield Letter(kind, {name: value for name, value in zip(fields, values, strict=True) if value is not None})


def _combinations(pools: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """One value of each pool, in all ways, or, where those are too many, in ways spread evenly over all."""
    total = math.prod(map(len, pools))
    for number in range(min(total, _COMBINATIONS)):
        rest = number if total <= _COMBINATIONS else number * _STRIDE % total
        values = []
        for pool in pools:
            rest, at = divmod(rest, len(pool))
            values.append(pool[at])
        yield tuple(values)


def _offer(pool: list[Any], values: Iterable[Any]) -> None:
    pool += [value for value in values if value not in pool]


def _flat(letter: Letter) -> dict[str, Any]:
    """The fields as an event has them: `args.path` becomes a mapping in a mapping."""
    fields: dict[str, Any] = {}
    for name, value in letter.fields.items():
        *path, last = name.split(".")
        here = fields
        for step in path:
            here = here.setdefault(step, {})
        here[last] = value
    return fields


def verdicts(book: RuleBook, word: Word) -> tuple[Verdict, ...]:
    """What the rules say of a trace that ends well."""
    states = list(book.start)
    rank = Order().rank
    for seq, (turn, letter) in enumerate(word):
        book.advance(states, Happening(seq, rank(turn), letter.event, _flat(letter)))
    return tuple(rule.verdict(state) for rule, state in zip(book.rules, states, strict=True))


def passing(book: RuleBook, letters: tuple[Letter, ...]) -> tuple[Word | None, tuple[str, ...]]:
    """A trace that passes all rules, found by best-first search; or None, and the rules that stayed open at best."""
    start = tuple(book.start)
    flat = [(letter, _flat(letter)) for letter in letters]
    number = itertools.count()
    queue: list[tuple[int, int, int, tuple[State, ...], Word]] = [(len(_open(book, start)), 0, next(number), start, ())]
    seen, best = {_shape(start)}, _open(book, start)
    while queue and next(number) < _EXPANSIONS * max(len(letters), 1):
        left, depth, _, states, word = heapq.heappop(queue)
        if left == 0:
            return word, ()
        for letter, fields in flat:
            after = list(states)
            book.advance(after, Happening(depth, depth, letter.event, fields))
            shape = _shape(after)
            if shape in seen or any(state.__class__ is Broken for state in after):
                continue
            seen.add(shape)
            still = _open(book, after)
            best = min(best, still, key=len)
            longer: Word = (*word, (depth + 1, letter))
            heapq.heappush(queue, (len(still), depth + 1, next(number), tuple(after), longer))
    return None, best


def _open(book: RuleBook, states: Iterable[State]) -> tuple[str, ...]:
    return tuple(
        rule.id for rule, state in zip(book.rules, states, strict=True) if rule.operator.end(state) is not None
    )


def _shape(states: Iterable[State]) -> tuple[object, ...]:
    """The states without the numbers of events, which grow for ever and decide nothing in a trace without ties."""
    return tuple(state if len(state) == 1 else _sign(state) for state in states)


def _sign(part: object) -> object:
    if isinstance(part, tuple):
        return tuple(map(_sign, part))
    return min(part, 0) if isinstance(part, int) and not isinstance(part, bool) else part
