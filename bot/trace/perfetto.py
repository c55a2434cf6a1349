"""A trace in the trace event format, for ui.perfetto.dev and chrome://tracing: who did what, when, and the cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bot.trace.events import CommandRun, ModelReplied, RunStarted, ToolRequested
from bot.trace.line import Line
from bot.trace.spans import Span, spans
from bot.trace.steps import target_of

_TRACKS = {"run": 1, "chat": 2, "tool": 3, "command": 4}
_NAMES = {1: "run", 2: "model", 3: "agent's tools", 4: "commands"}
_PROCESS = 1


def perfetto(lines: Iterable[Line]) -> dict[str, Any]:
    """The document, in its JSON object form. Times are microseconds from the start of the run."""
    all_ = list(spans(lines))
    if not all_:
        return {"traceEvents": [], "displayTimeUnit": "ms"}
    start = all_[-1].start
    title = next((f"{b.playbook} on {b.plugin}" for b in _bodies(all_[-1]) if isinstance(b, RunStarted)), "run")
    events = [_meta("process_name", 0, title), *(_meta("thread_name", track, name) for track, name in _NAMES.items())]
    for span in all_:
        events += _events(span, start)
    return {
        "traceEvents": [*events, *_costs(all_, start)],
        "displayTimeUnit": "ms",
        "otherData": {"program": "fleet-bot"},
    }


def _events(span: Span, start: float) -> Iterator[dict[str, Any]]:
    track = _TRACKS[span.kind]
    args: dict[str, Any] = {"turn": span.turn, "line": span.lines[0].seq if span.lines else 0}
    for body in _bodies(span):
        match body:
            case ToolRequested():
                args["about"] = target_of(body.args)[:500]
            case CommandRun():
                args |= {"command": body.command[:500], "exit_code": body.exit_code}
            case ModelReplied():
                args |= {"tokens_in": body.usage.prompt, "tokens_out": body.usage.output + body.usage.thoughts}
    if span.error:
        args["error"] = span.error
    yield {
        "name": span.name,
        "cat": span.kind,
        "ph": "X",
        "ts": _micro(span.start - start),
        "dur": _micro(span.end - span.start),
        "pid": _PROCESS,
        "tid": track,
        "args": args,
    }
    for moment in span.moments:
        yield {
            "name": moment.name,
            "cat": "event",
            "ph": "i",
            "s": "t",
            "ts": _micro(moment.time - start),
            "pid": _PROCESS,
            "tid": track,
            "args": moment.attributes,
        }


def _costs(all_: list[Span], start: float) -> Iterator[dict[str, Any]]:
    cost, tokens = 0.0, 0
    for span in all_:
        for body in _bodies(span):
            if isinstance(body, ModelReplied):
                cost, tokens = cost + body.usage.cost_usd, tokens + body.usage.total
                for name, value in (("cost in US dollars", round(cost, 6)), ("tokens", tokens)):
                    yield {
                        "name": name,
                        "ph": "C",
                        "ts": _micro(span.end - start),
                        "pid": _PROCESS,
                        "args": {name: value},
                    }


def _meta(name: str, track: int, value: str) -> dict[str, Any]:
    return {"name": name, "ph": "M", "ts": 0, "pid": _PROCESS, "tid": track, "args": {"name": value}}


def _bodies(span: Span) -> Iterator[object]:
    return (line.body for line in span.lines)


def _micro(seconds: float) -> int:
    return max(round(seconds * 1_000_000), 0)
