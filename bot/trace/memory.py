"""A trace that is kept in memory: the same lines, byte for byte, as `TraceWriter` would put into a file."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bot.base.canonical import sha256
from bot.base.clock import Clock
from bot.base.redact import Redactor
from bot.trace.events import EventBody, RunFinished, Seal
from bot.trace.known import Known
from bot.trace.line import Event, chained, own_fields
from bot.trace.writer import BLOBS, TraceWriter

NAME = "execution_trace.jsonl"
_PATH = Path(NAME)
_ENCODER = msgspec.json.Encoder()


class MemoryTrace(TraceWriter):
    """For trials, of which there are too many to touch the disk for each event. Implements `bot.ports.TraceSink`.

    Nothing in memory outlives a kill, so lines are spelled only when somebody asks for them, many in one go.
    """

    def __init__(self, *, run: str, redactor: Redactor, clock: Clock, known: Known | None = None) -> None:
        """As `TraceWriter`, and nothing is written. `known` are fields that the first event may have."""
        self.path = _PATH
        self._redactor, self._clock = redactor, clock
        self._name = redactor.text(run)
        self._run = _ENCODER.encode(self._name)
        self._lock = threading.Lock()
        self._known = known
        self._sealed = False
        self._events, self._head = 0, ""
        self._waiting: list[tuple[EventBody, int, float]] = []
        self._lines: list[bytes] = []
        self._fields: list[dict[str, Any]] = []
        self.blobs: dict[str, bytes] = {}
        """What would lie in `blobs/`, by name."""

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        """As `TraceWriter.append`."""
        with self._lock:
            if self._sealed:
                msg = f"{self.path} is sealed"
                raise ValueError(msg)
            self._waiting.append((body, turn, self._clock.now()))
            return self._events + len(self._waiting)

    @property
    def lines(self) -> list[bytes]:
        """The lines so far, each with its newline."""
        self._catch_up()
        return self._lines

    @property
    def events(self) -> list[dict[str, Any]]:
        """The fields of the lines, for rules and whoever else looks at them."""
        self._catch_up()
        return self._fields

    @property
    def last(self) -> str:
        """The name of the last event, empty when there is none; nothing is spelled for it."""
        if self._waiting:
            return str(self._waiting[-1][0].__struct_config__.tag)
        return str(self._fields[-1]["event"]) if self._fields else ""

    @property
    def head(self) -> str:
        """The hash of the last line."""
        self._catch_up()
        return self._head

    def sync(self) -> None:
        """Nothing: memory does not survive a power cut."""

    def blob(self, data: bytes) -> str:
        """As `TraceWriter.blob`, kept in `blobs`."""
        data = self._redactor.data(data)
        name = sha256(data)
        self.blobs[name] = data
        return name

    def seal(self) -> Seal:
        """Take no more events."""
        self._catch_up()
        self._sealed = True
        return Seal(file=NAME, events=self._events, head=self._head)

    def close(self) -> None:
        """As `seal`."""
        self.seal()

    def save(self, file: Path) -> None:
        """Write lines and blobs as a run would have left them."""
        save(file, b"".join(self.lines), self.blobs)

    def _catch_up(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if waiting:
                self._spell(waiting)

    def _spell(self, waiting: list[tuple[EventBody, int, float]]) -> None:
        """One look for secrets at all of it; only where something may be one, a look at each."""
        own = [own_fields(body) for body, _, _ in waiting]
        known = self._known
        if known is not None and (self._events or not known.held_by(own[0][1])):
            known = None
        try:
            spelled = looked_at = [_ENCODER.encode(body) for body, _, _ in waiting[known is not None :]]
            if known is not None:
                name, fields = own[0]
                looked_at = [_ENCODER.encode(known.rest_of(fields)), *spelled]
                spelled = [_ENCODER.encode({"event": name, **fields, **known.line}), *spelled]
            clean = not self._redactor.suspicious(b"\n".join(looked_at))
        except (UnicodeEncodeError, OverflowError):
            spelled, clean = [], False
        if not clean:
            for body, turn, now in waiting:
                self._put(body, turn, now)
            return
        if isinstance(waiting[-1][0], RunFinished):
            body, turn, now = waiting.pop()
            if waiting:
                self._put_clean(zip(own, spelled, waiting, strict=False), known.hashed if known is not None else None)
            body = msgspec.structs.replace(body, events=self._events + 1, head=self._head)
            self._put_clean([(own_fields(body), _ENCODER.encode(body), (body, turn, now))])
        else:
            self._put_clean(zip(own, spelled, waiting, strict=True), known.hashed if known is not None else None)

    def _put_clean(self, events: Iterable[Event], hashed: Mapping[str, msgspec.Raw] | None = None) -> int:
        add, know = self._lines.append, self._fields.append
        raw: dict[str, Any] = {}
        for line, raw in chained(
            events, run=self._name, spelled=self._run, after=self._events, head=self._head, hashed=hashed
        ):
            add(line)
            know(raw)
        self._events, self._head = raw["seq"], raw["hash"]
        return self._events


def save(file: Path, lines: bytes, blobs: dict[str, bytes]) -> None:
    """Write a trace and what lies beside it; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(lines)
    if blobs:
        folder = file.parent / BLOBS
        folder.mkdir(exist_ok=True)
        for name, data in blobs.items():
            (folder / name).write_bytes(data)
