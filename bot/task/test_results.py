"""One run of a plugin's tests by us, and what became of each test."""

from __future__ import annotations

import secrets
import shlex
from functools import cached_property

import msgspec

from bot.agent.effects import told
from bot.base.values import Plugin, TestCommand
from bot.ports import Sandbox, TraceSink
from bot.trace.commands import junit
from bot.trace.events import CommandRun, SuiteSeen

_JUNIT_LIMIT = 64 << 20
_NO_TESTS_COLLECTED = 5  # pytest's exit code, https://docs.pytest.org/en/stable/reference/exit-codes.html


class Suite(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """How one run of the tests ended."""

    seen: SuiteSeen
    tests: dict[str, str] | None = None
    """Test id → passed, failed, error or skipped; None when the runner tells no single tests."""

    @property
    def green(self) -> bool:
        """Whether the run succeeded. A suite without a single test is green: it has nothing to say."""
        return self.seen.exit_code in {0, _NO_TESTS_COLLECTED} and not self.seen.timed_out

    def named(self, *statuses: str) -> frozenset[str]:
        """The tests that ended in one of these ways."""
        return frozenset().union(*[self._by_status.get(status, ()) for status in statuses])

    @cached_property
    def _by_status(self) -> dict[str, frozenset[str]]:
        found: dict[str, list[str]] = {}
        for name, status in (self.tests or {}).items():
            found.setdefault(status, []).append(name)
        return {status: frozenset(names) for status, names in found.items()}


def run_suite(
    sandbox: Sandbox, plugin: Plugin, test: TestCommand, sink: TraceSink, *, workspace: str, timeout: float
) -> Suite:
    """Run the plugin's test command in the sandbox, read what it says of each test, and write it down.

    `timeout` is in seconds.
    """
    suite, event = observe(sandbox, plugin, test, sink, workspace=workspace, timeout=timeout)
    sink.append(event)
    return suite


def observe(
    sandbox: Sandbox, plugin: Plugin, test: TestCommand, sink: TraceSink, *, workspace: str, timeout: float
) -> tuple[Suite, CommandRun]:
    """As `run_suite`, and the event is left to the caller; `sink` only keeps what is too long for it.

    pytest is asked for JUnit XML through PYTEST_ADDOPTS, so that it also answers when it runs behind `make` or `tox`.
    `workspace` is the workspace's path as seen inside, `timeout` is in seconds.
    """
    # A new name each time: a file left behind by the code under test cannot be taken for a result.
    report = f".fleet-bot-{secrets.token_hex(8)}.xml"
    env = {"PYTEST_ADDOPTS": shlex.quote(f"--junitxml={workspace}/{report}")}
    result = sandbox.run(test.command, timeout=timeout, env=env, cwd=plugin.directory)
    configured = "/".join(part for part in (plugin.directory, test.junit) if part and part != ".")
    tests = _read(sandbox, report)
    if not tests and test.junit:
        tests = _read(sandbox, configured)
    if not tests and result.exit_code not in {0, _NO_TESTS_COLLECTED}:
        tests = None  # an empty file of a run that broke off says nothing
    event = told(sink, test.command, result, phase="verify")
    if tests is not None:
        statuses = list(tests.values())
        tally = [statuses.count(kind) for kind in ("passed", "failed", "skipped", "error")]
    else:
        summary = event.tests
        tally = [summary.passed, summary.failed, summary.skipped, summary.errors] if summary else [0, 0, 0, 0]
    seen = SuiteSeen(
        exit_code=result.exit_code,
        passed=tally[0],
        failed=tally[1],
        skipped=tally[2],
        errors=tally[3],
        per_test=tests is not None,
        duration_ms=event.duration_ms,
        timed_out=result.timed_out,
    )
    return Suite(seen=seen, tests=tests), event


def _read(sandbox: Sandbox, path: str) -> dict[str, str] | None:
    try:
        content = sandbox.read(path, limit=_JUNIT_LIMIT)
        return junit(content.data)
    except (OSError, ValueError):
        return None
