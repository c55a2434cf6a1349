"""Canonical JSON and hashes: one spelling per value, so that a hash of it means something.

Sorted keys, no white space, UTF-8, no NaN (the parts of RFC 8785 that our values can reach: floats are printed
in their shortest form, which is what msgspec and RFC 8785 share for all finite doubles below 1e16).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

ENCODER = msgspec.json.Encoder(order="sorted")
"""Encodes as `canonical` does, for those who do so very often."""


def canonical(value: object) -> bytes:
    """The canonical JSON of `value` (anything msgspec can encode), without a newline."""
    return ENCODER.encode(value)


def sha256(data: bytes | str) -> str:
    """Lower-case hex SHA-256 of bytes, or of a text's UTF-8 (lone surrogates kept as they came)."""
    return hashlib.sha256(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data).hexdigest()


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`."""
    return sha256(canonical(value))


def spelled_out(value: Any) -> Any:
    r"""A value with what JSON in UTF-8 cannot hold as text: lone surrogates (names of files are bytes) as `\udce9`,
    very large integers as digits.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {spelled_out(name): spelled_out(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [spelled_out(inner) for inner in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return str(value)
    return value
