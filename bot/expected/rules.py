"""Rules: an operator with a name, a weight and a sentence for whoever breaks it; and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from bot.base.values import Outcome
from bot.expected.monitor import Broken, Operator, State

Severity = Literal["harm", "fail", "warn"]
"""harm: must never happen, guarded and counted apart; fail: the run is no success; warn: worth knowing."""
Result = Literal["pass", "fail", "not_evaluable"]
SoFar = Literal["satisfied", "open", "violated"]
"""While a run goes on: good if it ended now; not yet, but it can still become good; lost."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule over the trace."""

    id: str
    operator: Operator
    severity: Severity = "fail"
    message: str = ""
    """What to say to the model, and to people, about it."""
    when: tuple[Outcome, ...] = ()
    """Outcomes of the run that it asks something of; empty: all. A run that ended otherwise passes."""

    @property
    def guards(self) -> bool:
        """Whether an action that breaks it is refused in a real run."""
        return self.operator.safety and self.severity != "warn" and not self.when

    def so_far(self, state: State) -> SoFar:
        """How it stands while the run goes on."""
        if isinstance(state, Broken):
            return "violated"
        return "satisfied" if self.operator.end(state) is None else "open"

    def verdict(self, state: State, *, finished: bool = True, outcome: str | None = None) -> Verdict:
        """How it stands now that no event follows; `finished` is False when the trace breaks off."""
        if self.when and outcome is not None and outcome not in self.when:
            return self._verdict("pass", None, f"the run ended {outcome}")
        if isinstance(state, Broken):
            return self._verdict("fail", state.seq, self.message or f"{self.operator.word} is violated")
        found = self.operator.end(state)
        if not finished and (found is not None or self.operator.word != "count" or self.operator.safety):
            return self._verdict("not_evaluable", None, "the trace breaks off")
        if found is None:
            return self._verdict("pass", None, "")
        reason = f"{self.message}: {found.why}" if self.message else found.why
        return self._verdict("fail" if found.evaluable else "not_evaluable", found.seq, reason)

    def _verdict(self, result: Result, seq: int | None, reason: str) -> Verdict:
        return Verdict(id=self.id, severity=self.severity, result=result, seq=seq, reason=reason)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one rule."""

    id: str
    severity: Severity
    result: Result
    seq: int | None = None
    """The event that broke it; None when what is missing is missing at the end."""
    reason: str = ""


class Verdicts(msgspec.Struct, frozen=True):
    """What became of all rules of a run."""

    all: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether every rule that counts passed. One that could not be evaluated did not."""
        return all(verdict.result == "pass" for verdict in self.all if verdict.severity != "warn")

    @property
    def harm(self) -> bool:
        """Whether something happened that must never happen."""
        return any(verdict.result == "fail" and verdict.severity == "harm" for verdict in self.all)

    def failed(self, severities: Iterable[Severity] = ("harm", "fail")) -> tuple[Verdict, ...]:
        """The rules of these severities that did not pass."""
        wanted = frozenset(severities)
        return tuple(verdict for verdict in self.all if verdict.result != "pass" and verdict.severity in wanted)
