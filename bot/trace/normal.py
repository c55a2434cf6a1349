"""What differs between two runs of the same thing and says nothing: times, temporary places, process ids, tags.

Comparing runs (`bot.trace.echo`, `bot.trace.diff`) looks at texts only after this has gone over them.
"""

from __future__ import annotations

import re
from typing import Any

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"/tmp/fleet-bot-[\w-]+/[\w-]+", "<task>"),
        (r"<task>/private-[\w-]+", "<private>"),
        (r"/tmp/(?:tmp[\w-]{6,}|pytest-of-[\w-]+/pytest-\d+|pip-[\w-]+)", "<temporary>"),
        (r"\.fleet-bot-[0-9a-f]{16}", ".fleet-bot-#"),
        (r"(?:/[\w.+-]+)+/bin/(python|pip)[\d.]*", r"\1"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
        (r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d (?:[\d:]{5,8}(?: \d{4})?| ?\d{4})", "<time>"),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?", "<time>"),
        (r"\b\d+(?:\.\d+)?(?:e-\d+)?\s?(?:us|ms|s|secs?|seconds?|minutes?)\b", "<duration>"),
        (r"\b(duration_ms|elapsed|took|time)([\"']?[ :=]+)\d+(?:\.\d+)?", r"\1\2<duration>"),
        (r"0x[0-9a-fA-F]{4,}", "<address>"),
        (r"\b([Pp][Ii][Dd])([ :=]+)\d+", r"\1\2#"),
        (r"\[([^\[\]\n]*) [0-9a-f]{7,40}\](?= )", r"[\1 #]"),  # what `git commit` answers: the hash has the time in it
        (r"… \d+ bytes left out …", "… # bytes left out …"),
        (r"([=_*~-])\1{3,}", r"\1\1\1"),  # runners fill a line up around a duration
    )
)  # fmt: skip
_TAG = re.compile(r"\[secret:[0-9a-f]{8}\]")


class Normaliser:
    """Goes over the texts of one trace, from its first line to its last."""

    def __init__(self, workspace: str = "") -> None:
        """`workspace` is where the workspace of that run lay."""
        self._task = workspace.rpartition("/")[0]
        self._tags: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Without what differs each time. Tags of secrets are numbered as they come: equal ones stay equal."""
        if len(self._task) > 1:
            text = text.replace(self._task, "<task>")
        for pattern, put in _RULES:
            text = pattern.sub(put, text)
        return _TAG.sub(self._numbered, text)

    def value(self, value: Any) -> Any:
        """The same for every text in a JSON-like value."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self.value(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value

    def _numbered(self, tag: re.Match[str]) -> str:
        return self._tags.setdefault(tag.group(), f"[secret:{len(self._tags) + 1}]")
