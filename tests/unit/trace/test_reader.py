"""Reading copes with whatever is there; verifying finds whatever was done to it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_traces import full_run, open_trace, publishing, started, write_full

from bot.base.canonical import digest
from bot.base.errors import WorldError
from bot.trace.events import ModelRequested, Note, Seal, ToolRequested
from bot.trace.reader import newer, read, verify
from bot.trace.render import told, uncoloured


def rehashed(line: bytes, **fields: object) -> bytes:
    """A line with other fields and a hash that fits them."""
    raw = json.loads(line) | fields
    raw.pop("hash")
    return msgspec.json.encode(raw | {"hash": digest(raw)}) + b"\n"


@pytest.fixture
def trace(tmp_path: Path) -> tuple[Path, Seal, list[bytes]]:
    path = tmp_path / "execution_trace.jsonl"
    seal = write_full(path)
    return path, seal, path.read_bytes().splitlines(keepends=True)


def test_what_was_written_is_read_back(trace: tuple[Path, Seal, list[bytes]]) -> None:
    path, seal, _ = trace
    found = list(read(path))
    assert [line.body for line in found[:-1]] == [body for body, _ in full_run()[:-1]]
    assert [line.turn for line in found] == [turn for _, turn in full_run()]
    assert [line.seq for line in found] == list(range(1, len(found) + 1))
    assert found[0].time == pytest.approx(1_764_110_400.251)
    assert found[-1].hash == seal.head
    verdict = verify(path, seal)
    assert (verdict.ok, verdict.finished, verdict.reason) == (True, True, "complete and unchanged")


def test_events_and_fields_of_the_future_break_nothing(trace: tuple[Path, Seal, list[bytes]]) -> None:
    path, _, lines = trace
    lines[2] = rehashed(lines[2], event="telepathy", v=2)
    lines[3] = rehashed(lines[3], mood="good")
    lines[4] = rehashed(lines[4], duration_ms={"wall": 1})
    path.write_bytes(b"".join(lines))
    found = list(read(path))
    assert len(found) == len(lines)
    assert (found[2].event, found[2].body, newer(found[2])) == ("telepathy", None, True)
    assert found[3].body == full_run()[3][0]
    assert found[3].raw["mood"] == "good"
    assert found[4].body is None


def test_a_last_line_that_was_cut_is_left_out_and_one_before_it_is_named(trace: tuple[Path, Seal, list[bytes]]) -> None:
    path, _, lines = trace
    path.write_bytes(b"".join(lines[:5]) + lines[5][:-20])
    assert len(list(read(path))) == 5
    path.write_bytes(b"".join(lines[:5]) + b"rubbish\n" + lines[5])
    with pytest.raises(WorldError, match=":6 is no line of a trace"):
        list(read(path))
    path.write_bytes(rehashed(lines[0], seq="one") + lines[1])
    with pytest.raises(WorldError, match=":1 is no line of a trace"):
        list(read(path))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="cannot be read"):
        list(read(tmp_path / "nowhere"))


def test_a_run_that_was_killed_says_what_was_in_flight(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(started())
    sink.append(ModelRequested(contents=1), turn=1)
    assert verify(tmp_path / "t.jsonl").in_flight == ("model call of turn 1",)
    for body, turn in full_run()[4:5]:
        sink.append(body, turn=turn)
    sink.append(ToolRequested(call="1.0", tool="run_shell_command", args={}), turn=1)
    verdict = verify(tmp_path / "t.jsonl")
    assert (verdict.ok, verdict.finished) == (True, False)
    assert verdict.in_flight == ("1.0 run_shell_command",)
    assert "unfinished" in verdict.reason
    assert "1.0 run_shell_command" in verdict.reason
    with (tmp_path / "t.jsonl").open("ab") as stream:
        stream.write(b'{"v":1,"se')
    assert "the last line is cut" in verify(tmp_path / "t.jsonl").reason


def test_every_cut_of_a_trace_is_a_valid_prefix_that_can_be_shown(trace: tuple[Path, Seal, list[bytes]]) -> None:
    path, seal, lines = trace
    whole = b"".join(lines)
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        verdict = verify(path)
        assert (verdict.ok, verdict.finished, verdict.events) == (True, False, whole[:end].count(b"\n"))
        assert not verify(path, seal).ok
        assert "killed, or still going on" in "\n".join(told(read(path), uncoloured))


def test_an_empty_file_is_unfinished(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").touch()
    verdict = verify(tmp_path / "t.jsonl")
    assert (verdict.ok, verdict.finished, verdict.events) == (True, False, 0)
    assert list(read(tmp_path / "t.jsonl")) == []


def test_the_first_bad_line_is_named_with_what_is_wrong(trace: tuple[Path, Seal, list[bytes]]) -> None:
    path, seal, lines = trace
    cases = {
        "altered: its hash": (5, [*lines[:4], lines[4].replace(b"I look first", b"I looked at"), *lines[5:]]),
        "does not follow": (6, [*lines[:4], rehashed(lines[4], turn=9), *lines[5:]]),
        "its number is 4": (3, [*lines[:2], *lines[3:]]),
        "its number is 2": (3, [*lines[:2], lines[1], *lines[2:]]),
        "its number is 3": (2, [lines[0], lines[2], lines[1], *lines[3:]]),
        "no line of a trace: no JSON": (2, [lines[0], b"{}x\n", *lines[2:]]),
        "without v, seq": (2, [lines[0], b"{}\n", *lines[2:]]),
        "not spelled as it was written": (3, [*lines[:2], lines[2].replace(b'{"v":1', b'{"v":7,"v":1'), *lines[3:]]),
        "follows the line that ends": (len(lines) + 1, [*lines, lines[-1]]),
        "does not close this trace": (len(lines), [*lines[:-1], rehashed(lines[-1], events=3)]),
    }
    for reason, (number, forged) in cases.items():
        path.write_bytes(b"".join(forged))
        verdict = verify(path, seal)
        assert (verdict.ok, verdict.line) == (False, number), reason
        assert f"line {number}: " in verdict.reason
        assert reason in verdict.reason


def test_a_cut_at_the_end_shows_against_the_seal_and_looks_like_a_kill_without(
    trace: tuple[Path, Seal, list[bytes]],
) -> None:
    path, seal, lines = trace
    path.write_bytes(b"".join(lines[:-2]))
    assert verify(path).ok
    assert not verify(path).finished
    verdict = verify(path, seal)
    assert (verdict.ok, verdict.line) == (False, len(lines) - 1)
    assert f"the seal says {len(lines)} lines" in verdict.reason


def test_a_trace_made_anew_with_fitting_hashes_is_not_the_one_that_was_sealed(
    trace: tuple[Path, Seal, list[bytes]],
) -> None:
    path, seal, lines = trace
    forged, head = [], ""
    for number, line in enumerate(lines):
        changed = {"message": "another"} if b'"event":"note"' in line else {}
        closing = {"head": head} if number == len(lines) - 1 else {}
        forged.append(rehashed(line, prev=head, **changed, **closing))
        head = json.loads(forged[-1])["hash"]
    path.write_bytes(b"".join(forged))
    assert verify(path).ok
    assert not verify(path, seal).ok


def test_something_after_the_end_shows(trace: tuple[Path, Seal, list[bytes]]) -> None:
    path, seal, lines = trace
    path.write_bytes(b"".join(lines) + b"x")
    assert not verify(path, seal).ok
    assert not verify(path).ok
    path.write_bytes(b"".join(lines).rstrip(b"\n"))
    assert not verify(path, seal).ok


def test_a_journal_with_a_torn_line_is_not_finished(tmp_path: Path) -> None:
    journal = open_trace(tmp_path / "p.jsonl", previous="ab")
    for body in publishing():
        journal.append(body)
    assert verify(tmp_path / "p.jsonl").finished
    with (tmp_path / "p.jsonl").open("ab") as stream:
        stream.write(b"{")
    assert not verify(tmp_path / "p.jsonl").finished


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_done_to_a_sealed_trace_is_found(
    trace: tuple[Path, Seal, list[bytes]], data: st.DataObject
) -> None:
    path, seal, lines = trace
    number = data.draw(st.integers(0, len(lines) - 1))
    other = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["alter", "drop", "insert", "swap", "cut", "truncate", "forge", "white space"]))
    forged = list(lines)
    if how == "alter":
        at = data.draw(st.integers(0, len(lines[number]) - 1))
        byte = data.draw(st.integers(0, 255))
        forged[number] = lines[number][:at] + bytes([byte]) + lines[number][at + 1 :]
    elif how == "drop":
        del forged[number : number + data.draw(st.integers(1, 3))]
    elif how == "insert":
        forged.insert(number, lines[other])
    elif how == "swap":
        forged[number], forged[other] = forged[other], forged[number]
    elif how == "cut":
        forged = forged[:number]
    elif how == "truncate":
        forged[number] = lines[number][: data.draw(st.integers(0, len(lines[number]) - 1))]
        forged = forged[: number + 1]
    elif how == "forge":
        forged[number] = rehashed(lines[number], run=data.draw(st.text(max_size=5)))
    else:
        forged[number] = lines[number].replace(b",", b", ", 1)
    path.write_bytes(b"".join(forged))
    if b"".join(forged) != b"".join(lines):
        verdict = verify(path, seal)
        assert not verdict.ok
        assert verdict.line is not None
        assert verdict.line <= number + 2 or how in {"swap", "insert"}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(data)
    verify(path)
    try:
        list(read(path))
    except WorldError:
        assert b"\n" in data


def test_numbers_and_texts_of_every_kind_keep_their_hash(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    odd = {"f": [0.1, 1e22, 1e-7, -0.0, 1.0, 123456789.123456789], "i": [2**63, -(2**63), 0], "t": '\x00\u2028\\"/é😀'}
    sink.append(ToolRequested(call="1.0", tool="t", args=odd))
    sink.append(Note(message="\x7f\x1b"))
    assert verify(tmp_path / "t.jsonl", sink.seal()).ok
