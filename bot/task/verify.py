"""Verification: our own run of the tests, on the base and on the head. The agent's word counts for nothing here.

Two questions. *Is anything worse?* Nothing that passed on the base may fail or be gone, no other test may fail that did
not fail before, and a suite that was green may not end red for any reason. *Is the bug shown?* A test of the patch
fails on the old code, twice, and passes on the new.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

import msgspec

from bot.base.values import Verification
from bot.task.test_results import Suite
from bot.trace.events import VerificationDone

_SHOWN = 50
_WHOLE = "(the whole suite)"
_ONE_STILL_RED = "1 test was red before and is red still"
_NOT_RUN = {126, 127}
"""What a shell answers for a command that is not there or cannot be executed."""


class Trees(msgspec.Struct, frozen=True, kw_only=True):
    """What the tests are run on, as git trees."""

    start: str
    """What the agent started from."""
    head: str
    """The result."""
    proof: str | None = None
    """The start with only the test files of the patch; None when the patch has none."""
    test_files: tuple[str, ...] = ()
    """The test files of the patch."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that a judgement rests on. None: there is no test command, or the run was not needed."""

    base: Suite | None = None
    head: Suite | None = None
    again: Suite | None = None
    """The head a second time, when the first run was worse than the base: tells flaky tests from broken ones."""
    red: tuple[Suite, ...] = ()
    """Two runs in which the bug has to show: of the proof tree, or without one the base and a second run of it."""
    test_files: tuple[str, ...] = ()

    @property
    def has_tests(self) -> bool:
        """Whether the patch brings tests."""
        return bool(self.test_files)


Run = Callable[[str], Suite]
"""Fills the workspace with a tree and runs the tests there."""


def verify(rule: Verification, base: Suite | None, trees: Trees, run: Run) -> VerificationDone:
    """Run what the rule asks for and judge it. `base` is the run from before the agent came, None without a command."""
    if base is None:
        return judge(rule, Evidence(test_files=trees.test_files))
    head = run(trees.head)
    evidence = Evidence(base=base, head=head, test_files=trees.test_files)
    if regressions(base, head) and not head.seen.timed_out:
        evidence = msgspec.structs.replace(evidence, again=run(trees.head))
    if rule.tests == "red_to_green":
        red = (run(trees.proof), run(trees.proof)) if trees.proof else _red_base(base, head, trees, run)
        evidence = msgspec.structs.replace(evidence, red=red)
    return judge(rule, evidence)


def _red_base(base: Suite, head: Suite, trees: Trees, run: Run) -> tuple[Suite, ...]:
    # No test file changed, but the repository itself may have held the failing test.
    return (base, run(trees.start)) if base.named("failed") & head.named("passed") else ()


def regressions(base: Suite, head: Suite) -> frozenset[str]:
    """What is worse on the head, by test; the whole suite where no single test says why it is red now."""
    worse: frozenset[str] = frozenset()
    if base.tests is not None and head.tests is not None:
        # A test that is gone does not pass; a new one that fails is worse than none.
        worse = (base.named("passed") - head.named("passed")) | (
            head.named("failed", "error") - base.named("failed", "error")
        )
    elif not base.green and not head.green and _counts_worse(base, head):
        worse = frozenset({_WHOLE})
    return frozenset({_WHOLE}) if not worse and base.green and not head.green else worse


def _counts_worse(base: Suite, head: Suite) -> bool:
    more = head.seen.failed + head.seen.errors > base.seen.failed + base.seen.errors
    unknown = base.seen.passed + base.seen.failed + base.seen.errors == 0
    return more or head.seen.passed < base.seen.passed or unknown


def judge(rule: Verification, evidence: Evidence) -> VerificationDone:
    """What the runs show. Pure: the same evidence always gives the same judgement."""
    base, head = evidence.base, evidence.head
    if base is None or head is None:
        if rule.tests == "red_to_green":
            return VerificationDone(proven=False, reason="the plugin has no test command, so nothing can be proven")
        return VerificationDone(proven=True, reason="the plugin has no test command: no tests were run")
    lost, flaky = _lost_and_flaky(base, head, evidence.again)
    red = _red_to_green(evidence, base, head) if rule.tests == "red_to_green" else frozenset()
    failing = _why_not(rule, evidence, base, head, lost, red)
    reason = failing or _summary(rule, evidence, base, head, red, flaky)
    if flaky:
        reason += f"; flaky, so not counted: {_names(flaky)}"
    return VerificationDone(
        proven=failing is None,
        reason=reason,
        base=base.seen,
        head=head.seen,
        red_before=_listed(red),
        green_after=_listed(red),
        regressions=_listed(lost),
        flaky=_listed(flaky),
    )


def _lost_and_flaky(base: Suite, head: Suite, again: Suite | None) -> tuple[frozenset[str], frozenset[str]]:
    lost = regressions(base, head)
    if again is None:
        return lost, frozenset()
    # A test that nobody knew before has no record of being flaky: it has to pass each time.
    known = base.named("passed", "failed", "error", "skipped") | {_WHOLE}
    flaky = (lost - regressions(base, again)) & known
    return lost - flaky, flaky


def _why_not(
    rule: Verification, evidence: Evidence, base: Suite, head: Suite, lost: frozenset[str], red: frozenset[str]
) -> str | None:
    if head.seen.timed_out:
        return "the tests did not end in time on the result"
    if lost:
        return _why_lost(base, head, lost)
    if rule.tests == "red_to_green" and not red:
        return _why_not_red(evidence, head)
    return None


def _why_lost(base: Suite, head: Suite, lost: frozenset[str]) -> str:
    if lost == {_WHOLE} and base.green:
        return f"the suite was green and ends with exit code {head.seen.exit_code} now"
    new = lost - base.named("passed", "failed", "error", "skipped")
    if base.tests is not None and head.tests is not None:
        if new == lost:
            return f"new tests do not pass on the result: {_names(new)}"
        return f"passed before, does not pass now: {_names(lost - new)}"
    if base.seen.exit_code == head.seen.exit_code and base.seen.exit_code in _NOT_RUN:
        return f"the test command cannot be run (exit code {base.seen.exit_code}), before the change neither"
    if base.seen.passed + base.seen.failed + base.seen.errors:
        return "the suite was red before as well, and more of it is red now"
    return "the suite was red before as well, and without single tests nothing shows that it did not get worse"


def _why_not_red(evidence: Evidence, head: Suite) -> str:
    if not evidence.has_tests:
        return "the patch brings no test that reproduces the bug"
    first = evidence.red[0] if evidence.red else None
    if first is not None and first.tests is not None and not first.named("failed") and first.named("error"):
        return f"the new tests cannot even be run without the fix: {_names(first.named('error'))}"
    if first is not None and first.green:
        return "the new tests pass without the fix as well, so they do not reproduce the bug"
    return "no test of the patch that fails on the base passes on the result" + (
        "" if head.green else "; the suite is red"
    )


def _red_to_green(evidence: Evidence, base: Suite, head: Suite) -> frozenset[str]:
    """The tests that show the bug: red without the fix, each time, and green with it."""
    if len(evidence.red) != 2:
        return frozenset()
    first, second = evidence.red
    if head.tests is not None:
        # A test that cannot be collected fails for any reason; only one that ran and failed shows the bug.
        red = first.named("failed") & second.named("failed") & head.named("passed")
        # What passed on the base and fails on the same code now is flaky, unless the patch changed that very test.
        before = red & base.named("passed")
        return red if first is base or not before else red - (before - _of_files(red, evidence.test_files, first))
    both_red = not any(suite.green or suite.seen.timed_out for suite in evidence.red)
    return frozenset({_WHOLE}) if base.green and both_red and head.green else frozenset()


def _of_files(tests: frozenset[str], files: tuple[str, ...], suite: Suite) -> frozenset[str]:
    """The tests that stand in these files, by their names; all of them where the runner names no files."""
    stems = {PurePosixPath(file).name.partition(".")[0] for file in files}

    def stands(test: str) -> bool:
        return not stems.isdisjoint(re.split(r"[^\w-]+", test))

    if not any(map(stands, suite.tests or {})):
        return tests
    return frozenset(filter(stands, tests))


def _summary(
    rule: Verification, evidence: Evidence, base: Suite, head: Suite, red: frozenset[str], flaky: frozenset[str]
) -> str:
    words = []
    if rule.tests == "red_to_green":
        words.append(f"{_kind(red, evidence, base)} red without the fix, green with it")
    still = head.seen.failed + head.seen.errors - len(flaky)
    if head.seen.per_test and not head.named("passed", "failed", "error"):
        words.append("the suite has no tests")
    elif head.green:
        words.append("the whole suite is green")
    elif still > 0:
        words.append(f"{still} tests were red before and are red still" if still > 1 else _ONE_STILL_RED)
    elif flaky:
        words.append("all other tests are green")
    else:
        words.append(f"all tests pass, and the suite ends with exit code {head.seen.exit_code} as before")
    if not (base.seen.per_test and head.seen.per_test):
        words.append("seen by exit codes only, the runner names no single tests")
    return "; ".join(words)


def _kind(red: frozenset[str], evidence: Evidence, base: Suite) -> str:
    many = "s" * (len(red) != 1)
    if not evidence.has_tests:
        return f"{len(red)} test{many} that the plugin had already:"
    new = red.isdisjoint(base.tests or {})
    return f"{len(red)} new test{many}" if new else f"{len(red)} test{many} of the patch"


def _names(tests: frozenset[str]) -> str:
    names = sorted(tests)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _listed(tests: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(tests)[:_SHOWN])
