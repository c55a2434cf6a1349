"""Selecting plugins by words.

::

    expression  = term { "or" term }
    term        = factor { "and" factor }
    factor      = "not" factor | "(" expression ")" | test
    test        = key ":" glob
    key         = "topic" | "name" | "repo" | "label"

`and` binds before `or`. Globs know `*`, `?`, `[…]` and `{a,b}`; `*` does not match `/`. Case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.base import glob
from bot.base.errors import UsageError
from bot.base.schema import near
from bot.base.values import Plugin

Predicate = Callable[[Plugin], bool]
_TOKEN = re.compile(r"\s*(?:(?P<bracket>[()])|(?P<word>[^\s()]+))")
_WORDS = {"and", "or", "not"}
_KEYS: dict[str, Callable[[Plugin], tuple[str, ...]]] = {
    "topic": lambda plugin: plugin.topics,
    "name": lambda plugin: (plugin.name,),
    "repo": lambda plugin: (plugin.repo,),
    "label": lambda plugin: plugin.labels,
}
_EXAMPLE = "Write for example: topic:python and not name:old-*"
_DEPTH = 50


def compile_selection(text: str) -> Predicate:
    """The expression as a question to a plugin. Raises `UsageError` that points at the first mistake."""
    parser = _Parser(text)
    found = parser.expression(0)
    if (rest := parser.word) is not None:
        raise parser.wrong("closes nothing" if rest == ")" else "does not belong here")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = [(match.group().strip(), match.end()) for match in _TOKEN.finditer(text)]
        self._next = 0

    @property
    def word(self) -> str | None:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else None

    @property
    def _keyword(self) -> str | None:
        word = self.word
        return word.lower() if word is not None and word.lower() in _WORDS else None

    def wrong(self, what: str) -> UsageError:
        if self.word is None:
            return UsageError(f"The selection `{self.text}` {what} at its end.", _EXAMPLE)
        before = self.text[: self._tokens[self._next][1] - len(self.word)]
        place = f"at character {len(before) + 1}"
        return UsageError(f"The selection `{self.text}` is wrong {place}: `{self.word}` {what}.", _EXAMPLE)

    def expression(self, depth: int) -> Predicate:
        if depth > _DEPTH:
            raise self.wrong("is nested too deep")
        parts = [self._term(depth)]
        while self._keyword == "or":
            self._next += 1
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else lambda plugin: any(part(plugin) for part in parts)

    def _term(self, depth: int) -> Predicate:
        parts = [self._factor(depth)]
        while self._keyword == "and":
            self._next += 1
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else lambda plugin: all(part(plugin) for part in parts)

    def _factor(self, depth: int) -> Predicate:
        negated = False
        while self._keyword == "not":
            self._next += 1
            negated = not negated
        inner = self._bracket(depth) if self.word == "(" else self._test()
        return (lambda plugin: not inner(plugin)) if negated else inner

    def _bracket(self, depth: int) -> Predicate:
        self._next += 1
        inner = self.expression(depth + 1)
        closing = self.word
        if closing != ")":
            raise self.wrong("lacks a `)`" if closing is None else "is not the `)` that is missing")
        self._next += 1
        return inner

    def _test(self) -> Predicate:
        word = self.word
        if word is None:
            raise self.wrong("lacks a test such as topic:python")
        key, colon, pattern = word.partition(":")
        if not colon:
            raise self.wrong("is no test; write topic:…, name:… or repo:…")
        if key.lower() not in _KEYS:
            guess = near(key, tuple(_KEYS))
            raise self.wrong(f"has the key {key}; " + (f"did you mean {guess}?" if guess else f"there are {_keys()}"))
        if not pattern:
            raise self.wrong("has nothing after the colon")
        if (reason := glob.trouble(pattern)) is not None:
            raise self.wrong(reason)
        self._next += 1
        values, folded = _KEYS[key.lower()], pattern.casefold()
        return lambda plugin: any(glob.matches(value.casefold(), folded) for value in values(plugin))


def _keys() -> str:
    return ", ".join(_KEYS)
