"""How one line of a trace is spelled and hashed; the writer and every reader share this.

A line is one JSON object without white space and with no key twice, in UTF-8, ended by a newline::

    {"v":1,"seq":7,"time":"2026-11-25T22:40:01.250000Z","run":"…","turn":2,"event":"…", <the body's fields>,
     "prev":"<hash of the line before>","hash":"<hash of this line>"}

`hash` is the hex SHA-256 of the canonical JSON (`bot.base.canonical`: keys sorted, no white space) of the object
without its `hash`. `prev` of the first line is empty, or in a publish trace the sealed head of the execution trace.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec.structs import asdict

from bot.base.canonical import ENCODER, canonical, sha256
from bot.trace.events import EVENTS, SCHEMA_VERSION, EventBody

ENVELOPE = ("v", "seq", "time", "run", "turn", "event", "prev", "hash")
_DECODER = msgspec.json.Decoder(dict[str, Any])
_ENCODER = msgspec.json.Encoder()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line, read back."""

    v: int
    seq: int
    """From 1; also the number of the line."""
    time: float
    """Seconds since the epoch, UTC."""
    run: str
    turn: int
    """The model turn that it belongs to; 0 before the first and for what we do ourselves."""
    event: str
    body: EventBody | None
    """None for an event that this version does not know."""
    raw: dict[str, Any]
    """All fields as they stand in the file."""
    prev: str
    hash: str


Event = tuple[tuple[str, dict[str, Any]], bytes, tuple[EventBody, int, float]]
"""Name and own fields without secrets, as `own_fields` makes them; the same as JSON; what was appended, turn, time."""


def chained(
    events: Iterable[Event],
    *,
    run: str,
    spelled: bytes,
    after: int,
    head: str,
    hashed: Mapping[str, msgspec.Raw] | None = None,
) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Each event's line and all its fields, for a trace that has `after` lines and this head.

    `spelled` is `run` as JSON; `hashed` the canonical JSON of some fields of the first event, where that is known.
    """
    encode, sha = ENCODER.encode, hashlib.sha256
    version = SCHEMA_VERSION
    moment, time, stamp = -1.0, "", b""
    for (name, fields), event, (_, turn, now) in events:
        after += 1
        if now != moment:
            moment, time = now, timestamp(now)
            stamp = time.encode()
        raw = {
            "v": version,
            "seq": after,
            "time": time,
            "run": run,
            "turn": turn,
            "event": name,
            **fields,
            "prev": head,
        }
        before = head
        raw["hash"] = head = sha(encode(raw if hashed is None else {**raw, **hashed})).hexdigest()
        hashed = None
        line = b'{"v":%d,"seq":%d,"time":"%b","run":%b,"turn":%d,%b,"prev":"%b","hash":"%b"}\n' % (
            version,
            after,
            stamp,
            spelled,
            turn,
            event[1:-1],
            before.encode(),
            head.encode(),
        )
        yield line, raw


def fields_of(body: EventBody) -> dict[str, Any]:
    """The fields of an event as its line has them, `event` first."""
    name, fields = own_fields(body)
    return {"event": name, **fields}


def own_fields(body: EventBody) -> tuple[str, dict[str, Any]]:
    """Name and other fields of an event, as its line has them. Made once; hash and rules are made from them."""
    tag, renamed, nested = _layout(body.__class__)
    fields = asdict(body)
    if renamed:
        fields = {renamed.get(name, name): value for name, value in fields.items()}
    for name in nested:
        if fields[name] is not None:
            fields[name] = asdict(fields[name])
    return tag, fields


@functools.cache
def _layout(kind: type[EventBody]) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Its tag, the fields that are written under another name, and those that hold a flat Struct."""
    hints = get_type_hints(kind)
    names = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    renamed = {name: written for name, written in names.items() if name != written}
    nested = tuple(written for name, written in names.items() if _holds_struct(hints[name]))
    return str(kind.__struct_config__.tag), renamed, nested


def _holds_struct(hint: Any) -> bool:
    return any(isinstance(part, type) and issubclass(part, msgspec.Struct) for part in (hint, *get_args(hint)))


@functools.lru_cache(maxsize=64)
def timestamp(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the microsecond."""
    whole = math.floor(seconds)
    second, parts = divmod(whole * 1_000_000 + round((seconds - whole) * 1_000_000), 1_000_000)
    day, second = divmod(second, 86_400)
    minute, second = divmod(second, 60)
    return f"{_day(day)}T{minute // 60:02d}:{minute % 60:02d}:{second:02d}.{parts:06d}Z"


@functools.lru_cache(maxsize=512)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).date().isoformat()


def decode(data: bytes) -> dict[str, Any]:
    """The fields of a line. Raises `ValueError` when it is no line of a trace."""
    try:
        raw = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"no JSON object: {error}"
        raise ValueError(msg) from error
    missing = [name for name in ENVELOPE if name not in raw]
    if missing:
        msg = f"without {', '.join(missing)}"
        raise ValueError(msg)
    return raw


def as_written(data: bytes, raw: dict[str, Any]) -> bool:
    """Whether the line is spelled as the writer spells: a key twice, or white space, would hide from the hash."""
    return _ENCODER.encode(raw) == data.rstrip(b"\n")


def own_hash(raw: dict[str, Any]) -> str:
    """The hash that the fields should have."""
    return sha256(canonical({name: value for name, value in raw.items() if name != "hash"}))


def to_line(raw: dict[str, Any]) -> Line:
    """Give the fields their types. Unknown fields are left in `raw`. Raises `ValueError`."""
    try:
        return Line(
            v=int(raw["v"]),
            seq=int(raw["seq"]),
            time=datetime.fromisoformat(raw["time"]).timestamp(),
            run=str(raw["run"]),
            turn=int(raw["turn"]),
            event=str(raw["event"]),
            body=_body(raw),
            raw=raw,
            prev=str(raw["prev"]),
            hash=str(raw["hash"]),
        )
    except (TypeError, KeyError) as error:
        msg = f"an envelope of the wrong types: {error}"
        raise ValueError(msg) from error


def _body(raw: dict[str, Any]) -> EventBody | None:
    kind = EVENTS.get(str(raw["event"]))
    if kind is None:
        return None
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError:
        # A later version may have given a field a wider type; what is there stays readable in `raw`.
        return None
