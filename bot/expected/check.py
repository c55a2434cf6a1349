"""Rules over a finished trace and the final tree: one verdict each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from bot.expected.happening import EFFECTS, Happening, happenings
from bot.expected.monitor import Broken, State
from bot.expected.outcome import Ending, OutcomeRule
from bot.expected.rules import Rule, Verdict, Verdicts

Line = Mapping[str, Any]
Step = Callable[[State, Happening], State]


class RuleBook:
    """All rules of a playbook, compiled once and used on many traces."""

    def __init__(self, rules: tuple[Rule, ...], outcomes: tuple[OutcomeRule, ...] = (), hash: str = "") -> None:  # noqa: A002
        """`hash` is the SHA-256 of the text they were read from, with the variables filled in."""
        self.rules, self.outcomes, self.hash = rules, outcomes, hash

    def __bool__(self) -> bool:
        return bool(self.rules or self.outcomes)

    @cached_property
    def start(self) -> list[State]:
        """The states of the rules before anything happened."""
        return [rule.operator.start for rule in self.rules]

    @cached_property
    def steps(self) -> Mapping[str, tuple[tuple[int, Step], ...]]:
        """Event name → the rules that it can concern, by their number."""
        found: dict[str, list[tuple[int, Step]]] = {}
        for index, rule in enumerate(self.rules):
            for kind in sorted(frozenset().union(*(selector.kinds for selector in rule.operator.selectors))):
                found.setdefault(kind, []).append((index, rule.operator.step))
        return {kind: tuple(steps) for kind, steps in found.items()}

    @cached_property
    def about_ours(self) -> bool:
        """Whether any rule can concern a command that we ran ourselves."""
        return any(selector.ours for rule in self.rules for selector in rule.operator.selectors)

    def advance(self, states: list[State], event: Happening) -> None:
        """Let one event happen."""
        for index, step in self.steps.get(event.event, ()):
            state = states[index]
            if state.__class__ is not Broken:
                states[index] = step(state, event)


def check(
    book: RuleBook, lines: Iterable[Line], end: Ending | None = None, *, finished: bool | None = None
) -> Verdicts:
    """The verdicts on a trace, given as its lines in order, and on what came of it.

    A line is a mapping with at least `seq`, `turn`, `event` and the fields of the event. `finished` says whether the
    trace is whole; None looks for its last event. An empty trace shows nothing: no rule over it can be evaluated.
    """
    lines = list(lines)
    states = list(book.start)
    for event in happenings(counted(lines), book.steps, ours=book.about_ours):
        book.advance(states, event)
    last = {line["event"]: line for line in lines}
    ended, seen = last.get("run_finished"), last.get("verification")
    outcome = ended.get("outcome") if ended is not None else None
    if finished is None:
        finished = ended is not None
    if not lines:
        return Verdicts((*map(_unseen, book.rules), *(rule.verdict(end, None) for rule in book.outcomes)))
    if end is not None and end.verification is None:
        end.verification = dict(seen) if seen is not None else None
    return Verdicts(
        (
            *(
                rule.verdict(state, finished=finished, outcome=outcome)
                for rule, state in zip(book.rules, states, strict=True)
            ),
            *(rule.verdict(end, outcome) for rule in book.outcomes),
        )
    )


def counted(lines: list[Line]) -> list[Line]:
    """The lines that count: without requests that were refused, and without effects that were undone."""
    refusals = [line for line in lines if line["event"] == "guard_refused"]
    if not refusals:
        return lines
    refused = {line.get("call") for line in refusals if not line.get("undone")}
    undone = {line.get("call") for line in refusals if line.get("undone")}
    return [
        line
        for line in lines
        if not (line["event"] == "tool_requested" and line.get("call") in refused)
        and not (line["event"] in EFFECTS and line.get("call") in undone)
    ]


def _unseen(rule: Rule) -> Verdict:
    return Verdict(id=rule.id, severity=rule.severity, result="not_evaluable", reason="there is no trace")
