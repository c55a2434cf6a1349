"""A run that is made again, held against the trace of the first one line by line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bot.base.clock import Clock
from bot.base.redact import Redactor
from bot.trace.events import EventBody, LimitReached
from bot.trace.line import Line, decode
from bot.trace.normal import Normaliser
from bot.trace.writer import BLOBS, TraceWriter

_ENVELOPE = frozenset({"v", "seq", "time", "run", "prev", "hash"})
_CLOCKED = frozenset({"duration_ms"})
_IGNORED: dict[str, frozenset[str]] = {
    # The machine and the version may be others; what was given to the run is not what came of it.
    "run_started": frozenset({"sandbox", "bot_version", "task", "protected", "workspace"}),
    "model_requested": frozenset({"sent"}),
    "model_replied": frozenset({"replayable"}),
    "command_run": frozenset({"stdout_bytes", "stderr_bytes", "stdout_blob", "stderr_blob"}),
    "limit_reached": frozenset({"used"}),
    "commit_created": frozenset({"sha"}),
    "note": frozenset({"message"}),
    # The text of the pull request has durations in it.
    "run_finished": frozenset({"head", "text"}),
}
_SETUP = frozenset({"stdout", "stderr", "truncated", "tests"})
"""Of a set-up: it tells of caches and mirrors."""
_NAMES = ("command", "path", "file", "tool", "branch", "limit")
_SHOWN = 300


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that came out otherwise. `expected` and `actual` are normalised, and short."""

    seq: int
    """Line of the recorded trace."""
    turn: int
    event: str
    about: str
    """The command, the file, or what the line is about."""
    field: str
    """Which field differs; `event` when another event came, or none did."""
    expected: str
    actual: str


class ReplayOver(BaseException):
    """Nothing is left to compare: the runs went apart, or the recorded trace ends here. No error of any task."""


class Comparison:
    """The recorded lines, and how far the new run has come in them."""

    def __init__(
        self, lines: Iterator[Line], workspace: str, blobs: Path, *, only: frozenset[str] | None = None
    ) -> None:
        """`only` leaves out all other events of the recorded trace; with it the new run decides itself when it ends."""
        self._to_the_end = only is not None
        self._lines = (line for line in lines if only is None or line.event in only)
        self.next: Line | None = next(self._lines, None)
        """The line that should come now; None when all have come."""
        self.matched = 0
        self.divergence: Divergence | None = None
        self._recorded = _Side(workspace, blobs)
        self._again: _Side | None = None
        self._last_seq = 0

    def see(self, actual: dict[str, Any], blobs: Path) -> None:
        """A line of the new run. Raises `ReplayOver` at the first difference, and where the recorded trace ends."""
        if self._again is None:
            self._again = _Side(str(actual.get("workspace", "")), blobs)
        expected = self.next
        if expected is None:
            self.diverge(None, "event", "the end of the trace", _what(actual))
        elif expected.event != actual["event"]:
            self.diverge(expected, "event", _what(expected.raw), _what(actual))
        else:
            difference = _differ(self._recorded.plain(expected.raw), self._again.plain(actual), "")
            if difference is not None:
                self.diverge(expected, *difference)
        self.matched += 1
        self._last_seq = expected.seq if expected else 0
        self.next = next(self._lines, None)
        if self.next is None and actual["event"] != "run_finished" and not self._to_the_end:
            raise ReplayOver
        if isinstance(self.next and self.next.body, LimitReached) and self.next.body.limit == "interrupted":  # type: ignore[union-attr]
            raise KeyboardInterrupt

    def diverge(self, line: Line | None, field: str, expected: str, actual: str) -> None:
        """Keep the difference. Raises `ReplayOver`."""
        self.divergence = Divergence(
            seq=line.seq if line else self._last_seq + 1,
            turn=line.turn if line else 0,
            event=line.event if line else "",
            about=_about(line.raw) if line else "",
            field=field,
            expected=expected[:_SHOWN],
            actual=actual[:_SHOWN],
        )
        raise ReplayOver

    def ended(self) -> None:
        """The new run is over: what is left of the recorded trace did not come."""
        if self.divergence is None and self.next is not None:
            try:
                self.diverge(self.next, "event", _what(self.next.raw), "nothing more")
            except ReplayOver:
                return


class EchoTrace(TraceWriter):
    """The trace of the new run; each line is compared as it is written."""

    def __init__(self, path: Path, *, run: str, redactor: Redactor, clock: Clock, comparison: Comparison) -> None:
        """As `TraceWriter`."""
        super().__init__(path, run=run, redactor=redactor, clock=clock)
        self._comparison = comparison
        self._written = b""

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        """Write, then compare. Raises `ReplayOver` as `Comparison.see` does."""
        number = super().append(body, turn=turn)
        self._comparison.see(decode(self._written), self.path.parent / BLOBS)
        return number

    def _write(self, line: bytes, raw: dict[str, Any]) -> None:
        self._written = line
        super()._write(line, raw)


class ReplayClock:
    """The time of the recorded run: each look at it says when the next line was written, so that waits take none.

    A limit of minutes is reached where it was reached, and nowhere else.
    """

    def __init__(self, comparison: Comparison, began: float) -> None:
        """`began` is when the recorded task began, seconds since the epoch."""
        self._comparison, self._time = comparison, began

    def now(self) -> float:
        """Seconds since the epoch, as it was then."""
        if self._comparison.next is not None:
            self._time = max(self._time, self._comparison.next.time)
        return self._time

    def monotonic(self) -> float:
        """The same scale."""
        line = self._comparison.next
        late = line is not None and isinstance(line.body, LimitReached) and line.body.limit == "minutes"
        return self.now() + (1e9 if late else 0)

    def sleep(self, seconds: float) -> None:
        """Time passes by itself."""


class _Side:
    """The lines of one of the two runs, as they are compared."""

    def __init__(self, workspace: str, blobs: Path) -> None:
        self._normal, self._blobs = Normaliser(workspace), blobs

    def plain(self, raw: dict[str, Any]) -> dict[str, Any]:
        skipped = _ENVELOPE | _CLOCKED | _IGNORED.get(raw["event"], frozenset())
        if raw["event"] == "command_run" and raw.get("phase") == "setup":
            skipped |= _SETUP
        plain = {name: value for name, value in raw.items() if name not in skipped}
        for stream in ("stdout", "stderr"):
            if stream in plain:
                plain[stream] = self._whole(plain[stream], raw.get(f"{stream}_blob"))
        for suite in ("base", "head"):
            if isinstance(plain.get(suite), dict):
                plain[suite] = {name: value for name, value in plain[suite].items() if name not in _CLOCKED}
        if isinstance(plain.get("output"), dict):
            plain["output"] = self._whole(plain["output"].get("text", ""), plain["output"].get("blob"))
        if raw["event"] in {"model_replied", "model_retried"}:
            return plain  # the model is the trace itself; nothing of it is volatile
        clean: dict[str, Any] = self._normal.value(plain)
        return clean

    def _whole(self, text: str, blob: str | None) -> str:
        """What was cut is compared whole: where the cut goes through depends on durations."""
        if not blob or "/" in blob:
            return text
        try:
            return (self._blobs / blob).read_bytes().decode("utf-8", "replace")
        except OSError:
            return text


def _differ(expected: Any, actual: Any, where: str) -> tuple[str, str, str] | None:
    """The first difference: its place, and both sides."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in [*expected, *(name for name in actual if name not in expected)]:
            if name in expected and name in actual:
                found = _differ(expected[name], actual[name], f"{where}.{name}" if where else name)
                if found is not None:
                    return found
            elif name in expected or where:  # a field that an older version did not write says nothing
                return (
                    f"{where}.{name}".strip("."),
                    str(expected.get(name, "nothing")),
                    str(actual.get(name, "nothing")),
                )
        return None
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return next((no for index, (a, b) in pairs if (no := _differ(a, b, f"{where}[{index}]"))), None)
    if isinstance(expected, str) and isinstance(actual, str) and expected != actual:
        return _lines_apart(expected, actual, where)
    return None if expected == actual else (where, str(expected), str(actual))


def _lines_apart(expected: str, actual: str, where: str) -> tuple[str, str, str]:
    """The first line in which two texts differ."""
    one, two = expected.split("\n"), actual.split("\n")
    number = next(
        (at for at, pair in enumerate(zip(one, two, strict=False)) if pair[0] != pair[1]), min(len(one), len(two))
    )
    place = f"{where}, line {number + 1}" if max(len(one), len(two)) > 1 else where
    was, now = ("nothing more" if number >= len(side) else side[number] for side in (one, two))
    return place, was, now


def _what(raw: dict[str, Any]) -> str:
    about = _about(raw)
    return f"{raw['event']} {about}".strip()


def _about(raw: dict[str, Any]) -> str:
    args = raw.get("args") if isinstance(raw.get("args"), dict) else {}
    named = {**(args or {}), **raw}
    words = [str(named[name]) for name in _NAMES if isinstance(named.get(name), str)]
    return " ".join(words)[:_SHOWN]
