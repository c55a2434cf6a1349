"""Whether a run goes in circles: deterministic, from the calls and what they gave, without asking a model."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Sequence
from functools import cached_property

from bot.base.messages import ToolCall, ToolResult

LONGEST_CYCLE = 5
REPEATS = 3
ERRORS = 4

# What differs between two runs of the same thing and says nothing.
_NOISE = re.compile(r"\b\d+(?:\.\d+)?\s?(?:ms|s|sec|seconds)\b|0x[0-9a-fA-F]{4,}|\d\d:\d\d:\d\d(?:[.,]\d+)?|\bpid \d+")


class _Done:
    """One turn: its calls and what they gave. What is dear to know is found out only where it can matter."""

    def __init__(self, calls: Sequence[ToolCall], results: Sequence[ToolResult]) -> None:
        self.names = tuple([call.name for call in calls])
        self._calls, self._results = calls, results

    @property
    def failed(self) -> bool:
        """Whether none of the calls could be done."""
        return bool(self._results) and all(result.is_error for result in self._results)

    @cached_property
    def asked(self) -> str:
        """The calls with their arguments."""
        # Not the canonical JSON of the trace: a model's arguments may hold numbers and characters that it refuses.
        return json.dumps([[call.name, call.args] for call in self._calls], sort_keys=True)

    @cached_property
    def told(self) -> tuple[str, ...]:
        """What they gave, without what differs each time."""
        return tuple(_NOISE.sub("#", result.output) for result in self._results)

    def same_as(self, other: _Done) -> bool:
        """Whether the same was asked and the same was told."""
        return self.asked == other.asked and self.told == other.told


class StuckDetector:
    """Looks at each turn's calls together with their results."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._turns: deque[_Done] = deque(maxlen=LONGEST_CYCLE * REPEATS)

    def see(self, calls: Sequence[ToolCall], results: Sequence[ToolResult]) -> str | None:
        """Take in one turn; says how the run is stuck, or None. After a finding it starts afresh."""
        self._turns.append(_Done(calls, results))
        found = self._cycle() or self._error_loop()
        if found is not None:
            self._turns.clear()
        return found

    def _cycle(self) -> str | None:
        turns = list(self._turns)
        last = turns[-1].names
        for length in range(1, min(LONGEST_CYCLE, len(turns) // REPEATS) + 1):
            if turns[-1 - length].names != last:
                continue
            window = turns[-length * REPEATS :]
            if [turn.names for turn in window[length:]] != [turn.names for turn in window[:-length]]:
                continue
            if all(map(_Done.same_as, window[length:], window)):
                what = "the same calls" if length == 1 else f"the same {length} turns"
                return f"{what} {REPEATS} times, each time with the same result"
        return None

    def _error_loop(self) -> str | None:
        if not self._turns[-1].failed:
            return None
        last = list(self._turns)[-ERRORS:]
        if len(last) < ERRORS or not all(turn.failed for turn in last):
            return None
        if len({(turn.names, turn.told) for turn in last}) == 1:
            return f"the same error {ERRORS} times"
        return None
