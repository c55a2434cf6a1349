"""Until the trace room is there, two plain stand-ins for what the agent takes from it."""

from __future__ import annotations

import importlib.util
import sys
import types


def _stand_in() -> None:
    if importlib.util.find_spec("bot.trace.writer") is not None:
        return
    from bot.trace.events import Clipped

    writer, commands = types.ModuleType("bot.trace.writer"), types.ModuleType("bot.trace.commands")
    writer.clip = lambda data, sink: Clipped(
        text=data[:8192].decode("utf-8", "replace"), bytes=len(data), truncated=len(data) > 8192
    )  # type: ignore[attr-defined]
    commands.words = lambda command: tuple(command.split())  # type: ignore[attr-defined]
    commands.counts = lambda *args: None  # type: ignore[attr-defined]
    sys.modules |= {"bot.trace.writer": writer, "bot.trace.commands": commands}


_stand_in()
