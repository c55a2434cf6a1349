"""Predicates on the result of a run: the final tree against the one it began with, and our own run of the tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Protocol

import msgspec

from bot.expected.rules import Result, Severity, Verdict


class Tree(Protocol):
    """Files by path, relative to the repository."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, or None when there is none."""
        ...

    def paths(self) -> Iterable[str]:
        """All files."""
        ...


class Ending:
    """How a run ended, as predicates look at it."""

    def __init__(
        self,
        base: Tree,
        head: Tree,
        *,
        verification: dict[str, Any] | None = None,
        version_file: str | None = None,
        changelog: str | None = None,
        test_paths: tuple[str, ...] = (),
    ) -> None:
        """`verification` is the fields of our last `verification` event; the rest is what the plugin configures."""
        self.base, self.head, self.verification = base, head, verification
        self.version_file, self.changelog, self.test_paths = version_file, changelog, test_paths

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The paths whose bytes differ, sorted."""
        paths = {*self.base.paths(), *self.head.paths()}
        return tuple(sorted(path for path in paths if self.base.read(path) != self.head.read(path)))

    def text(self, path: str, *, base: bool = False) -> str:
        """A file as text, empty when it is not there."""
        return ((self.base if base else self.head).read(path) or b"").decode("utf-8", "replace")


class NotEvaluable(Exception):
    """The predicate cannot be asked here; the text says why."""


class Predicate(Protocol):
    """One question to the result."""

    def wrong(self, end: Ending) -> Iterator[str]:
        """What is wrong, in words; nothing when it holds. Raises `NotEvaluable`."""
        ...


class OutcomeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A predicate with a name and a weight."""

    id: str
    word: str
    predicate: Predicate
    severity: Severity = "fail"
    message: str = ""
    when: tuple[str, ...] = ()

    def verdict(self, end: Ending | None, outcome: str | None) -> Verdict:
        """Ask it. Without an ending (no trees at hand) nothing can be said."""
        if self.when and outcome is not None and outcome not in self.when:
            return self._verdict("pass", f"the run ended {outcome}")
        if end is None:
            return self._verdict("not_evaluable", "the files are not at hand")
        try:
            reasons = list(itertools.islice(self.predicate.wrong(end), 3))
        except NotEvaluable as why:
            return self._verdict("not_evaluable", str(why))
        if not reasons:
            return self._verdict("pass", "")
        said = "; ".join(reasons)
        return self._verdict("fail", f"{self.message}: {said}" if self.message else said)

    def _verdict(self, result: Result, reason: str) -> Verdict:
        return Verdict(id=self.id, severity=self.severity, result=result, reason=reason)
