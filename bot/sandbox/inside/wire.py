"""Frames between the client outside and the worker inside: four bytes of length, then the body.

Requests are trusted (our own process writes them), so they are `marshal`, which costs no import. Replies come from
where hostile code runs: they are MessagePack, which the client decodes into typed Structs with everything checked.
Names of files cross as bytes, for they need not be text.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Mapping, Sequence
from typing import Any

Request = dict[str, Any]
"""What the client asks for: `op` and its arguments, or at first how to confine."""
HEAD = 4
LARGEST = 256 << 20
"""No frame is longer than this many bytes; a longer one means that the other side is broken."""


def send(channel: int, body: bytes) -> None:
    """Write one frame. Raises `OSError` when the other side is gone."""
    view = memoryview(len(body).to_bytes(HEAD, "big") + body)
    while view:
        view = view[os.write(channel, view) :]


def receive(channel: int) -> Request | None:
    """The next request, or None when the other side is gone."""
    head = _exactly(channel, HEAD)
    body = _exactly(channel, int.from_bytes(head, "big")) if head else None
    if body is None:
        return None
    asked: Request = marshal.loads(body)  # noqa: S302 — only our own process has the other end
    return asked


def _exactly(channel: int, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        try:
            part = os.read(channel, min(size - len(parts), 1 << 20))
        except ConnectionResetError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


def request(body: Request) -> bytes:
    """A request as the worker reads it."""
    return marshal.dumps(body)


def reply(value: object) -> bytes:
    """A value as MessagePack: None, booleans, integers, text, bytes, sequences, mappings."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xd3" + value.to_bytes(8, "big", signed=True)
    if isinstance(value, str):
        text = value.encode("utf-8", "replace")
        return b"\xdb" + len(text).to_bytes(4, "big") + text
    if isinstance(value, (bytes, bytearray)):
        return b"\xc6" + len(value).to_bytes(4, "big") + value
    if isinstance(value, Mapping):
        return b"\xdf" + len(value).to_bytes(4, "big") + b"".join(reply(k) + reply(v) for k, v in value.items())
    if isinstance(value, Sequence):
        return b"\xdd" + len(value).to_bytes(4, "big") + b"".join(map(reply, value))
    msg = f"{type(value).__name__} cannot be sent"
    raise TypeError(msg)
