"""What is written, is written whole, in order, without secrets, and survives whatever happens to the process."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_traces import command, finished, full_run, open_trace, publishing, started, write_full

from bot.base.canonical import canonical, sha256
from bot.base.errors import WorldError
from bot.base.values import Usage
from bot.trace import writer as writer_module
from bot.trace.events import FileWrite, ModelReplied, Note, ToolRequested, VersionChange
from bot.trace.reader import read, verify
from bot.trace.writer import INLINE, clip

KEY = "AIzaSyA1b2C3d4E5f6G7h8I9j0KaLbMcNdOeP-q"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_envelope_body_and_chain(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    assert sink.append(Note(message="é"), turn=3) == 1
    assert sink.append(Note(message="second")) == 2
    first, second = lines(tmp_path / "t.jsonl")
    assert list(first) == ["v", "seq", "time", "run", "turn", "event", "message", "prev", "hash"]
    assert first | {"hash": 0} == {
        "v": 1,
        "seq": 1,
        "time": "2025-11-25T22:40:00.251000Z",
        "run": "demo-1/slugger",
        "turn": 3,
        "event": "note",
        "message": "é",
        "prev": "",
        "hash": 0,
    }
    assert second["prev"] == first["hash"]


def test_the_hash_is_that_of_the_canonical_json_without_it(tmp_path: Path) -> None:
    write_full(tmp_path / "t.jsonl")
    for line in lines(tmp_path / "t.jsonl"):
        claimed = line.pop("hash")
        # Written out for whoever checks a trace with a tool of his own.
        spelled = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert sha256(spelled) == sha256(canonical(line)) == claimed


def test_the_last_line_counts_all_lines_and_names_the_one_before(tmp_path: Path) -> None:
    seal = write_full(tmp_path / "t.jsonl")
    *_, before, last = lines(tmp_path / "t.jsonl")
    assert (last["events"], last["head"]) == (len(full_run()), before["hash"])
    assert (seal.file, seal.events, seal.head) == ("t.jsonl", len(full_run()), last["hash"])


def test_version_change_says_from(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(VersionChange(file="f", from_="1", to="2", bump="major"))
    assert lines(tmp_path / "t.jsonl")[0]["from"] == "1"
    (line,) = read(tmp_path / "t.jsonl")
    assert isinstance(line.body, VersionChange)
    assert line.body.from_ == "1"


def test_nothing_can_be_appended_after_the_seal(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(Note(message="x"))
    seal = sink.seal()
    assert sink.seal() == seal
    with pytest.raises(ValueError, match="sealed"):
        sink.append(Note(message="y"))
    sink.sync()
    sink.close()


def test_secrets_are_gone_before_anything_is_written(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl", (KEY,))
    sink.append(ToolRequested(call="1.0", tool="t", args={"a": ["x", {"deep": "\n".join(KEY)}], KEY: 1}))
    sink.append(command(f"echo {KEY[::-1]}", 0, stdout=KEY.encode().hex()))
    name = sink.blob(b"before " + KEY.encode() + b" after" * 9000)
    written = (tmp_path / "t.jsonl").read_bytes() + (tmp_path / "blobs" / name).read_bytes()
    for form in (KEY, KEY[::-1], KEY.encode().hex(), KEY[4:20]):
        assert form.encode() not in written
    assert sha256((tmp_path / "blobs" / name).read_bytes()) == name
    assert verify(tmp_path / "t.jsonl").ok


def test_a_turn_that_redaction_changed_is_marked_as_not_replayable(tmp_path: Path) -> None:
    def replied(raw: dict[str, object], parts: tuple[dict[str, object], ...] = ()) -> ModelReplied:
        return ModelReplied(parts=parts, raw=raw, finish="stop", finish_raw="STOP", usage=Usage())

    sink = open_trace(tmp_path / "t.jsonl", (KEY,))
    signature = {"parts": [{"thoughtSignature": "AVSoXO5ll+/0aW==" * 20, "text": "ü"}]}
    sink.append(replied(signature))
    sink.append(replied({"parts": [{"text": f"it is {KEY}"}]}))
    sink.append(replied({"parts": [{"text": "\ud800"}]}))
    first, second, third = (line.body for line in read(tmp_path / "t.jsonl"))
    assert isinstance(first, ModelReplied)
    assert isinstance(second, ModelReplied)
    assert isinstance(third, ModelReplied)
    assert first.replayable
    assert first.raw == signature
    assert not second.replayable
    assert not third.replayable


def test_what_json_cannot_hold_is_spelled_out(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(FileWrite(path="caf\udce9", change="created", bytes=1, sha256_before=None, sha256_after=None))
    sink.append(ToolRequested(call="1.0", tool="t", args={"n": 10**40, "f": float("nan"), "deep": [{"\udcff": 1}]}))
    sink.append(Note(message="after"))
    assert verify(tmp_path / "t.jsonl").ok
    first, second, _ = lines(tmp_path / "t.jsonl")
    assert first["path"] == "caf\\udce9"
    assert second["args"] == {"n": str(10**40), "f": None, "deep": [{"\\udcff": 1}]}


def test_threads_may_write_at_once(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")

    def many() -> None:
        for _ in range(100):
            sink.append(Note(message="x" * 50))
            sink.blob(b"the same" * 10)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = verify(tmp_path / "t.jsonl", sink.seal())
    assert (verdict.ok, verdict.events) == (True, 400)
    assert len(list((tmp_path / "blobs").iterdir())) == 1


def test_a_full_disk_leaves_what_was_there_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(Note(message="before"))
    real, room = os.write, [40]

    def nearly_full(fd: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = real(fd, data[: room[0]])
        room[0] = 0
        return taken

    monkeypatch.setattr(writer_module.os, "write", nearly_full)
    with pytest.raises(WorldError, match="disk is full") as error:
        sink.append(Note(message="lost"))
    assert "Make room" in error.value.cure
    monkeypatch.undo()
    assert verify(tmp_path / "t.jsonl").events == 1
    sink.append(Note(message="there is room again"))
    assert verify(tmp_path / "t.jsonl", sink.seal()).ok


def test_a_write_that_takes_several_turns_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    real = os.write
    monkeypatch.setattr(writer_module.os, "write", lambda fd, data: real(fd, data[:7]))
    sink.append(Note(message="in pieces"))
    assert verify(tmp_path / "t.jsonl").ok


def test_a_device_that_is_full_stops_the_run_with_a_clear_word() -> None:
    sink = open_trace(Path("/dev/full"))
    with pytest.raises(WorldError, match="disk is full"):
        sink.append(Note(message="x"))


def test_what_cannot_be_opened_or_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorldError, match="cannot be written"):
        open_trace(tmp_path / "file" / "t.jsonl")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorldError, match="cannot be written"):
        open_trace(tmp_path / "link.jsonl")
    sink = open_trace(tmp_path / "t.jsonl")
    (tmp_path / "blobs").write_text("in the way")
    with pytest.raises(WorldError, match="cannot be written"):
        sink.blob(b"x")


def test_a_journal_begins_at_the_sealed_head_and_is_gone_on_with(tmp_path: Path) -> None:
    seal = write_full(tmp_path / "t.jsonl")
    for _ in range(2):
        journal = open_trace(tmp_path / "p.jsonl", previous=seal.head)
        for body in publishing():
            journal.append(body)
        last = journal.seal()
    verdict = verify(tmp_path / "p.jsonl", last, previous=seal.head)
    assert (verdict.ok, verdict.finished, verdict.events) == (True, True, 8)
    assert not verify(tmp_path / "p.jsonl", previous="0" * 64).ok


def test_a_journal_that_a_kill_cut_is_mended(tmp_path: Path) -> None:
    journal = open_trace(tmp_path / "p.jsonl", previous="ab")
    for body in publishing():
        journal.append(body)
    journal.close()
    data = (tmp_path / "p.jsonl").read_bytes()
    (tmp_path / "p.jsonl").write_bytes(data[:-30])
    journal = open_trace(tmp_path / "p.jsonl", previous="ab")
    assert journal.append(Note(message="again")) == 4
    assert verify(tmp_path / "p.jsonl", previous="ab").ok
    (tmp_path / "p.jsonl").write_bytes(data[:30])
    assert open_trace(tmp_path / "p.jsonl", previous="ab").append(Note(message="from the start")) == 1


def test_a_journal_of_another_proposal_is_moved_aside(tmp_path: Path) -> None:
    for head in ("aa", "bb", "cc"):
        journal = open_trace(tmp_path / "p.jsonl", previous=head)
        journal.append(Note(message=head))
        journal.seal()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.1.jsonl", "p.2.jsonl", "p.jsonl"]
    assert verify(tmp_path / "p.jsonl", previous="cc").ok


def test_a_finished_trace_is_not_gone_on_with_and_a_strange_file_not_overwritten(tmp_path: Path) -> None:
    write_full(tmp_path / "t.jsonl")
    with pytest.raises(WorldError, match="over"):
        open_trace(tmp_path / "t.jsonl")
    (tmp_path / "x.jsonl").write_text("not ours\n")
    with pytest.raises(WorldError, match="no trace"):
        open_trace(tmp_path / "x.jsonl")
    assert (tmp_path / "x.jsonl").read_text() == "not ours\n"


def test_a_very_long_last_line_is_found_again(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(started())
    sink.append(Note(message="x" * 300_000))
    sink.close()
    sink = open_trace(tmp_path / "t.jsonl")
    assert sink.append(finished()) == 3
    assert verify(tmp_path / "t.jsonl", sink.seal()).finished


def test_short_output_stands_in_the_line_and_long_output_beside_it(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl", (KEY,))
    assert clip(b"short\xff", sink) == msgspec.convert({"text": "short\ufffd", "bytes": 6}, type(clip(b"", sink)))
    data = b"head " + "äö€😀".encode() * 4000 + b" tail"
    clipped = clip(data, sink)
    assert clipped.truncated
    assert clipped.blob
    assert clipped.bytes == len(data)
    assert clipped.text.startswith("head ä")
    assert clipped.text.endswith(" tail")
    assert "bytes left out" in clipped.text
    assert "\ufffd" not in clipped.text
    assert (tmp_path / "blobs" / clipped.blob).read_bytes() == data


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=200), st.integers(4, 80))
def test_no_character_is_cut_in_two(text: str, inline: int) -> None:
    class Sink:
        def redacted(self, data: bytes) -> bytes:
            return data

        def blob(self, data: bytes) -> str:
            return sha256(data)

    clipped = clip(text.encode("utf-8", "replace"), Sink(), inline=inline)  # type: ignore[arg-type]
    assert "\ufffd" not in clipped.text or "\ufffd" in text


def test_a_secret_does_not_hide_in_the_cut(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl", (KEY,))
    for shift in range(0, 45, 3):
        data = b"." * (INLINE // 2 - shift) + KEY.encode() + b"." * INLINE
        clipped = clip(data, sink)
        assert "AIza" not in clipped.text
        assert KEY[-6:] not in clipped.text


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from sample_traces import open_trace, full_run
sink = open_trace(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    for body, turn in full_run()[:-1]:
        sink.append(body, turn=turn)
        sink.blob(b"x" * 9000 + str(turn).encode())
"""


def test_a_kill_at_any_point_leaves_a_valid_prefix(tmp_path: Path, project: Path) -> None:
    support = str(project / "tests" / "support")
    for number in range(6):
        path = tmp_path / f"{number}.jsonl"
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), support], stdout=subprocess.PIPE, cwd=project
        )
        assert process.stdout is not None
        process.stdout.readline()
        while not path.exists() or path.stat().st_size < 3000 * (number + 1):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        verdict = verify(path)
        assert (verdict.ok, verdict.finished) == (True, False)
        assert sum(1 for _ in read(path)) == verdict.events > 0
        sink = open_trace(path)
        sink.append(finished())
        assert verify(path, sink.seal()).finished
    for blob in (tmp_path / "blobs").iterdir():
        assert blob.name.startswith(".") or sha256(blob.read_bytes()) == blob.name


def test_a_file_size_limit_is_met_without_a_torn_line(tmp_path: Path, project: Path) -> None:
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[2])\n"
        "from sample_traces import open_trace, full_run\nfrom bot.base.errors import WorldError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "sink = open_trace(Path(sys.argv[1]))\n"
        "try:\n    for body, turn in full_run() * 9:\n        sink.append(body, turn=turn)\n"
        "except WorldError as error:\n    print(error)\n"
    )
    path = tmp_path / "t.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(project / "tests" / "support")],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert "cannot be written" in done.stdout, done.stderr
    assert path.read_bytes().endswith(b"\n")
    assert verify(path).ok


def test_a_secret_in_the_cut_is_taken_out_behind_a_watched_trace_too(tmp_path: Path) -> None:
    from bot.expected.check import RuleBook
    from bot.expected.rule_guard import RuleGuard, WatchedTrace

    key = "AIza" + "Sy0123456789abcdefghijklmnopqrs_-AB"
    sink = WatchedTrace(open_trace(tmp_path / "t.jsonl"), RuleGuard(RuleBook((), (), "")))
    for before in range(4096 - len(key), 4097):
        cut = clip(b"." * before + b" " + key.encode() + b" " + b"." * 9000, sink)
        assert "AIza" not in cut.text
        assert key[-12:] not in cut.text
