"""Reads traces, line by line, and tells whether one is what was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bot.base.errors import WorldError
from bot.trace.events import SCHEMA_VERSION, Seal
from bot.trace.line import Line as Line
from bot.trace.line import as_written, decode, own_hash, to_line

_ENDS_CALL = frozenset({"tool_completed", "tool_failed", "guard_refused"})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` found."""

    ok: bool
    """Every line is what was written, and nothing is missing as far as that can be known."""
    finished: bool
    """The last line says how the run ended. A publish trace has no last line of its own and counts as finished."""
    events: int
    """Whole lines."""
    reason: str
    """One sentence."""
    line: int | None = None
    """Number of the first bad line."""
    in_flight: tuple[str, ...] = ()
    """What had begun and not ended: `2.1 run_shell_command`, `model call of turn 3`."""
    head: str = ""
    """Hash of the last good line."""


def read(path: Path) -> Iterator[Line]:
    """All lines, in constant memory. A last line that a kill cut is left out; unknown events come with `body` None.

    Raises `WorldError` when the file cannot be read or another line is no line of a trace; that it is *unchanged* is
    for `verify` to say.
    """
    for number, data in _lines(path):
        try:
            line = to_line(decode(data))
        except ValueError as error:
            if not data.endswith(b"\n"):
                return
            msg = f"{path}:{number} is no line of a trace: {error}."
            raise WorldError(msg, "See what `fleet-bot trace verify` says of it.") from error
        yield line


def verify(path: Path, seal: Seal | None = None, *, previous: str | None = None) -> Verdict:
    """Check every line's hash, the chain, the closing line, and the seal where there is one.

    Without a seal a file that was cut cannot be told from a run that was killed: both are `ok` and not `finished`.
    `previous` is the sealed head that a publish trace has to begin with. Raises `WorldError` when it cannot be read.
    """
    check = _Check(previous)
    for number, data in _lines(path):
        if not data.endswith(b"\n"):
            check.torn = True
            break
        if (reason := check.problem(number, data)) is not None:
            return check.broken(number, reason)
    if seal is not None:
        if check.events != seal.events:
            number = min(check.events, seal.events) + 1
            return check.broken(number, f"the seal says {seal.events} lines, the file has {check.events}")
        if check.head != seal.head:
            return check.broken(check.events, "the last line is not the one that was sealed")
        if check.torn:
            return check.broken(check.events + 1, "something follows the last line that was sealed")
    return check.verdict()


class _Check:
    """What is known after each line; the same size however long the trace."""

    def __init__(self, previous: str | None) -> None:
        self.previous = previous
        self.events = 0
        self.head = ""
        self.torn = False
        self.over = False
        self.journal = False
        self.open: dict[str, None] = {}

    def problem(self, number: int, data: bytes) -> str | None:
        """What is wrong with a line, or None. Counts it when it is right."""
        try:
            raw = decode(data)
        except ValueError as error:
            return f"no line of a trace: {error}"
        if self.over:
            return "it follows the line that ends the run"
        if (reason := self._chain(number, raw)) is not None:
            return reason
        if own_hash(raw) != raw["hash"]:
            return "it was altered: its hash does not fit its content"
        if not as_written(data, raw):
            return "it was altered: it is not spelled as it was written"
        if raw["event"] == "run_finished":
            if (raw.get("events"), raw.get("head")) != (number, self.head):
                return "it does not close this trace: its count or its head is another one's"
            self.over = True
        self._follow(raw)
        self.events, self.head = number, raw["hash"]
        return None

    def _chain(self, number: int, raw: dict[str, Any]) -> str | None:
        if raw["seq"] != number:
            return f"its number is {raw['seq']}: lines were dropped, inserted or moved"
        if number > 1 and raw["prev"] != self.head:
            return "it does not follow the line before: that was altered, or lines were dropped, inserted or moved"
        if number == 1:
            self.journal = bool(raw["prev"])
            if self.previous is not None and raw["prev"] != self.previous:
                return "it does not follow the sealed trace"
        return None

    def _follow(self, raw: dict[str, Any]) -> None:
        event, turn = raw["event"], raw["turn"]
        if event == "tool_requested":
            self.open[f"{raw.get('call')} {raw.get('tool')}"] = None
        elif event in _ENDS_CALL:
            self.open.pop(f"{raw.get('call')} {raw.get('tool')}", None)
        elif event == "model_requested":
            self.open[f"model call of turn {turn}"] = None
        elif event in {"model_replied", "limit_reached", "run_finished"}:
            self.open.pop(f"model call of turn {turn}", None)

    def broken(self, number: int, reason: str) -> Verdict:
        """The verdict on a trace that is not what was written."""
        return Verdict(
            ok=False,
            finished=self.over,
            events=self.events,
            reason=f"line {number}: {reason}",
            line=number,
            in_flight=tuple(self.open),
            head=self.head,
        )

    def verdict(self) -> Verdict:
        """The verdict on lines that are all right."""
        finished = self.over or (self.journal and not self.torn)
        reason = "complete and unchanged" if finished else "unfinished: the run was killed, or is still going on"
        if finished and self.torn:
            return self.broken(self.events + 1, "it follows the line that ends the run")
        if self.torn:
            reason += "; the last line is cut"
        if not finished and self.open:
            reason += f"; in flight: {', '.join(self.open)}"
        return Verdict(
            ok=True,
            finished=finished,
            events=self.events,
            reason=reason,
            in_flight=() if finished else tuple(self.open),
            head=self.head,
        )


def newer(line: Line) -> bool:
    """Whether a line was written by a later version of the vocabulary than this one knows."""
    return line.v > SCHEMA_VERSION


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as stream:
            yield from enumerate(stream, 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise WorldError(msg) from error
