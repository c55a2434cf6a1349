"""Verification: our own run of the tests, on the base and on the head. The agent's word counts for nothing here."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bot.base.values import Verification
from bot.task.test_results import Suite
from bot.trace.events import VerificationDone

_SHOWN = 50
_NOT_RUN = {126, 127}
"""What a shell answers for a command that is not there or cannot be executed."""
_ONE_STILL_RED = "1 test was red before and is red still"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that a judgement rests on. None: there is no test command, or the run was not needed."""

    base: Suite | None = None
    head: Suite | None = None
    again: Suite | None = None
    """The head a second time, when the first run showed a regression: tells flaky tests from broken ones."""
    proof: Suite | None = None
    """The base with only the test files of the patch."""


Run = Callable[[str], Suite]
"""Fills the workspace with a tree and runs the tests there."""


def verify(rule: Verification, base: Suite | None, head: str, proof: str | None, run: Run) -> VerificationDone:
    """Run what the rule asks for and judge it.

    `base` is the run from before the agent came, None without a test command. `head` and `proof` are trees: the result,
    and the base with only the patch's test files (None when the patch has none).
    """
    if base is None:
        return judge(rule, Evidence(), has_tests=proof is not None)
    first = run(head)
    evidence = Evidence(base=base, head=first)
    if regressions(base, first) and not first.seen.timed_out:
        evidence = msgspec.structs.replace(evidence, again=run(head))
    if rule.tests == "red_to_green" and proof is not None:
        evidence = msgspec.structs.replace(evidence, proof=run(proof))
    return judge(rule, evidence, has_tests=proof is not None)


def regressions(base: Suite, head: Suite) -> frozenset[str]:
    """What passed on the base and does not pass on the head; a test that is gone does not pass.

    Without single tests: the name of the whole suite, when it was green and is not, or when more of it is red.
    """
    if base.tests is not None and head.tests is not None:
        return base.named("passed") - head.named("passed")
    if base.green:
        return frozenset() if head.green else frozenset({"(the whole suite)"})
    worse = head.seen.failed + head.seen.errors > base.seen.failed + base.seen.errors
    fewer = head.seen.passed < base.seen.passed
    unknown = base.seen.passed + base.seen.failed + base.seen.errors == 0
    return frozenset({"(the whole suite)"}) if not head.green and (worse or fewer or unknown) else frozenset()


def judge(rule: Verification, evidence: Evidence, *, has_tests: bool) -> VerificationDone:
    """What the runs show. Pure: the same evidence always gives the same judgement."""
    base, head = evidence.base, evidence.head
    if base is None or head is None:
        if rule.tests == "red_to_green":
            return VerificationDone(proven=False, reason="the plugin has no test command, so nothing can be proven")
        return VerificationDone(proven=True, reason="the plugin has no test command: no tests were run")
    lost = regressions(base, head)
    flaky: frozenset[str] = frozenset()
    if evidence.again is not None:
        flaky = lost - regressions(base, evidence.again)
        lost -= flaky
    red, green = _red_to_green(base, head, evidence.proof)
    proven, reason = _verdict(rule, base, head, lost, flaky, red, has_tests=has_tests, proof=evidence.proof)
    if flaky:
        reason += f"; flaky, so not counted: {_names(flaky)}"
    return VerificationDone(
        proven=proven,
        reason=reason,
        base=base.seen,
        head=head.seen,
        red_before=_listed(red),
        green_after=_listed(green),
        regressions=_listed(lost),
        flaky=_listed(flaky),
    )


def _verdict(
    rule: Verification,
    base: Suite,
    head: Suite,
    lost: frozenset[str],
    flaky: frozenset[str],
    red: frozenset[str],
    *,
    has_tests: bool,
    proof: Suite | None,
) -> tuple[bool, str]:
    if head.seen.timed_out:
        return False, "the tests did not end in time on the result"
    if lost:
        return False, _why_lost(base, head, lost)
    if rule.tests == "red_to_green":
        if not has_tests and not red:
            return False, "the patch brings no test that reproduces the bug"
        if not red:
            return False, _why_not_red(head, proof)
    return True, _summary(rule, base, head, red, flaky)


def _why_lost(base: Suite, head: Suite, lost: frozenset[str]) -> str:
    if base.green or (base.tests is not None and head.tests is not None):
        return f"passed before, does not pass now: {_names(lost)}"
    if base.seen.exit_code == head.seen.exit_code and base.seen.exit_code in _NOT_RUN:
        return f"the test command cannot be run (exit code {base.seen.exit_code}), before the change neither"
    if base.seen.passed + base.seen.failed + base.seen.errors:
        return "the suite was red before as well, and more of it is red now"
    return "the suite was red before as well, and without single tests nothing shows that it did not get worse"


def _why_not_red(head: Suite, proof: Suite | None) -> str:
    if proof is not None and proof.tests is not None and not proof.named("failed") and proof.named("error"):
        return f"the new tests cannot even be run without the fix: {_names(proof.named('error'))}"
    if proof is not None and proof.green:
        return "the new tests pass without the fix as well, so they do not reproduce the bug"
    return "no new test that fails on the base passes on the result" + ("" if head.green else "; the suite is red")


def _summary(rule: Verification, base: Suite, head: Suite, red: frozenset[str], flaky: frozenset[str]) -> str:
    words = []
    if rule.tests == "red_to_green":
        words.append(f"{len(red)} new test{'s' * (len(red) != 1)} red without the fix, green with it")
    if head.seen.per_test and not head.named("passed", "failed", "error"):
        words.append("the suite has no tests")
    elif head.green:
        words.append("the whole suite is green")
    elif still := head.seen.failed + head.seen.errors - len(flaky):
        words.append(f"{still} tests were red before and are red still" if still > 1 else _ONE_STILL_RED)
    else:
        words.append("all other tests are green")
    if not (base.seen.per_test and head.seen.per_test):
        words.append("seen by exit codes only, the runner names no single tests")
    return "; ".join(words)


def _red_to_green(base: Suite, head: Suite, proof: Suite | None) -> tuple[frozenset[str], frozenset[str]]:
    """The tests that show the bug: red without the fix, green with it."""
    if proof is None:
        # No test file changed, but the repository itself may have held the failing test.
        red = base.named("failed") & head.named("passed")
        return red, red
    if proof.tests is not None and head.tests is not None:
        # A test that cannot be collected fails for any reason; only one that ran and failed shows the bug.
        red = proof.named("failed") & head.named("passed")
        return red, red
    if base.green and not proof.green and not proof.seen.timed_out and head.green:
        whole = frozenset({"(the whole suite)"})
        return whole, whole
    return frozenset(), frozenset()


def _names(tests: frozenset[str]) -> str:
    names = sorted(tests)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _listed(tests: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(tests)[:_SHOWN])
