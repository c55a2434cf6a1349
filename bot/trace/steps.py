"""The story of a run: its lines folded into steps, one for each thing that was done. Show, comment and page tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from bot.trace.events import (
    ApprovalAsked,
    BranchPushed,
    BroughtUp,
    CommandRun,
    CommentWritten,
    CommitCreated,
    FileWrite,
    GateDecided,
    GuardRefused,
    LimitReached,
    ModelReplied,
    ModelRetried,
    Nudged,
    PullRequestOpened,
    TestCounts,
    ToolCompleted,
    ToolFailed,
    ToolRequested,
    VerificationDone,
    VersionChange,
)
from bot.trace.line import Line

Actor = Literal["agent", "script", "fleet-bot", "model", "person"]


class Step(msgspec.Struct, kw_only=True):
    """One thing done, and how it ended."""

    seq: int
    """Line that it began on."""
    turn: int
    actor: Actor
    what: str
    """`run_shell_command`, `verification`, `limit` …"""
    target: str = ""
    """The command, the path, or what it is about. Foreign text."""
    result: str = ""
    """How it ended, in a few words. Foreign text may be in it."""
    good: bool = True
    deviation: str = ""
    """Why a reviewer should look at it: refused, failed, limit, nudge, retry, stopped; empty for what is ordinary."""
    milliseconds: float = 0.0
    text: str = ""
    """What it printed or said. Foreign text."""
    ended: bool = True


def steps(lines: Iterable[Line]) -> Iterator[Step]:
    """The steps of a trace in the order in which they began; a call is handed out when it has ended, or at the end.

    Holds only the calls that are in flight, so a trace of any length fits.
    """
    open_: dict[str, Step] = {}
    for line in lines:
        body = line.body
        if isinstance(body, ToolRequested):
            open_[body.call] = _requested(line, body)
            continue
        call = getattr(body, "call", None)
        step = open_.get(call) if call else None
        if step is not None and body is not None:
            if _told(step, body):
                yield open_.pop(str(call))
            continue
        own = _own(line)
        if own is not None:
            yield own
    for step in open_.values():
        step.ended, step.good, step.deviation, step.result = False, False, "stopped", "in flight when the trace ends"
        yield step


def target_of(args: dict[str, Any]) -> str:
    """What a call is about, from its arguments: the command, the path, or all of them."""
    for name in ("command", "path", "pattern"):
        if isinstance(args.get(name), str):
            return str(args[name])
    return ", ".join(f"{name}={value}" for name, value in args.items())


def tests_of(tests: TestCounts | None) -> str:
    """`3 passed, 1 failed`, or nothing."""
    if tests is None:
        return ""
    parts = [("passed", tests.passed), ("failed", tests.failed), ("skipped", tests.skipped), ("errors", tests.errors)]
    return ", ".join(f"{count} {name}" for name, count in parts if count) or "no tests"


def _requested(line: Line, body: ToolRequested) -> Step:
    actor: Actor = "script" if body.tool == "script" else "agent"
    return Step(seq=line.seq, turn=line.turn, actor=actor, what=body.tool, target=target_of(body.args))


def _told(step: Step, body: object) -> bool:
    """Add what a line says of a step; whether it has ended with that."""
    if isinstance(body, CommandRun):
        _ran(step, body)
    elif isinstance(body, FileWrite):
        counted = f" +{body.added} -{body.removed}" if body.added is not None else ""
        _also(step, f"{body.change} {body.path}{counted}")
    elif isinstance(body, VersionChange):
        _also(step, f"version {body.from_} → {body.to}")
    elif isinstance(body, ToolCompleted):
        step.milliseconds = body.duration_ms
        step.text = step.text or (body.shown or body.output.text)
        return True
    elif isinstance(body, ToolFailed):
        step.good, step.deviation, step.milliseconds = False, "failed", body.duration_ms
        _also(step, f"{body.reason}: {body.message}")
        return True
    elif isinstance(body, GuardRefused):
        step.good, step.deviation = False, "refused"
        _also(step, f"{'undone' if body.undone else 'refused'} by {body.by} {body.rule}: {body.message}")
        return True
    elif isinstance(body, ApprovalAsked):
        _also(step, "approved" if body.allowed else f"not approved: {body.reason}")
    return False


def _ran(step: Step, body: CommandRun) -> None:
    step.text = "\n".join(part for part in (body.stdout, body.stderr) if part)
    step.milliseconds = body.duration_ms
    said = tests_of(body.tests)
    _also(step, ("time-out" if body.timed_out else f"exit {body.exit_code}") + (f", {said}" if said else ""))
    if body.exit_code != 0:
        step.good, step.deviation = False, "failed"


def _also(step: Step, what: str) -> None:
    step.result = f"{step.result}; {what}" if step.result else what


def _own(line: Line) -> Step | None:
    """A step that is one line: what the model said, and what we did ourselves."""
    body = line.body

    def step(actor: Actor, what: str, **fields: Any) -> Step:
        return Step(seq=line.seq, turn=line.turn, actor=actor, what=what, **fields)

    match body:
        case CommandRun():
            made = step("fleet-bot", body.phase, target=body.command)
            _ran(made, body)
            if body.phase in {"probe", "verify"}:
                made.deviation = ""  # red is an answer here, not a failure; the verification judges it
            return made
        case ModelReplied():
            said = "".join(part.get("text", "") for part in body.parts if part.get("kind") == "text")
            tokens = f"{body.usage.prompt} in, {body.usage.output + body.usage.thoughts} out"
            unusual = "" if body.finish == "stop" else "model"
            result = f"{body.finish_raw or body.finish}, {tokens}"
            return step("model", "reply", result=result, text=said, deviation=unusual, milliseconds=body.duration_ms)
        case ModelRetried():
            result = f"{body.cause} (status {body.status}), waited {body.waited_seconds:g} s"
            return step("model", "retry", result=result, good=False, deviation="retry")
        case Nudged():
            return step("fleet-bot", "nudge", target=body.reason, text=body.message, deviation="nudge")
        case LimitReached():
            result = f"{body.used:g} of {body.allowed:g}. {body.message}"
            return step("fleet-bot", "limit", target=body.limit, result=result, good=False, deviation="limit")
        case GuardRefused():
            return step("fleet-bot", "refusal", target=body.rule, result=body.message, good=False, deviation="refused")
        case _:
            return _outcome(line)


def _outcome(line: Line) -> Step | None:
    """A step that says what came of the run."""
    body = line.body

    def step(what: str, target: str, result: str, *, good: bool = True) -> Step:
        return Step(seq=line.seq, turn=line.turn, actor="fleet-bot", what=what, target=target, result=result, good=good)

    match body:
        case VerificationDone():
            return step("verification", "proven" if body.proven else "not proven", body.reason, good=body.proven)
        case BroughtUp():
            return step("brought up", body.branch, f"from {body.before[:12]} to {body.base[:12]}, and verified there")
        case CommitCreated():
            return step("commit", body.sha[:12], f"{body.files} files +{body.added} -{body.removed}")
        case GateDecided():
            return step("gate", "passed" if body.allowed else "refused", "; ".join(body.reasons), good=body.allowed)
        case BranchPushed():
            return step("push", body.branch, body.sha[:12])
        case PullRequestOpened():
            return step("pull request", f"#{body.number}", f"{body.action} {body.url}")
        case CommentWritten():
            return step("comment", str(body.id), f"{body.action} {body.url}")
        case FileWrite():
            return step("write", body.path, body.change)
        case _:
            return None
