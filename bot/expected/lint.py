"""Shows that every rule can fail: mutates a trace that passes, and reports the rules that no mutant breaks."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.expected.check import RuleBook
from bot.expected.letters import Letter, Word, letters_of, passing, verdicts
from bot.expected.operators import Count
from bot.expected.worlds import worlds


class RuleLint(msgspec.Struct, frozen=True, kw_only=True):
    """What lint found out about one rule."""

    id: str
    word: str
    """Its operator, or the kind of its predicate."""
    can_fail: bool
    broken_by: str = ""
    """The first mutant that breaks it."""


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """What lint found out about the rules of a playbook."""

    rules: tuple[RuleLint, ...]
    passing: tuple[str, ...] = ()
    """The events of the trace that was mutated."""
    contradiction: tuple[str, ...] = ()
    """When no trace was found that passes: the rules that could not be fulfilled together with the others."""
    mutants: int = 0
    caught: int = 0
    """How many of the mutants some rule breaks on; the rest shows what the rules leave open."""

    @property
    def good(self) -> bool:
        """Whether every rule can pass and can fail."""
        return not self.contradiction and all(rule.can_fail for rule in self.rules)


def lint(book: RuleBook) -> Lint:
    """Mutate a passing trace, made from the rules themselves, and the result of a run likewise."""
    letters = letters_of(book)
    word, still_open = passing(book, letters)
    broken: dict[str, str] = {}
    mutants = caught = 0
    for name, mutant in _mutants(book, word or (), letters):
        failed = [verdict.id for verdict in verdicts(book, mutant) if verdict.result == "fail"]
        mutants += 1
        caught += bool(failed)
        for rule in failed:
            broken.setdefault(rule, name)
    rules = [
        RuleLint(id=rule.id, word=rule.operator.word, can_fail=rule.id in broken, broken_by=broken.get(rule.id, ""))
        for rule in book.rules
    ]
    impossible = list(still_open)
    for outcome in book.outcomes:
        seen = [(name, outcome.verdict(end, None).result) for name, end in worlds(outcome.predicate)]
        wrong = next((name for name, result in seen if result == "fail"), None)
        rules.append(RuleLint(id=outcome.id, word=outcome.word, can_fail=wrong is not None, broken_by=wrong or ""))
        if not any(result == "pass" for _, result in seen):
            impossible.append(outcome.id)
    return Lint(
        rules=tuple(rules),
        passing=tuple(str(letter) for _, letter in word or ()),
        contradiction=tuple(impossible),
        mutants=mutants,
        caught=caught,
    )


def _mutants(book: RuleBook, word: Word, letters: tuple[Letter, ...]) -> Iterator[tuple[str, Word]]:
    """Traces that differ from a passing one in one thing, each with what was done to it."""
    events = [letter for _, letter in word]
    for at, letter in enumerate(events):
        yield f"without {letter}", _word([*events[:at], *events[at + 1 :]])
        yield f"{letter} twice", _word([*events[: at + 1], *events[at:]])
        if at + 1 < len(events):
            swapped = [*events[:at], events[at + 1], letter, *events[at + 2 :]]
            yield f"{events[at + 1]} before {letter}", _word(swapped)
            yield f"{letter} and {events[at + 1]} in one turn", _tied(word, at)
        for other in letters:
            if other.event == letter.event and other != letter:
                yield f"{other} instead of {letter}", _word([*events[:at], other, *events[at + 1 :]])
    for letter in letters:
        for at in range(len(events) + 1):
            where = f"before {events[at]}" if at < len(events) else "at the end"
            yield f"{letter} {where}", _word([*events[:at], letter, *events[at:]])
    most = [rule.operator.most for rule in book.rules if isinstance(rule.operator, Count)]
    for limit in sorted({bound for bound in most if bound is not None}):
        for letter in letters:
            yield f"{letter} {limit + 1} times", _word([*events, *[letter] * (limit + 1)])


def _word(events: list[Letter]) -> Word:
    return tuple(enumerate(events, 1))


def _tied(word: Word, at: int) -> Word:
    """The trace with the event after `at` moved into the turn of the one at `at`."""
    return tuple((turn - (index > at), letter) for index, (turn, letter) in enumerate(word))
