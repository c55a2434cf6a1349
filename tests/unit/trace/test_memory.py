"""A trace in memory holds what a file would hold, byte for byte, though its lines are spelled later and together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_traces import StillClock, finished, full_run, open_trace, started

from bot.base.redact import Redactor
from bot.trace.events import EventBody, Note, RunStarted, ToolRequested
from bot.trace.examples import EXAMPLES
from bot.trace.known import known
from bot.trace.line import decode, fields_of, own_hash
from bot.trace.memory import MemoryTrace

KEY = "AIzaSyA1b2C3d4E5f6G7h8I9j0KaLbMcNdOeP-q"


def in_memory(secrets: tuple[str, ...] = (), shared: RunStarted | None = None) -> MemoryTrace:
    redactor = Redactor(secrets, key=b"k")
    fields = {} if shared is None else {name: getattr(shared, name) for name in ("prompt", "tools", "task")}
    found = known(fields, redactor) if fields else None
    return MemoryTrace(run="demo-1/slugger", redactor=redactor, clock=StillClock(), known=found)


def both(folder: Path, events: list[tuple[EventBody, int]], secrets: tuple[str, ...] = ()) -> tuple[bytes, bytes]:
    file, memory = open_trace(folder / "t.jsonl", secrets), in_memory(secrets)
    for body, turn in events:
        assert file.append(body, turn=turn) == memory.append(body, turn=turn)
    assert file.seal().head == memory.seal().head
    return (folder / "t.jsonl").read_bytes(), b"".join(memory.lines)


def test_it_is_the_same_as_in_a_file(tmp_path: Path) -> None:
    written, spelled = both(tmp_path, full_run())
    assert spelled == written


def test_a_secret_in_one_event_is_taken_out_of_that_one(tmp_path: Path) -> None:
    secret = "correct-horse-battery"
    events = [
        (Note(message="before"), 0),
        (Note(message=f"it is {secret}"), 1),
        (Note(message=KEY), 2),
        (finished(), 0),
    ]
    written, spelled = both(tmp_path, events, (secret,))
    assert spelled == written
    assert secret.encode() not in spelled
    assert KEY.encode() not in spelled


def test_what_json_cannot_hold_is_spelled_out_as_in_a_file(tmp_path: Path) -> None:
    odd: dict[str, Any] = {"path": "caf\udce9", "count": 1 << 80}
    written, spelled = both(tmp_path, [(ToolRequested(call="1.0", tool="t", args=odd), 1), (Note(message="x"), 1)])
    assert spelled == written


def test_looking_in_between_changes_nothing() -> None:
    watched, alone = in_memory(), in_memory()
    for body, turn in full_run():
        watched.append(body, turn=turn)
        alone.append(body, turn=turn)
        assert watched.events[-1]["event"] == body.__struct_config__.tag
    assert watched.lines == alone.lines
    assert watched.head == alone.head == alone.events[-1]["hash"]


def test_what_is_known_is_spelled_as_what_is_not() -> None:
    first = started(prompt='zwölf "Wörter"', task={"z": {"b": 1, "a": [{"y": 1, "x": 2}]}, "a": 2})
    plain, shared = in_memory(), in_memory(shared=first)
    for trace in (plain, shared):
        trace.append(msgspec.structs.replace(first, seed=7))
        trace.append(Note(message="x"))
    assert shared.lines == plain.lines
    assert shared.events == plain.events
    for line in map(decode, shared.lines):
        assert own_hash(line) == line["hash"]


def test_only_what_is_known_is_not_looked_at_again() -> None:
    first = started(prompt="one")
    trace = in_memory(shared=first)
    trace.append(msgspec.structs.replace(first, plugin=KEY))
    trace.append(Note(message=KEY))
    assert KEY.encode() not in b"".join(trace.lines)
    assert b'"prompt":"one"' in trace.lines[0]


def test_what_may_hold_a_secret_is_known_to_nobody() -> None:
    first = started(prompt=f"use {KEY}")
    trace = in_memory(shared=first)
    trace.append(first)
    assert KEY.encode() not in b"".join(trace.lines)


def test_another_text_than_the_known_one_is_looked_at() -> None:
    trace = in_memory(shared=started(prompt="one"))
    trace.append(started(prompt=KEY))
    trace.append(started(prompt="one"))
    assert KEY.encode() not in b"".join(trace.lines)
    assert b'"prompt":"one"' in trace.lines[1]


def test_the_fields_of_every_event_are_those_of_its_line() -> None:
    for body in EXAMPLES:
        fields = fields_of(body)
        plain = msgspec.to_builtins(body)
        assert fields == plain
        assert list(fields) == list(plain)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_the_hash_is_that_of_the_line_as_it_is_read_back(args: dict[str, Any]) -> None:
    trace = in_memory()
    trace.append(ToolRequested(call="1.0", tool="t", args=args), turn=1)
    (line,), (fields,) = trace.lines, trace.events
    raw = decode(line)
    assert own_hash(raw) == raw["hash"]
    assert list(fields) == list(raw)
    assert fields["hash"] == raw["hash"]
