"""The forms in which a secret may be printed."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

ALNUM = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
FRAGMENT = 12
"""From how many characters on a piece of a secret counts as a leak."""


def escaped(value: str) -> set[str]:
    """The value, and the value escaped for JSON, URLs and HTML."""
    return {value, json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value), html.escape(value)}


def spellings(value: str) -> Iterator[tuple[str, int]]:
    """Every form of a secret, and how many characters of it stand for `FRAGMENT` of the secret."""
    data = value.encode("utf-8", "surrogatepass")
    for spelling in sorted(escaped(value)):
        yield spelling, FRAGMENT
        yield spelling[::-1], FRAGMENT
    yield data.hex(), 2 * FRAGMENT  # also %41%49 and 41 49, once reduced
    yield data[::-1].hex(), 2 * FRAGMENT
    yield "".join(f"x{byte:02x}" for byte in data), 3 * FRAGMENT
    yield "".join(f"0x{byte:02x}" for byte in data), 4 * FRAGMENT
    yield "".join(f"u{ord(char):04x}" for char in value), 5 * FRAGMENT
    for before in range(3):
        # Only the characters that the neighbours of the secret have no part in.
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        encoded = base64.b64encode(bytes(before) + data).decode()[first:last]
        yield encoded, FRAGMENT * 8 // 6 - 1
        yield encoded[::-1], FRAGMENT * 8 // 6 - 1


def least(raw: bytes, window: int) -> int:
    """The fewest letters and digits in any `window` consecutive bytes of a spelling."""
    kept = [byte in ALNUM for byte in raw]
    count = fewest = sum(kept[:window])
    for at in range(window, len(kept)):
        count += kept[at] - kept[at - window]
        fewest = min(fewest, count)
    return fewest
