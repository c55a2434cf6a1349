"""Reads `let:`, `expect:` and `outcome:` of a playbook into rules; all mistakes at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.base.canonical import digest
from bot.base.errors import ConfigurationError, Problem
from bot.base.values import Playbook, Scalar
from bot.expected.beside import lines_in, rules_file
from bot.expected.check import RuleBook
from bot.expected.rule_reader import RuleReader
from bot.expected.variables import examples, filled
from bot.expected.vocabulary import Mistake


def rules_of(playbook: Playbook, variables: Mapping[str, Scalar] | None = None) -> RuleBook:
    """The rules of a playbook for these variables; without them, for example values.

    Raises `ConfigurationError` with every mistake.
    """
    mistakes: list[Mistake] = []
    values = examples(playbook) if variables is None else dict(variables)
    untrusted = {name for name, variable in playbook.variables.items() if variable.untrusted}
    raw = {"let": playbook.let, "expect": list(playbook.expect), "outcome": list(playbook.outcome)}
    text = {name: filled(part, values, untrusted, name, mistakes) for name, part in raw.items()}
    book = read_rules(text["let"], text["expect"], text["outcome"], mistakes)
    if mistakes:
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        msg = f"The expected behaviour of {playbook.id} has {count}."
        raise ConfigurationError(msg, problems=tuple(_problems(playbook, mistakes)))
    return book


def _problems(playbook: Playbook, mistakes: list[Mistake]) -> Iterator[Problem]:
    """Each mistake with the file and line where it stands; rules beside a playbook come after those in it."""
    file = Path(playbook.file)
    beside = rules_file(file) if playbook.file else file
    lines = lines_in(beside)
    for mistake in mistakes:
        line = _line(lines, mistake.where)
        name = str(beside) if line else playbook.file or playbook.id
        yield Problem(file=name, line=line or 1, what=f"{mistake.where}: {mistake.what}", cure=mistake.cure)


def _line(lines: Mapping[str, int], where: str) -> int | None:
    """The line of a place, or of the nearest place around it that the file has."""
    while where not in lines and where:
        where = where[: max(where.rfind("."), where.rfind("["), 0)]
    return lines.get(where) if where else None


def read_rules(let: object, expect: object, outcome: object, mistakes: list[Mistake]) -> RuleBook:
    """The rules that these parsed parts say. What is wrong is added to `mistakes`, and left out of the rules."""
    reader = RuleReader(let, mistakes)
    rules = [reader.rule(spec, f"expect[{i}]") for i, spec in enumerate(reader.entries(expect, "expect"))]
    outcomes = [reader.outcome(spec, f"outcome[{i}]") for i, spec in enumerate(reader.entries(outcome, "outcome"))]
    return RuleBook(
        tuple(rule for rule in rules if rule is not None),
        tuple(rule for rule in outcomes if rule is not None),
        digest([let, expect, outcome]) if not mistakes else "",
    )
