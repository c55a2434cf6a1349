"""Text of strangers, put into a prompt as data: between two lines that it cannot contain."""

from __future__ import annotations

import re

from bot.base.canonical import sha256

_MARK = 16
# What a reader does not see: format characters (zero width, direction), tag characters, variation selectors, controls.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def fence(text: str, name: str) -> str:
    """The text between two marked lines, for a prompt. `name` says what it is and is ours.

    The mark follows from the text (the same task always gives the same prompt) and is chosen so that it does not occur
    in it. Characters that nobody sees are written out, as `[U+200B]`, so that model and reviewer read the same.
    """
    visible = reveal(text)
    mark = _mark(visible)
    return f"<<<data {mark} {name}\n{visible}\ndata {mark}>>>"


def reveal(text: str) -> str:
    """The text with one kind of line ending, and every invisible character written out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", plain)


def _mark(text: str) -> str:
    attempt = 0
    while (mark := sha256(f"{attempt}\n{text}")[:_MARK]) in text:
        attempt += 1
    return mark
