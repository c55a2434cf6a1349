"""Until the trace room is there, plain stand-ins for what agent and models take from it. Goes away with it."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bot.trace.events import EVENTS, Clipped


def clip(data: bytes, sink: Any) -> Clipped:
    long = len(data) > 8192
    blob = sink.blob(data) if long else None
    return Clipped(text=data[:8192].decode("utf-8", "replace"), bytes=len(data), truncated=long, blob=blob)


def read(path: Path) -> Iterator[Any]:
    for line in path.read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        yield types.SimpleNamespace(event=raw["event"], body=msgspec.convert(raw, EVENTS[raw["event"]]), raw=raw)


def _stand_in(name: str, **members: Any) -> None:
    if importlib.util.find_spec(name) is None:
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules[name] = module


_stand_in("bot.trace.writer", clip=clip)
_stand_in("bot.trace.commands", words=lambda command: tuple(command.split()), counts=lambda *args: None)
_stand_in("bot.trace.reader", read=read)
