"""Untrusted text as data: invisible characters taken out, between marks that it cannot forge."""

from __future__ import annotations

import unicodedata

from bot.base.canonical import sha256

_KEPT = "\n\t"


def visible(text: str) -> tuple[str, int]:
    """A text without characters that people do not see (bidi marks, zero width, tags, controls), and how many went."""
    out = "".join(
        char for char in text.replace("\r\n", "\n") if char in _KEPT or unicodedata.category(char) not in _HIDDEN
    )
    return out, len(text.replace("\r\n", "\n")) - len(out)


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def fenced(text: str, source: str) -> str:
    """The text between two lines with a mark made from its own hash, which nobody can write into it beforehand."""
    shown, removed = visible(text)
    mark = sha256(shown)[:16]
    note = f", {removed} invisible characters removed" if removed else ""
    return f"<<<data {mark} {source}{note}\n{shown}\ndata {mark}>>>"
