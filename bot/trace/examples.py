"""One example of every event, as it stands in a trace; documentation and schema are tested with them."""

from __future__ import annotations

from bot.base.values import Usage
from bot.trace import events as e

_USAGE = Usage(prompt=2143, cached=1024, output=87, thoughts=212, calls=1, cost_usd=0.0071)
_CALL = {"kind": "call", "name": "run_shell_command", "args": {"command": "python -m pytest -q"}, "id": None}
_SUITE = e.SuiteSeen(exit_code=0, passed=8, failed=0, skipped=0, errors=0, per_test=True, duration_ms=612.4)
_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_COMMIT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

EXAMPLES: tuple[e.EventBody, ...] = (
    e.RunStarted(
        plugin="slugger",
        playbook="fix_bug",
        playbook_version="1.0.0",
        playbook_hash=_SHA,
        campaign="fix_bug-3f2a",
        variables={"bug": "slugify fails on an empty string"},
        base_sha=_COMMIT,
        branch="fix/issue-7",
        model={"adapter": "gemini", "name": "gemini-3-pro", "endpoint": "", "parameters": {"temperature": 0}},
        sandbox={"level": "bubblewrap", "network": "none", "notes": []},
        limits={"steps": 40, "minutes": 20.0},
        bot_version="0.1.0",
        system="You maintain one repository …",
        prompt="Fix the bug that is reported below …",
        tools=({"name": "read_file", "description": "Read a file.", "parameters": {"type": "object"}},),
    ),
    e.ModelRequested(contents=3, parameters={"temperature": 0}),
    e.ModelRetried(status=503, cause="the model is overloaded", waited_seconds=2.0),
    e.ModelReplied(
        parts=({"kind": "text", "text": "I reproduce it first."}, _CALL),
        raw={"role": "model", "parts": [{"functionCall": {"name": "run_shell_command"}, "thoughtSignature": "CiQB…"}]},
        finish="stop",
        finish_raw="STOP",
        usage=_USAGE,
        model_version="gemini-3-pro-002",
        response_id="r-81",
        duration_ms=1893.5,
    ),
    e.ToolRequested(call="3.0", tool="run_shell_command", args={"command": "python -m pytest -q"}),
    e.ApprovalAsked(call="3.0", title="python -m pytest -q", allowed=True),
    e.CommandRun(
        command="python -m pytest -q",
        exit_code=1,
        duration_ms=540.2,
        stdout="1 failed, 7 passed in 0.31s\n",
        stderr="",
        stdout_bytes=28,
        call="3.0",
        argv=("pytest", "-q"),
        tests=e.TestCounts(passed=7, failed=1),
    ),
    e.FileWrite(
        path="src/slugger.py",
        change="modified",
        bytes=412,
        sha256_before="0" * 64,
        sha256_after=_SHA,
        added=3,
        removed=1,
        call="4.0",
    ),
    e.VersionChange(file="pyproject.toml", from_="1.4.2", to="1.4.3", bump="patch", call="5.0"),
    e.ChangelogEntry(file="CHANGE_LOG.md", version="1.4.3", call="5.1"),
    e.ToolCompleted(
        call="3.0", tool="run_shell_command", output=e.Clipped(text="exit code 1\n…", bytes=41), duration_ms=541.0
    ),
    e.ToolFailed(
        call="6.0", tool="read_file", reason="not_found", message="src/nowhere.py is not there", duration_ms=0.3
    ),
    e.GuardRefused(
        call="7.0", tool="write_file", by="policy", rule="protected-paths", message=".github/workflows is protected"
    ),
    e.LimitReached(limit="steps", allowed=40, used=40, message="the work so far is kept"),
    e.Nudged(reason="stuck", message="You made the same call three times with the same result."),
    e.VerificationDone(
        proven=True,
        reason="1 new test red without the fix, green with it; the whole suite is green",
        base=e.SuiteSeen(exit_code=0, passed=7, failed=0, skipped=0, errors=0, per_test=True, duration_ms=598.1),
        head=_SUITE,
        red_before=("tests.test_slugger::test_empty",),
        green_after=("tests.test_slugger::test_empty",),
    ),
    e.BroughtUp(before="4" * 40, base="5" * 40, branch="main"),
    e.CommitCreated(sha=_COMMIT, tree=_COMMIT, parent="5" * 40, branch="fix/issue-7", files=2, added=9, removed=1),
    e.GateDecided(allowed=False, reasons=("pyproject.toml is outside of allowed_paths",)),
    e.BranchPushed(branch="fix/issue-7", sha=_COMMIT),
    e.PullRequestOpened(number=12, url="https://github.com/acme/slugger/pull/12", action="created", draft=True),
    e.CommentWritten(id=981, url="https://github.com/acme/slugger/pull/12#issuecomment-981", action="created"),
    e.TraceKept(ref="refs/fleet-bot/traces/fix_bug-3f2a-slugger-0123456789ab", sha=_COMMIT),
    e.Note(message="drafts are not available here, so the pull request is ready"),
    e.RunFinished(
        outcome="changed",
        reason="1 new test red without the fix, green with it; the whole suite is green",
        usage=_USAGE,
        duration_ms=48_211.0,
        events=41,
        head=_SHA,
        answer="slugify now returns an empty string for an empty one.",
    ),
)
