"""Values that fit a condition and values that just do not, made from the condition as it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.expected.vocabulary import Field, Yaml

ELSEWHERE = ("elsewhere/of/all.data", "elsewhere.data", "elsewhere/of/all.py", "elsewhere.txt")
_CATEGORIES = {"DIGIT": "12", "WORD": "ab", "SPACE": " \t", "NOT_SPACE": "ab", "NOT_DIGIT": "ab", "NOT_WORD": "-."}
_LONGEST = 2000


def samples(spec: Yaml, field: Field) -> Iterator[Any]:
    """Candidates for a field that a condition is about; those that fit come first."""
    if isinstance(spec, Mapping):
        for word, bound in spec.items():
            yield from _compared(str(word), bound, field)
    elif isinstance(spec, list | tuple):
        for part in spec:
            yield from _like(part, field)
    else:
        yield from _like(spec, field)


def _compared(word: str, bound: Yaml, field: Field) -> Iterator[Any]:
    if word in {"ge", "gt", "le", "lt"}:
        numbers = {
            "ge": (bound, bound - 1),
            "gt": (bound + 1, bound),
            "le": (bound, bound + 1),
            "lt": (bound - 1, bound),
        }
        for number in numbers[word]:
            yield number if field.kind != "list" else ["x"] * int(max(number, 0))
    elif word == "re":
        texts = [text for pick in (0, 1) if (text := matching(bound, pick)) is not None]
        yield from ([[text] for text in texts] if field.kind == "list" else texts)
        yield [] if field.kind == "list" else ELSEWHERE[1]
    elif word == "has":
        for value in samples(bound, Field(kind="text")):
            yield [value]
        yield []
    elif word == "outside":
        yield from ELSEWHERE
        yield from samples(bound, field)
    else:
        yield from samples(bound, field)


def _like(value: Yaml, field: Field) -> Iterator[Any]:
    if field.kind == "path":
        yield from paths(str(value))
        yield from ELSEWHERE
    elif isinstance(value, bool):
        yield value
        yield not value
    elif isinstance(value, int | float):
        yield from (value, value + 1)
    else:
        yield value
        yield from field.values or (f"{value}-not",)


def paths(glob: str) -> Iterator[str]:
    """Paths that fit a glob: one for each of its outermost alternatives."""
    opened = re.search(r"\{([^{}]*)\}", glob)
    if opened:
        for choice in opened[1].split(","):
            yield from paths(glob[: opened.start()] + choice + glob[opened.end() :])
        return
    text = glob.removeprefix("./").replace("**/", "").replace("**", "deep/x").replace("*", "x").replace("?", "x")
    yield re.sub(r"\[!?([^\]])[^\]]*\]", r"\1", text)


def matching(pattern: str, pick: int = 0) -> str | None:
    """A text that the pattern is found in, or None when none was found; `pick` 1 gives another one, if there is."""
    import re._parser as parser  # type: ignore[import-not-found]

    try:
        text = "".join(_parts(parser.parse(pattern), pick))[:_LONGEST]
    except (re.error, ValueError, IndexError, RecursionError):
        return None
    return text if re.search(pattern, text, re.MULTILINE) else None


def _parts(tokens: Any, pick: int) -> Iterator[str]:
    for op, value in tokens:
        yield from _MAKERS.get(str(op), _nothing)(value, pick)


def _nothing(value: object, pick: int) -> Iterator[str]:
    return iter(())


def _any_of(value: Any, pick: int) -> Iterator[str]:
    kind = str(value[0][0])
    if kind == "NEGATE":
        banned = "".join("".join(_parts([item], p)) for item in value[1:] for p in (0, 1))
        yield [char for char in "ab1 -/." if char not in banned][pick]
    elif kind == "RANGE":
        low, high = value[0][1]
        yield chr(min(low + pick, high))
    else:
        yield from _parts([value[min(pick, len(value) - 1)]], pick)


def _repeated(value: Any, pick: int) -> Iterator[str]:
    least, most, inner = value
    for _ in range(min(max(least, 1), most, 50)):
        yield from _parts(inner, pick)


_MAKERS: Mapping[str, Callable[[Any, int], Iterator[str]]] = {
    "LITERAL": lambda value, pick: iter((chr(value),)),
    "NOT_LITERAL": lambda value, pick: iter(("b" if chr(value) == "a" else "a",)),
    "ANY": lambda value, pick: iter("ab"[pick]),
    "CATEGORY": lambda value, pick: iter(_CATEGORIES.get(str(value).removeprefix("CATEGORY_"), "ab")[pick]),
    "RANGE": lambda value, pick: iter((chr(min(value[0] + pick, value[1])),)),
    "IN": _any_of,
    "BRANCH": lambda value, pick: _parts(value[1][min(pick, len(value[1]) - 1)], pick),
    "SUBPATTERN": lambda value, pick: _parts(value[3], pick),
    "ATOMIC_GROUP": _parts,
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "POSSESSIVE_REPEAT": _repeated,
}
