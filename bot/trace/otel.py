"""A trace as OTLP JSON: spans after OpenTelemetry's semantic conventions for generative AI.

The conventions are not stable yet, so this is for export only. What people, models and programs said stays out unless
it is asked for, as the conventions want it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.trace.events import CommandRun, ModelReplied, RunFinished, RunStarted, ToolCompleted, ToolRequested
from bot.trace.line import Line
from bot.trace.spans import Moment, Span, spans

_INTERNAL, _CLIENT = 1, 3
_ERROR = 2
_PROVIDERS = {"gemini": "gcp.gemini", "vertex": "gcp.vertex_ai"}


def otel(lines: Iterable[Line], *, content: bool = False) -> dict[str, Any]:
    """An `ExportTraceServiceRequest` as OTLP writes it in JSON; `content` adds arguments, answers and outputs."""
    all_ = list(spans(lines))
    if not all_:
        return {"resourceSpans": []}
    run = all_[-1]
    start = next((line.body for line in run.lines if isinstance(line.body, RunStarted)), None)
    trace_id = (run.lines[0].hash if run.lines else run.id).ljust(32, "0")[:32]
    made = [_span(span, trace_id, start, content=content) for span in all_]
    version = start.bot_version if start else ""
    resource = {"service.name": "fleet-bot", "service.version": version}
    scope = {"scope": {"name": "fleet-bot", "version": version}, "spans": made}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope]}]}


def _span(span: Span, trace_id: str, start: RunStarted | None, *, content: bool) -> dict[str, Any]:
    model = start.model if start and start.model else {}
    provider = _PROVIDERS.get(str(model.get("adapter")), str(model.get("adapter", "")))
    name, attributes = _named(span, str(model.get("name", "")), start)
    if span.kind in {"run", "chat"} and provider:
        attributes["gen_ai.provider.name"] = provider
    if span.kind != "run":
        attributes["fleet_bot.turn"] = span.turn
    if content:
        attributes |= _content(span)
    if span.error:
        attributes["error.type"] = span.error
    made = {
        "traceId": trace_id,
        "spanId": span.id,
        "name": name,
        "kind": _CLIENT if span.kind == "chat" else _INTERNAL,
        "startTimeUnixNano": _nanoseconds(span.start),
        "endTimeUnixNano": _nanoseconds(span.end),
        "attributes": _attributes(attributes),
        "events": [_event(moment) for moment in span.moments],
        "status": {"code": _ERROR, "message": span.error} if span.error else {},
    }
    return made | ({"parentSpanId": span.parent} if span.parent else {})


def _named(span: Span, model: str, start: RunStarted | None) -> tuple[str, dict[str, Any]]:
    match span.kind:
        case "run":
            return _run(span, model, start)
        case "chat":
            return _chat(span, model)
        case "tool":
            asked = span.lines[0].body
            call = asked.call if isinstance(asked, ToolRequested) else ""
            attributes = {"gen_ai.tool.name": span.name, "gen_ai.tool.call.id": call, "gen_ai.tool.type": "function"}
            return f"execute_tool {span.name}", {"gen_ai.operation.name": "execute_tool", **attributes}
        case "command":
            return _command(span)


def _run(span: Span, model: str, start: RunStarted | None) -> tuple[str, dict[str, Any]]:
    agent = start.playbook if start else "fleet-bot"
    attributes: dict[str, Any] = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
    if start is not None:
        attributes |= {
            "gen_ai.conversation.id": f"{start.campaign}/{start.plugin}",
            "gen_ai.agent.version": start.playbook_version,
            "gen_ai.request.model": model,
            "fleet_bot.plugin": start.plugin,
            "fleet_bot.campaign": start.campaign,
            "vcs.ref.base.revision": start.base_sha,
        }
    for line in span.lines:
        if isinstance(line.body, RunFinished):
            usage = line.body.usage
            attributes |= {
                "gen_ai.usage.input_tokens": usage.prompt,
                "gen_ai.usage.output_tokens": usage.output + usage.thoughts,
                "fleet_bot.outcome": line.body.outcome,
                "fleet_bot.cost_usd": usage.cost_usd,
            }
    return f"invoke_agent {agent}", attributes


def _chat(span: Span, model: str) -> tuple[str, dict[str, Any]]:
    said = span.lines[0].body
    attributes: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
    if isinstance(said, ModelReplied):
        attributes |= {
            "gen_ai.response.model": said.model_version,
            "gen_ai.response.id": said.response_id,
            "gen_ai.response.finish_reasons": [said.finish_raw or said.finish],
            "gen_ai.usage.input_tokens": said.usage.prompt,
            "gen_ai.usage.cache_read.input_tokens": said.usage.cached,
            "gen_ai.usage.output_tokens": said.usage.output + said.usage.thoughts,
            "fleet_bot.cost_usd": said.usage.cost_usd,
        }
    return f"chat {model}".strip(), attributes


def _command(span: Span) -> tuple[str, dict[str, Any]]:
    ran = span.lines[0].body
    attributes: dict[str, Any] = {"process.executable.name": span.name}
    if isinstance(ran, CommandRun):
        attributes |= {"process.exit.code": ran.exit_code, "fleet_bot.phase": ran.phase}
        if ran.tests is not None:
            attributes |= {"fleet_bot.tests.passed": ran.tests.passed, "fleet_bot.tests.failed": ran.tests.failed}
    return span.name, attributes


def _content(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in span.lines:
        match line.body:
            case ToolRequested():
                found["gen_ai.tool.call.arguments"] = line.body.args
            case ToolCompleted():
                found["gen_ai.tool.call.result"] = line.body.output.text
            case CommandRun():
                found["process.command_line"] = line.body.command
            case ModelReplied():
                found["gen_ai.output.messages"] = list(line.body.parts)
            case RunStarted():
                found |= {"gen_ai.system_instructions": line.body.system, "gen_ai.input.messages": line.body.prompt}
    return found


def _event(moment: Moment) -> dict[str, Any]:
    when = _nanoseconds(moment.time)
    return {"name": moment.name, "timeUnixNano": when, "attributes": _attributes(moment.attributes)}


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _any(value)} for name, value in values.items() if value is not None and value != ""]


def _any(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}  # OTLP writes 64-bit numbers as text
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_any(inner) for inner in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": str(name), "value": _any(inner)} for name, inner in value.items()]}}
    return {"stringValue": str(value)}


def _nanoseconds(seconds: float) -> str:
    return str(round(seconds * 1_000_000) * 1000)
