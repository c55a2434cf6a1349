"""Writes a trace: redacted, chained, one `write` a line, so that a kill at any point leaves a valid prefix."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bot.base.canonical import sha256, spelled_out
from bot.base.clock import Clock
from bot.base.errors import WorldError
from bot.base.redact import Redactor
from bot.trace.events import Clipped, EventBody, ModelReplied, RunFinished, Seal
from bot.trace.line import Event, chained, fields_of
from bot.trace.resume import place

if TYPE_CHECKING:
    from bot.ports import TraceSink

BLOBS = "blobs"
INLINE = 8 << 10
"""How many bytes of an output stand in the trace itself."""
_ENCODER = msgspec.json.Encoder()
_NOTHING = Clipped(text="", bytes=0)


class TraceWriter:
    """The trace of one run, or the journal of its publishing (`previous` is then the sealed head of the run's trace).

    Implements `bot.ports.TraceSink`; may be used from several threads. A file that is there already is gone on with: a
    line that a kill cut is removed first. A journal that belongs to another head is moved aside.
    """

    def __init__(self, path: Path, *, run: str, redactor: Redactor, clock: Clock, previous: str = "") -> None:
        """Open the file; its folder is made. Raises `WorldError` when it cannot be written, or is finished already."""
        self.path = path
        self._redactor, self._clock = redactor, clock
        self._name = redactor.text(run)
        self._run = _ENCODER.encode(self._name)
        self._lock = threading.Lock()
        self._sealed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._events, self._head = place(path, previous)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            self._size = os.fstat(self._file).st_size
        except OSError as error:
            raise _unwritable(path, error) from error

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        """Write one event and return its sequence number. `run_finished` gets its true `events` and `head` here.

        Raises `WorldError` when the disk is full; the file is then what it was before.
        """
        with self._lock:
            if self._sealed:
                msg = f"{self.path} is sealed"
                raise ValueError(msg)
            return self._put(body, turn, self._clock.now())

    def sync(self) -> None:
        """Make what was appended survive a power cut."""
        with self._lock:
            if not self._sealed:
                try:
                    os.fsync(self._file)
                except OSError as error:
                    raise _unwritable(self.path, error) from error

    def blob(self, data: bytes) -> str:
        """Keep a large output in `blobs/` beside the trace, redacted, once per content; returns its SHA-256."""
        data = self._redactor.data(data)
        name = sha256(data)
        folder = self.path.parent / BLOBS
        file = folder / name
        temporary = folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
        try:
            if not file.exists():
                folder.mkdir(exist_ok=True)
                temporary.write_bytes(data)
                temporary.replace(file)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise _unwritable(file, error) from error
        return name

    def redacted(self, data: bytes) -> bytes:
        """The bytes as this trace may hold them."""
        return self._redactor.data(data)

    def seal(self) -> Seal:
        """Close the file and say what pins it down: `head` is the hash of the last line. Safe to call twice."""
        self.sync()
        with self._lock:
            if not self._sealed:
                self._sealed = True
                os.close(self._file)
            return Seal(file=self.path.name, events=self._events, head=self._head)

    def close(self) -> None:
        """Let go of the file without claiming that the run is over."""
        with self._lock:
            if not self._sealed:
                self._sealed = True
                os.close(self._file)

    def _put(self, body: EventBody, turn: int, now: float) -> int:
        if isinstance(body, RunFinished):
            body = msgspec.structs.replace(body, events=self._events + 1, head=self._head)
        fields, spelled = self._clean(body)
        return self._put_clean([((fields["event"], fields), spelled, (body, turn, now))])

    def _put_clean(self, events: Iterable[Event], hashed: Mapping[str, msgspec.Raw] | None = None) -> int:
        """Write events, as `chained` takes them; returns the number of the last."""
        lines = chained(events, run=self._name, spelled=self._run, after=self._events, head=self._head, hashed=hashed)
        for line, raw in lines:
            self._write(line, raw)
            self._events, self._head = raw["seq"], raw["hash"]
        return self._events

    def _clean(self, body: EventBody) -> tuple[dict[str, Any], bytes]:
        """The event's fields without secrets, and the same as JSON."""
        fields = fields_of(body)
        try:
            encoded = _ENCODER.encode(fields)
            if not self._redactor.suspicious(encoded):
                return fields, encoded
        except (UnicodeEncodeError, OverflowError):
            pass  # what JSON cannot hold is spelled out below
        plain = msgspec.to_builtins(body)
        clean = self._redactor.value(spelled_out(plain))
        if isinstance(body, ModelReplied) and clean["raw"] != plain["raw"]:
            clean["replayable"] = False
        return clean, _ENCODER.encode(clean)

    def _write(self, line: bytes, raw: dict[str, Any]) -> None:
        """Put the line where it belongs; `raw` are its fields, for those who look at what was written."""
        try:
            done = os.write(self._file, line)
            while done < len(line):  # a disk that is nearly full takes a part, and refuses the rest
                done += os.write(self._file, line[done:])
        except OSError as error:
            # A device or a full file system may refuse even this; readers cope with a line that was cut.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise _unwritable(self.path, error) from error
        self._size += len(line)


def clip(data: bytes, sink: TraceSink, *, inline: int = INLINE) -> Clipped:
    """A stream for a line of the trace: whole when it is short, else head and tail, with the whole as a blob.

    Bytes that are no UTF-8 become U+FFFD in the text and stay as they are in the blob. What has to be cut is redacted
    before, so that no secret can hide in the cut; the rest is redacted with its line. `bytes` is the size of what came
    in.
    """
    size = len(data)
    if not size:
        return _NOTHING
    if size > inline:
        data = sink.redacted(data)
    if len(data) <= inline:
        return Clipped(text=data.decode("utf-8", "replace"), bytes=size)
    head, tail = _whole_characters(data[: inline // 2], data[len(data) - inline // 2 :])
    left_out = len(data) - len(head) - len(tail)
    text = f"{head.decode('utf-8', 'replace')}\n… {left_out} bytes left out …\n{tail.decode('utf-8', 'replace')}"
    return Clipped(text=text, bytes=size, truncated=True, blob=sink.blob(data))


def _whole_characters(head: bytes, tail: bytes) -> tuple[bytes, bytes]:
    """Without the halves of a character that the cut went through."""
    end = len(head)
    while end > max(0, len(head) - 4) and head[end - 1] & 0xC0 == 0x80:
        end -= 1
    if end and head[end - 1] >= 0xC0:
        wanted = 2 + (head[end - 1] >= 0xE0) + (head[end - 1] >= 0xF0)
        head = head if len(head) - end + 1 >= wanted else head[: end - 1]
    start = 0
    while start < min(3, len(tail)) and tail[start] & 0xC0 == 0x80:
        start += 1
    return head, tail[start:]


def _unwritable(path: Path, error: OSError) -> WorldError:
    full = error.errno in {28, 122}  # ENOSPC, EDQUOT
    what = f"The disk is full: {path} cannot be written." if full else f"{path} cannot be written: {error.strerror}."
    return WorldError(what, "Make room, or choose another --out; what was written so far is intact.")
