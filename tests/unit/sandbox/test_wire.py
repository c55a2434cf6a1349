"""What the worker writes is MessagePack, and nothing it writes is believed unseen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.errors import SandboxError
from bot.base.git import GitDir
from bot.ports import Enforced
from bot.sandbox.channel import Worker
from bot.sandbox.client import RoomSandbox
from bot.sandbox.inside import wire
from bot.sandbox.snapshots import Snapshots

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.text(st.characters(codec="utf-8"))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_a_reply_is_read_back_as_it_was(value: object) -> None:
    assert msgspec.msgpack.decode(wire.reply(value)) == value


def test_only_plain_values_can_be_sent() -> None:
    with pytest.raises(TypeError):
        wire.reply(object())


def test_text_that_is_no_text_is_replaced() -> None:
    assert msgspec.msgpack.decode(wire.reply("\ud800")) == "?"


def test_requests_cross_a_pipe_and_an_end_is_none() -> None:
    read, write = os.pipe()
    wire.send(write, wire.request({"op": "x", "name": "\udcff", "data": b"1"}))
    assert wire.receive(read) == {"op": "x", "name": "\udcff", "data": b"1"}
    os.write(write, b"\0\0\0\x09half")
    os.close(write)
    assert wire.receive(read) is None
    os.close(read)


_LIAR = """
import os, sys
channel = int(sys.argv[-1])
os.read(channel, 1 << 16)
os.write(channel, {first!r})
os.read(channel, 1 << 16)
os.write(channel, {second!r})
os.read(channel, 1 << 16)
"""


def framed(value: object) -> bytes:
    body = wire.reply(value)
    return len(body).to_bytes(4, "big") + body


FINE = framed({"ok": None})


def liar(tmp_path: Path, second: bytes, first: bytes = FINE) -> RoomSandbox:
    code = _LIAR.format(first=first, second=second)
    worker = Worker([sys.executable, "-I", "-S", "-c", code], {"op": "begin"}, env={})
    facts = Enforced(level="none", network="full")
    return RoomSandbox(worker, facts, tmp_path, Snapshots(GitDir(tmp_path), tmp_path))


@pytest.mark.parametrize(
    "second",
    [
        framed({"ok": {"data": "text", "size": 1, "sha256": ""}}),
        framed({"ok": None}),
        framed({"error": "made up"}),
        framed([1]),
        (1 << 31).to_bytes(4, "big"),
        b"\0\0\0\x04\xff\xff\xff\xff",
    ],
    ids=["types", "nothing", "kind", "shape", "length", "noise"],
)
def test_a_worker_that_lies_is_an_error(tmp_path: Path, second: bytes) -> None:
    sandbox = liar(tmp_path, second)
    with pytest.raises(SandboxError):
        sandbox.read("a")
    sandbox.close()


def test_a_worker_that_cannot_confine_itself_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="signals are not confined"):
        liar(tmp_path, b"", first=framed({"error": "confine", "message": "signals are not confined"}))


def test_what_a_failing_start_says_is_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="setting up uid map"):
        Worker(
            ["sh", "-c", "echo bwrap: setting up uid map >&2; exit 1"], {"op": "begin"}, env={"PATH": "/bin:/usr/bin"}
        )
    with pytest.raises(SandboxError, match="could not be started"):
        Worker([str(tmp_path / "none")], {"op": "begin"}, env={})


def test_an_interrupt_between_question_and_answer_ends_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = liar(tmp_path, FINE)

    def interrupt(self: Worker, size: int, deadline: float) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(Worker, "_receive", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sandbox.delete("a")
    monkeypatch.undo()
    with pytest.raises(SandboxError, match="interrupted"):
        sandbox.delete("a")
    sandbox.close()
