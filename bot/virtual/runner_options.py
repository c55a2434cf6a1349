"""The options of a virtual test runner: what they are to it, and which of them nobody has an answer for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a test runner's command line that changes a virtual run."""

    selection: tuple[str, ...] = ()
    """Files, folders and ids of tests."""
    keyword: str = ""
    left_out: tuple[str, ...] = ()
    """Files, folders and beginnings of ids that are not wanted."""
    quiet: bool = False
    verbose: bool = False
    most_failures: int = 0
    """Stop after so many; 0: never."""
    junit: str | None = None
    instead: Literal["version", "help", "collect", "plan"] | None = None
    """What is done in place of running the tests."""
    unknown: str = ""
    """An option that is not modelled: there is no answer to this command line."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The options that a runner is modelled with."""

    flags: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    """Options with a value."""
    attached: frozenset[str] = frozenset()
    """Options whose value may be missing, and else stands behind `=`."""

    def read(self, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Option and value of each; `""` and the word for what is no option, `"?"` and the word where it is none of
        these. Short ones may stand together, and with their value (`-xk name`, `-n4`).
        """
        waiting = iter(words)
        for word in waiting:
            name, equals, value = word.partition("=")
            if word == "--":
                yield from (("", operand) for operand in waiting)
            elif not word.startswith("-") or word == "-":
                yield "", word
            elif name in self.values:
                yield name, value if equals else next(waiting, "")
            elif name in self.attached or (name in self.flags and not equals):
                yield name, value
            elif word.startswith("--"):
                yield "?", word
            else:
                yield from self._letters(word, waiting)

    def _letters(self, word: str, waiting: Iterator[str]) -> Iterator[tuple[str, str]]:
        for at, letter in enumerate(word[1:], start=1):
            name = f"-{letter}"
            if name in self.values:
                yield name, word[at + 1 :] or next(waiting, "")
                return
            if name not in self.flags:
                yield "?", word
                return
            yield name, ""
