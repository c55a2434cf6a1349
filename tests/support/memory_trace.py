"""A trace in memory, for tests that look at what was recorded."""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

from bot.base.canonical import sha256
from bot.ports import Seal
from bot.trace.events import EventBody

E = TypeVar("E", bound=EventBody)


class MemoryTrace:
    """Implements `bot.ports.TraceSink`. What is appended has to be encodable, as on disk."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, EventBody]] = []
        self.blobs: dict[str, bytes] = {}
        self.synced = 0

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        json.dumps(msgspec.to_builtins(body))
        self.lines.append((turn, body))
        return len(self.lines)

    def sync(self) -> None:
        self.synced = len(self.lines)

    def blob(self, data: bytes) -> str:
        self.blobs[sha256(data)] = data
        return sha256(data)

    def redacted(self, data: bytes) -> bytes:
        return data

    def seal(self) -> Seal:
        return Seal(file="memory", events=len(self.lines), head="")

    @property
    def names(self) -> list[str]:
        return [body.__struct_config__.tag for _, body in self.lines]  # type: ignore[misc]

    def all(self, kind: type[E]) -> list[E]:
        return [body for _, body in self.lines if isinstance(body, kind)]

    def one(self, kind: type[E]) -> E:
        (found,) = self.all(kind)
        return found
