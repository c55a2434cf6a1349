"""What a certificate has seen, and whether a real run stayed inside of it.

A certificate keeps the *ways* that its passed trials went, as normalised steps (`bot.windtunnel.fidelity`). A real run
is held against the way that is most like it: how like (fidelity), what it did that no certified run did, and which
rules it broke that the trials kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from bot.expected.check import RuleBook, check
from bot.windtunnel.certificate import Certificate, Scenario
from bot.windtunnel.fidelity import Alignment, Step, align, steps

_MOST_WAYS = 12
"""Ways kept of a scenario: scripted models repeat themselves, live ones seldom differ in more than this."""
_SHOWN = 3

Way = tuple[str, ...]
"""The steps of one run, each as text."""
Answer = Literal["pass", "fail"]


class RuleAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """One rule over the trace: what the real run did, and what the trials did."""

    rule: str
    real: Answer
    virtual: float
    """The share of the scenario's trials that kept it."""

    @property
    def agree(self) -> bool:
        """Whether the trials would have let one expect what happened."""
        return (self.real == "pass") == (self.virtual >= 0.5)


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """A real run beside the trials of the certificate that it ran under."""

    scenario: str
    """The scenario with the way that is most like the run."""
    virtual_plugin: str
    fidelity: float
    """1: it went the very way of a certified trial; 0: nothing in common."""
    only_real: tuple[str, ...]
    """Steps beyond the nearest way, in their order: what the virtual plugin has to learn."""
    new: tuple[str, ...]
    """Those of them, looking around aside, that no certified trial of any scenario has."""
    rules: tuple[RuleAgreement, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """Rules that the run broke."""
        return tuple(one.rule for one in self.rules if one.real == "fail")

    @property
    def inside(self) -> bool:
        """Whether it did nothing that the certificate has not seen."""
        return not self.new and not self.broken

    @property
    def line(self) -> str:
        """One line for the pull request; names of programs and files in it are the repository's."""
        if self.inside:
            return f"the run stayed inside what was certified (fidelity {self.fidelity:.2f} to {self.scenario})"
        what = [f"broke {', '.join(self.broken[:_SHOWN])}"] if self.broken else []
        if self.new:
            more = f" and {len(self.new) - _SHOWN} more" if len(self.new) > _SHOWN else ""
            what.append(f"no certified run did: {', '.join(self.new[:_SHOWN])}{more}")
        return f"the run left what was certified (fidelity {self.fidelity:.2f} to {self.scenario}): {'; '.join(what)}"


def way(lines: Iterable[Mapping[str, Any]]) -> Way:
    """The way that a trace went, given as its lines."""
    return tuple(map(str, steps(lines)))


def ways(passed: Iterable[Way]) -> tuple[Way, ...]:
    """What a certificate keeps of them: each once, the frequent ones first, the same on every machine."""
    counts = Counter(one for one in passed if one)
    return tuple(sorted(counts, key=lambda one: (-counts[one], one))[:_MOST_WAYS])


def likeness(certificate: Certificate, book: RuleBook, lines: Iterable[Mapping[str, Any]]) -> Likeness | None:
    """A real run, given as the lines of its trace, beside the certificate; None where that keeps no ways.

    `book` has the playbook's rules for the run's variables; those on the final tree are not asked. Raises `ValueError`
    when the certificate's ways are none.
    """
    lines = list(lines)
    real = steps(lines)
    best: tuple[Alignment, Scenario] | None = None
    for scenario in certificate.scenarios:
        for one in scenario.ways:
            found = align([Step.spelled(text) for text in one], real)
            if best is None or found.fidelity > best[0].fidelity:
                best = found, scenario
    if best is None:
        return None
    alignment, scenario = best
    known = {Step.spelled(text).deed for each in certificate.scenarios for one in each.ways for text in one}
    new = [str(step) for step in real if step.kind != "look" and step.deed not in known]
    return Likeness(
        scenario=scenario.name,
        virtual_plugin=scenario.virtual_plugin,
        fidelity=alignment.fidelity,
        only_real=alignment.only_real,
        new=tuple(dict.fromkeys(new)),
        rules=tuple(_agreements(scenario, book, lines)),
    )


def _agreements(scenario: Scenario, book: RuleBook, lines: list[Mapping[str, Any]]) -> Iterable[RuleAgreement]:
    counted = [attempt for attempt in scenario.attempts if attempt.result != "error"]
    for verdict in check(RuleBook(book.rules), lines).all:
        if verdict.result == "not_evaluable" or verdict.severity == "warn" or not counted:
            continue
        kept = sum(verdict.id not in attempt.failed_rules for attempt in counted)
        yield RuleAgreement(rule=verdict.id, real=verdict.result, virtual=kept / len(counted))
