"""Words of a server, made harmless: they end up in reports and terminals, and a stranger may have chosen them."""

from __future__ import annotations

import re

_LIMIT = 300


def plain(text: str, limit: int = _LIMIT) -> str:
    """One line without control, format or invisible characters, at most `limit` characters."""
    kept = "".join(char if char.isprintable() else " " for char in text)
    line = re.sub(r"\s+", " ", kept).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"
