"""Whether a run goes in circles: deterministic, from the calls and what they gave, without asking a model."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Sequence

from bot.base.canonical import sha256
from bot.base.messages import ToolCall, ToolResult

LONGEST_CYCLE = 5
REPEATS = 3
ERRORS = 4

# What differs between two runs of the same thing and says nothing.
_NOISE = re.compile(r"\b\d+(?:\.\d+)?\s?(?:ms|s|sec|seconds)\b|0x[0-9a-fA-F]{4,}|\d\d:\d\d:\d\d(?:[.,]\d+)?|\bpid \d+")


class StuckDetector:
    """Looks at each turn's calls together with their results."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._turns: deque[str] = deque(maxlen=LONGEST_CYCLE * REPEATS)
        self._errors: deque[str] = deque(maxlen=ERRORS)

    def see(self, calls: Sequence[ToolCall], results: Sequence[ToolResult]) -> str | None:
        """Take in one turn; says how the run is stuck, or None. After a finding it starts afresh."""
        told = [_NOISE.sub("#", result.output) for result in results]
        self._turns.append(_digest([[call.name, call.args] for call in calls] + [told]))
        failed = bool(results) and all(result.is_error for result in results)
        self._errors.append(_digest([[call.name for call in calls], told]) if failed else "")
        found = self._cycle() or self._error_loop()
        if found is not None:
            self._turns.clear()
            self._errors.clear()
        return found

    def _cycle(self) -> str | None:
        turns = list(self._turns)
        for length in range(1, LONGEST_CYCLE + 1):
            window = turns[-length * REPEATS :]
            if len(window) == length * REPEATS and window == window[:length] * REPEATS:
                what = "the same calls" if length == 1 else f"the same {length} turns"
                return f"{what} {REPEATS} times, each time with the same result"
        return None

    def _error_loop(self) -> str | None:
        errors = set(self._errors)
        if len(self._errors) == ERRORS and len(errors) == 1 and "" not in errors:
            return f"the same error {ERRORS} times"
        return None


def _digest(value: object) -> str:
    # Not the canonical JSON of the trace: a model's arguments may hold numbers and characters that it refuses.
    return sha256(json.dumps(value, sort_keys=True))
