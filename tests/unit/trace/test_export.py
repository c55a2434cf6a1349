"""Traces in the formats of others, each read by a reader of that format."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.protobuf import json_format
from long_runs import write_long
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sample_traces import write_full

from bot.trace.otel import otel
from bot.trace.perfetto import perfetto
from bot.trace.reader import read


@pytest.fixture
def full(tmp_path: Path) -> Path:
    write_full(tmp_path / "t.jsonl")
    return tmp_path / "t.jsonl"


def parsed(document: dict[str, Any]) -> list[Span]:
    """As a collector takes it. OTLP's JSON writes ids in hex, where protobuf's own mapping has base64."""
    plain = msgspec.json.decode(msgspec.json.encode(document))
    for resource in plain["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    message = json_format.ParseDict(plain, ExportTraceServiceRequest())
    assert ExportTraceServiceRequest.FromString(message.SerializeToString()) == message
    return [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}


def test_a_collector_reads_the_spans_of_a_run(full: Path) -> None:
    spans = parsed(otel(read(full)))
    assert [span.name for span in spans] == [
        "pip", "chat gemini-3-pro", "pytest", "execute_tool run_shell_command", "execute_tool write_file",
        "execute_tool write_file", "execute_tool read_file", "invoke_agent fix_bug",
    ]  # fmt: skip
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans)
    assert {len(span.trace_id) for span in spans} == {16}
    assert {len(span.span_id) for span in spans} == {8}
    root = spans[-1]
    assert not root.parent_span_id
    for span in spans:
        assert span.end_time_unix_nano >= span.start_time_unix_nano > 0
        if span is not root:
            parent = by_id[span.parent_span_id]
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_the_conventions_names_are_there(full: Path) -> None:
    spans = {span.name: span for span in parsed(otel(read(full)))}
    chat = attributes(spans["chat gemini-3-pro"])
    assert (chat["gen_ai.operation.name"], chat["gen_ai.provider.name"]) == ("chat", "gcp.gemini")
    assert (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]) == (100, 20)
    assert spans["chat gemini-3-pro"].kind == Span.SPAN_KIND_CLIENT
    assert [event.name for event in spans["chat gemini-3-pro"].events] == ["fleet_bot.model_retried"]
    agent = attributes(spans["invoke_agent fix_bug"])
    assert (agent["gen_ai.operation.name"], agent["gen_ai.agent.name"]) == ("invoke_agent", "fix_bug")
    tool = attributes(spans["execute_tool read_file"])
    assert (tool["gen_ai.operation.name"], tool["error.type"]) == ("execute_tool", "not_found")
    assert spans["execute_tool read_file"].status.code == 2
    command = attributes(spans["pytest"])
    assert (command["process.executable.name"], command["process.exit.code"], command["error.type"]) == (
        "pytest",
        1,
        "1",
    )


def test_what_was_said_goes_out_only_when_asked(full: Path) -> None:
    closed = msgspec.json.encode(otel(read(full))).decode()
    opened = msgspec.json.encode(otel(read(full), content=True)).decode()
    for said in ("I look first.", "exit code 1", "one\\ntwo"):
        assert said not in closed
        assert said in opened
    parsed(otel(read(full), content=True))


def test_perfetto_reads_the_events_of_a_run(full: Path) -> None:
    document = msgspec.json.decode(msgspec.json.encode(perfetto(read(full))))
    assert document["displayTimeUnit"] in {"ms", "ns"}
    strictly(document["traceEvents"])
    slices = [event for event in document["traceEvents"] if event["ph"] == "X"]
    assert [event["name"] for event in slices if event["cat"] == "tool"] == [
        "run_shell_command", "write_file", "write_file", "read_file",
    ]  # fmt: skip
    assert any(event["ph"] == "C" for event in document["traceEvents"])
    assert any(event["ph"] == "i" and event["name"] == "fleet_bot.verification" for event in document["traceEvents"])


def strictly(events: list[dict[str, Any]]) -> None:
    """The trace event format as its document has it, and what importers refuse besides: slices that overlap."""
    needed = {"X": {"ts", "dur", "tid", "cat"}, "i": {"ts", "s", "tid"}, "C": {"ts", "args"}, "M": {"args", "tid"}}
    open_: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for event in events:
        assert needed[event["ph"]] | {"name", "pid"} <= event.keys()
        assert isinstance(event["name"], str)
        assert event["name"]
        for number in {"ts", "dur", "pid", "tid"} & event.keys():
            assert isinstance(event[number], int)
            assert event[number] >= 0
        if event["ph"] == "C":
            assert all(isinstance(value, int | float) for value in event["args"].values())
        if event["ph"] == "i":
            assert event["s"] in {"t", "p", "g"}
        if event["ph"] == "X":
            open_.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    for spans in open_.values():
        for (_, end), (start, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
            assert start >= end, "two slices of one track overlap"


@pytest.mark.parametrize("lines", range(1, 23))
def test_every_prefix_of_a_run_can_be_exported(full: Path, lines: int) -> None:
    cut = full.with_name("cut.jsonl")
    cut.write_text("".join(full.read_text(encoding="utf-8").splitlines(keepends=True)[:lines]), encoding="utf-8")
    assert parsed(otel(read(cut)))[-1].name == "invoke_agent fix_bug"
    strictly(perfetto(read(cut))["traceEvents"])


def test_a_long_run_has_all_of_its_spans(tmp_path: Path) -> None:
    write_long(tmp_path / "t.jsonl", 2_000)
    spans = parsed(otel(read(tmp_path / "t.jsonl")))
    assert len(spans) == 249 * 4 + 1
    strictly(perfetto(read(tmp_path / "t.jsonl"))["traceEvents"])
