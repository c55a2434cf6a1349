"""Runs as traces: one of each event, written by the real writer with a clock that stands still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from bot.base.redact import Redactor
from bot.base.values import Usage
from bot.trace import events as e
from bot.trace.writer import TraceWriter

START = 1_764_110_400.25


class StillClock:
    """Every look at it is a millisecond later."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        self.time += 0.001
        return round(self.time, 6)

    def monotonic(self) -> float:
        return self.now()

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def open_trace(path: Path, secrets: tuple[str, ...] = (), *, previous: str = "") -> TraceWriter:
    return TraceWriter(
        path, run="demo-1/slugger", redactor=Redactor(secrets, key=b"k"), clock=StillClock(), previous=previous
    )


def started(**more: Any) -> e.RunStarted:
    return e.RunStarted(
        **(
            {
                "plugin": "slugger",
                "playbook": "fix_bug",
                "playbook_version": "1.0.0",
                "playbook_hash": "ab" * 32,
                "campaign": "fix_bug-3f2a",
                "variables": {"bug": "crash"},
                "base_sha": "1" * 40,
                "branch": "fix/issue-7",
                "model": {"adapter": "gemini", "name": "gemini-3-pro"},
                "sandbox": {"level": "bubblewrap", "network": "none"},
                "limits": {"steps": 40},
                "prompt": "one\ntwo\nthree\nfour\nfive\nsix",
            }
            | more
        )
    )


def finished(**more: Any) -> e.RunFinished:
    fields = {"outcome": "changed", "reason": "the whole suite is green", "usage": Usage(), "duration_ms": 12.5}
    return e.RunFinished(**(fields | {"events": 0, "head": ""} | more))


def command(text: str, code: int, call: str | None = "1.0", **more: Any) -> e.CommandRun:
    fields = {"command": text, "exit_code": code, "duration_ms": 250.0, "stdout": "out\n", "stderr": "", "call": call}
    return e.CommandRun(**(fields | more))


def full_run() -> list[tuple[e.EventBody, int]]:
    """A run in which everything happens, with the turn of each event."""
    return [
        (started(), 0),
        (command("pip install -e .", 0, None, phase="setup"), 0),
        (e.ModelRequested(contents=1), 1),
        (e.ModelRetried(status=503, cause="overloaded", waited_seconds=1.5), 1),
        (
            e.ModelReplied(
                parts=(
                    {"kind": "text", "text": "I look first."},
                    {"kind": "call", "name": "x", "args": {}, "id": None},
                ),
                raw={"parts": [{"thoughtSignature": "c2ln"}]},
                finish="stop",
                finish_raw="STOP",
                usage=Usage(prompt=100, output=20, calls=1),
                duration_ms=900,
            ),
            1,
        ),
        (e.ToolRequested(call="1.0", tool="run_shell_command", args={"command": "pytest -q"}), 1),
        (e.ApprovalAsked(call="1.0", title="pytest -q", allowed=True), 1),
        (command("pytest -q", 1, tests=e.TestCounts(passed=2, failed=1), stdout="\n".join("abcdefghijkl")), 1),
        (
            e.ToolCompleted(
                call="1.0", tool="run_shell_command", output=e.Clipped(text="exit code 1", bytes=11), duration_ms=251
            ),
            1,
        ),
        (e.ToolRequested(call="1.1", tool="write_file", args={"path": "src/x.py", "content": "…"}), 1),
        (
            e.FileWrite(
                path="src/x.py",
                change="modified",
                bytes=9,
                sha256_before="a",
                sha256_after="b",
                added=3,
                removed=1,
                call="1.1",
            ),
            1,
        ),
        (e.VersionChange(file="pyproject.toml", from_="1.0.0", to="1.0.1", bump="patch", call="1.1"), 1),
        (e.ChangelogEntry(file="CHANGE_LOG.md", version="1.0.1", call="1.1"), 1),
        (e.ToolCompleted(call="1.1", tool="write_file", output=e.Clipped(text="written", bytes=7), duration_ms=1), 1),
        (e.ToolRequested(call="1.2", tool="write_file", args={"path": ".github/workflows/x.yml", "content": "…"}), 1),
        (
            e.GuardRefused(call="1.2", tool="write_file", by="policy", rule="protected", message="a protected path"),
            1,
        ),
        (e.ToolRequested(call="1.3", tool="read_file", args={"path": "nowhere"}), 1),
        (e.ToolFailed(call="1.3", tool="read_file", reason="not_found", message="no such file"), 1),
        (e.Nudged(reason="stuck", message="You repeat yourself."), 2),
        (e.LimitReached(limit="steps", allowed=40, used=40, message="stopped"), 2),
        (e.Note(message="nothing of importance"), 0),
        (
            e.VerificationDone(
                proven=True,
                reason="1 new test red without the fix, green with it",
                base=e.SuiteSeen(exit_code=1, passed=2, failed=1, skipped=0, errors=0, per_test=True, duration_ms=10),
                head=e.SuiteSeen(exit_code=0, passed=3, failed=0, skipped=0, errors=0, per_test=True, duration_ms=10),
                red_before=("t::new",),
            ),
            0,
        ),
        (
            e.CommitCreated(
                sha="c" * 40, tree="d" * 40, parent="1" * 40, branch="fix/issue-7", files=1, added=3, removed=1
            ),
            0,
        ),
        (finished(usage=Usage(prompt=100, output=20, calls=1, cost_usd=0.01)), 0),
    ]


def publishing() -> list[e.EventBody]:
    """What publishing writes into its own file."""
    return [
        e.GateDecided(allowed=True),
        e.BranchPushed(branch="fix/issue-7", sha="c" * 40),
        e.PullRequestOpened(number=12, url="https://example.invalid/pull/12", action="created", draft=True),
        e.CommentWritten(id=99, url="https://example.invalid/pull/12#c99", action="created"),
    ]


def write_full(path: Path) -> e.Seal:
    sink = open_trace(path)
    for body, turn in full_run():
        sink.append(body, turn=turn)
    return sink.seal()


def proposal(seal: e.Seal | None = None, **more: Any) -> dict[str, Any]:
    """A proposal as plain data, for a run like the one above."""
    proof = next(body for body, _ in full_run() if isinstance(body, e.VerificationDone))
    fields: dict[str, Any] = {
        "plugin": "slugger",
        "playbook": "fix_bug",
        "campaign": "fix_bug-3f2a",
        "outcome": "changed",
        "reason": "1 new test red without the fix, green with it",
        "files": ["src/x.py", "tests/test_x.py"],
        "added": 3,
        "removed": 1,
        "verification": msgspec.to_builtins(proof),
        "usage": {"prompt": 1000, "output": 20, "thoughts": 5, "calls": 3, "cost_usd": 0.0123, "estimated": True},
        "duration_ms": 12_345.0,
        "sandbox": {"level": "bubblewrap"},
        "model": {"name": "gemini-3-pro"},
        "trace": msgspec.to_builtins(seal) if seal else None,
    }
    return fields | more
