"""The closing lines of common test runners, and how to read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bot.trace.events import TestCounts

Reading = Callable[[list[re.Match[str]], str], TestCounts | None]
"""From all matches of a summary, and the text, to counts."""


class Runner(NamedTuple):
    """How one test runner is recognised."""

    name: str
    command: re.Pattern[str]
    """Found in the words of a command that runs it."""
    summary: re.Pattern[str]
    read: Reading
    after: int = 15
    """Lines that may follow the summary: hints and timings, for some runners the failures themselves."""


def _count(match: re.Match[str], name: str) -> int:
    value = match.groupdict().get(name)
    return int(value) if value else 0


def _last(read: Callable[[re.Match[str]], TestCounts | None]) -> Reading:
    return lambda matches, text: read(matches[-1])


def _sum(read: Callable[[re.Match[str]], TestCounts | None]) -> Reading:
    return lambda matches, text: _added(read(match) for match in matches)


def _added(parts: Iterator[TestCounts | None]) -> TestCounts | None:
    known = [part for part in parts if part is not None]
    return TestCounts(
        passed=sum(part.passed for part in known),
        failed=sum(part.failed for part in known),
        skipped=sum(part.skipped for part in known),
        errors=sum(part.errors for part in known),
    )


def _groups(match: re.Match[str]) -> TestCounts:
    """Groups of our names, or `total` from which `passed` follows."""
    failed, errors, skipped = _count(match, "failed"), _count(match, "errors"), _count(match, "skipped")
    passed = _count(match, "passed")
    if match.groupdict().get("total"):
        passed = max(0, _count(match, "total") - failed - errors - skipped)
    return TestCounts(passed=passed, failed=failed, skipped=skipped, errors=errors)


def _words(kinds: dict[str, str]) -> Callable[[re.Match[str]], TestCounts | None]:
    """Reads `3 failed, 2 passed`, in any order; `kinds` maps a runner's word to ours."""

    def read(match: re.Match[str]) -> TestCounts | None:
        tally: dict[str, int] = dict.fromkeys(("passed", "failed", "skipped", "errors"), 0)
        for number, word in re.findall(r"(\d+) ([a-z]+)", match["list"] or ""):
            if word in kinds:
                tally[kinds[word]] += int(number)
        return TestCounts(
            passed=tally["passed"], failed=tally["failed"], skipped=tally["skipped"], errors=tally["errors"]
        )

    return read


def _phpunit(match: re.Match[str]) -> TestCounts:
    named = dict(re.findall(r"([A-Z][A-Za-z]+): (\d+)", match["list"] or ""))
    failed, errors = int(named.get("Failures", 0)), int(named.get("Errors", 0))
    skipped = int(named.get("Skipped", 0)) + int(named.get("Incomplete", 0))
    passed = int(match["total"] or match["all"]) - failed - errors - skipped
    return TestCounts(passed=max(0, passed), failed=failed, skipped=skipped, errors=errors)


def _rspec(match: re.Match[str]) -> TestCounts:
    # Errors lie outside of the examples: they are not part of the total.
    failed, skipped = _count(match, "failed"), _count(match, "skipped")
    passed = max(0, _count(match, "total") - failed - skipped)
    return TestCounts(passed=passed, failed=failed, skipped=skipped, errors=_count(match, "errors"))


def _cargo(matches: list[re.Match[str]], text: str) -> TestCounts | None:
    """One summary for each test binary. Each has announced how many tests it has, which quoted output has not."""
    announced = [int(number) for number in re.findall(r"^running (\d+) tests?$", text, re.MULTILINE)]
    totals = [sum(_count(match, name) for name in ("passed", "failed", "skipped", "measured")) for match in matches]
    return _added(_groups(match) for match in matches) if announced == totals else None


def _go(matches: list[re.Match[str]], text: str) -> TestCounts | None:
    """Only `-v` names the tests that passed; a result counts when its test was announced."""
    begun = set(re.findall(r"^=== RUN +(\S+)$", text, re.MULTILINE))
    results = re.findall(r"^--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)$", text, re.MULTILINE)
    if not begun or not results or any(name not in begun for _, name in results):
        return None
    kinds = [kind for kind, _ in results]
    return TestCounts(passed=kinds.count("PASS"), failed=kinds.count("FAIL"), skipped=kinds.count("SKIP"))


def _runner(name: str, command: str, summary: str, read: Reading, after: int = 15) -> Runner:
    return Runner(name, re.compile(command), re.compile(summary, re.MULTILINE), read, after)


_PYTEST = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "skipped",
    "error": "errors",
    "errors": "errors",
    "xfailed": "skipped",
    "xpassed": "passed",
}
_JEST = {"passed": "passed", "failed": "failed", "skipped": "skipped", "todo": "skipped"}
_LIST = r"\d+ [a-z]+(?: [a-z]+)?"

RUNNERS: tuple[Runner, ...] = (
    _runner(
        "pytest",
        r"\b(?:pytest|py\.test)\b",
        rf"^(?:=+ )?(?P<list>{_LIST}(?:, {_LIST})*|no tests (?:ran|collected)(?: \([^)]*\))?)"
        r" in [\d.]+s(?: \([\d:]+\))?(?: =+)?$",
        _last(_words(_PYTEST)),
    ),
    _runner(
        "unittest",
        r"\bunittest\b|manage\.py test|\btrial\b",
        r"^Ran (?P<total>\d+) tests? in [\d.]+s\n\n(?:OK|FAILED|NO TESTS RAN)(?: \((?:failures=(?P<failed>\d+))?"
        r"(?:, )?(?:errors=(?P<errors>\d+))?(?:, )?(?:skipped=(?P<skipped>\d+))?"
        r"(?:, )?(?:expected failures=\d+)?(?:, )?(?:unexpected successes=\d+)?\))?$",
        _last(_groups),
    ),
    _runner("jest", r"\bjest\b", r"^Tests: +(?P<list>\d+ [a-z]+(?:, \d+ [a-z]+)*, \d+ total)$", _last(_words(_JEST))),
    _runner(
        "vitest",
        r"\bvitest\b",
        r"^ *Tests  +(?P<list>\d+ [a-z]+(?: \| \d+ [a-z]+)*)(?: \| \d+ [a-z]+)* \(\d+\)$",
        _last(_words(_JEST)),
    ),
    _runner(
        "mocha",
        r"\bmocha\b",
        r"^ +(?P<passed>\d+) passing \([^)]+\)(?:\n +(?P<skipped>\d+) pending)?(?:\n +(?P<failed>\d+) failing)?$",
        _last(_groups),
        after=100_000,
    ),
    _runner(
        "node",
        r"\bnode\b.*--test\b",
        r"^[^\s\d] tests (?P<total>\d+)\n(?:[^\s\d] suites \d+\n)?[^\s\d] pass \d+\n[^\s\d] fail (?P<failed>\d+)\n"
        r"[^\s\d] cancelled (?P<errors>\d+)\n[^\s\d] skipped (?P<skipped>\d+)$",
        _last(_groups),
        after=100_000,
    ),
    _runner("go", r"\bgo test\b", r"^(?:ok  \t.*|FAIL(?:\t.*)?|PASS)$", _go),
    _runner(
        "cargo",
        r"\bcargo\b",
        r"^test result: (?:ok|FAILED)\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<skipped>\d+) ignored; "
        r"(?P<measured>\d+) measured; \d+ filtered out(?:; finished in [\d.]+s)?$",
        _cargo,
    ),
    _runner(
        "phpunit",
        r"\bphpunit\b|\bpest\b",
        r"^(?:OK \((?P<all>\d+) tests?, \d+ assertions?\)"
        r"|Tests: (?P<total>\d+), Assertions: \d+(?P<list>(?:, [A-Z][A-Za-z ]+: \d+)*)\.)$",
        _last(_phpunit),
    ),
    _runner(
        "rspec",
        r"\brspec\b",
        r"^(?P<total>\d+) examples?, (?P<failed>\d+) failures?(?:, (?P<skipped>\d+) pending)?"
        r"(?:, (?P<errors>\d+) errors? occurred outside of examples)?$",
        _last(_rspec),
        after=1000,
    ),
    _runner(
        "minitest",
        r"\b(?:minitest|rake|rails) ?(?:test)?\b",
        r"^(?P<total>\d+) (?:runs|tests), \d+ assertions, (?P<failed>\d+) failures, (?P<errors>\d+) errors, "
        r"(?P<skipped>\d+) (?:skips|pendings)\b.*$",
        _last(_groups),
    ),
    _runner(
        "surefire",
        r"\bmvnw?\b",
        r"^(?:\[(?:INFO|WARNING|ERROR)\] )?Tests run: (?P<total>\d+), Failures: (?P<failed>\d+), "
        r"Errors: (?P<errors>\d+), Skipped: (?P<skipped>\d+)$",
        _sum(_groups),
        after=60,
    ),
    _runner("junit", r"\bjunit\b", r"^OK \((?P<total>\d+) tests?\)$", _last(_groups)),
    _runner(
        "junit",
        r"\bjunit\b",
        r"^Tests run: (?P<total>\d+),  Failures: (?P<failed>\d+)$",
        _last(_groups),
    ),
    _runner(
        "gradle",
        r"\bgradlew?\b",
        r"^(?P<total>\d+) tests? completed(?:, (?P<failed>\d+) failed)?(?:, (?P<skipped>\d+) skipped)?$",
        _sum(_groups),
        after=60,
    ),
    _runner(
        "ctest",
        r"\bctest\b",
        r"^\d+% tests passed, (?P<failed>\d+) tests failed out of (?P<total>\d+)$",
        _last(_groups),
        after=1000,
    ),
    _runner(
        "dotnet",
        r"\bdotnet test\b",
        r"^(?:Passed|Failed)! +- Failed: +(?P<failed>\d+), Passed: +(?P<passed>\d+), Skipped: +(?P<skipped>\d+), .*$",
        _sum(_groups),
    ),
    _runner(
        "deno",
        r"\bdeno test\b",
        r"^(?:ok|FAILED) \| (?P<passed>\d+) passed(?: \([^)]*\))? \| (?P<failed>\d+) failed(?: \([^)]*\))?"
        r"(?: \| (?P<skipped>\d+) ignored)?(?: \([^)]*\))?$",
        _last(_groups),
    ),
)
"""All that are known. A summary that only some of them could have written is enough to tell which it was."""
