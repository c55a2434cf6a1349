"""The lines of a trace put together by what they tell of: a call with everything that came of it, or a line alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.trace.events import GuardRefused, ToolCompleted, ToolFailed, ToolRequested
from bot.trace.line import Line


def groups(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Groups in the order in which they ended; what is in flight at the end comes last. Never an empty one."""
    open_: dict[str, list[Line]] = {}
    for line in lines:
        call = getattr(line.body, "call", None)
        if isinstance(line.body, ToolRequested):
            open_[line.body.call] = [line]
        elif isinstance(call, str) and call in open_:
            open_[call].append(line)
            if isinstance(line.body, ToolCompleted | ToolFailed | GuardRefused):
                yield open_.pop(call)
        else:
            yield [line]
    yield from open_.values()
