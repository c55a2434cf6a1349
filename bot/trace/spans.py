"""A run as spans: the agent's run, each model call, each tool call, each command; what the exporters spell out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from bot.trace.events import (
    CommandRun,
    CommitCreated,
    FileWrite,
    GuardRefused,
    LimitReached,
    ModelReplied,
    ModelRequested,
    ModelRetried,
    Note,
    Nudged,
    RunFinished,
    RunStarted,
    ToolFailed,
    ToolRequested,
    VerificationDone,
    VersionChange,
)
from bot.trace.groups import groups
from bot.trace.line import Line


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that took no time."""

    name: str
    time: float
    attributes: dict[str, Any] = {}


class Span(msgspec.Struct, kw_only=True):
    """Something that took time. Times are seconds since the epoch."""

    id: str
    """16 hex digits."""
    parent: str
    kind: Literal["run", "chat", "tool", "command"]
    name: str
    start: float
    end: float
    lines: list[Line]
    """What the trace says of it."""
    moments: list[Moment] = []
    error: str = ""
    """Why it did not go well; empty when it did."""
    turn: int = 0


def spans(lines: Iterable[Line]) -> Iterator[Span]:
    """All spans, each when it has ended; the run itself comes last. An unfinished trace ends where it ends."""
    run: Span | None = None
    asked: Line | None = None
    waiting: list[Moment] = []
    for group in groups(lines):
        line = group[0]
        run = run or Span(id=_id(line), parent="", kind="run", name="run", start=line.time, end=line.time, lines=[])
        run.end = max(run.end, group[-1].time)
        match line.body:
            case RunStarted() | RunFinished():
                run.lines.append(line)
                if isinstance(line.body, RunFinished) and line.body.outcome not in {"changed", "no_change", "skipped"}:
                    run.error = line.body.outcome
            case ModelRequested():
                asked = line
            case ModelRetried():
                waiting.append(_moment(line))
            case ModelReplied():
                start = asked.time if asked else line.time - line.body.duration_ms / 1000
                yield _span(run, "chat", "chat", [line], start=start, moments=waiting)
                asked, waiting = None, []
            case ToolRequested():
                yield from _tool(run, group)
            case CommandRun():
                yield _command(run, line)
            case _:
                run.moments.append(_moment(line))
    if run is not None:
        run.moments += waiting
        yield run


def _tool(run: Span, group: list[Line]) -> Iterator[Span]:
    asked = group[0].body
    name = asked.tool if isinstance(asked, ToolRequested) else ""
    made = _span(run, "tool", name, group, start=group[0].time)
    for line in group[1:]:
        match line.body:
            case CommandRun():
                yield _command(made, line)
            case ToolFailed():
                made.error = line.body.reason
            case GuardRefused():
                made.error = f"refused by {line.body.by}"
            case FileWrite() | VersionChange():
                made.moments.append(_moment(line))
    if len(group) == 1:
        made.error = "in flight when the trace ends"
    yield made


def _command(parent: Span, line: Line) -> Span:
    body = line.body
    if not isinstance(body, CommandRun):
        raise AssertionError
    name = (body.argv or tuple(body.command.split()) or ("sh",))[0]
    made = _span(parent, "command", name, [line], start=max(line.time - body.duration_ms / 1000, parent.start))
    made.error = "" if body.exit_code == 0 else "timeout" if body.timed_out else str(body.exit_code)
    return made


def _span(
    parent: Span,
    kind: Literal["chat", "tool", "command"],
    name: str,
    lines: list[Line],
    *,
    start: float,
    moments: list[Moment] | None = None,
) -> Span:
    end = max(lines[-1].time, start)
    turn = lines[0].turn
    return Span(
        id=_id(lines[0]), parent=parent.id, kind=kind, name=name, start=start, end=end, lines=lines,
        moments=moments or [], turn=turn,
    )  # fmt: skip


def _id(line: Line) -> str:
    return line.hash[:16].rjust(16, "0")


def _moment(line: Line) -> Moment:
    attributes: dict[str, Any] = {}
    match line.body:
        case FileWrite():
            attributes = {"file.path": line.body.path, "fleet_bot.change": line.body.change}
        case VersionChange():
            attributes = {"file.path": line.body.file, "fleet_bot.from": line.body.from_, "fleet_bot.to": line.body.to}
        case VerificationDone():
            attributes = {"fleet_bot.proven": line.body.proven, "fleet_bot.reason": line.body.reason}
        case CommitCreated():
            attributes = {"vcs.ref.head.revision": line.body.sha, "fleet_bot.files": line.body.files}
        case LimitReached():
            attributes = {"fleet_bot.limit": line.body.limit}
        case ModelRetried():
            attributes = {
                "http.response.status_code": line.body.status,
                "fleet_bot.waited_seconds": line.body.waited_seconds,
            }
        case Nudged() | Note():
            attributes = {"fleet_bot.message": line.body.message}
    return Moment(name=f"fleet_bot.{line.event}", time=line.time, attributes=attributes)
