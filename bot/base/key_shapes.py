"""What well-known keys look like, so that one that nobody told us about is taken out as well.

Ordinary text is cheap to look at: nearly every key has 20 characters or more without a gap, which is found by one
search for one needle; only where there is such a run are the literals that keys begin with searched for, in the runs
alone. A shape is strict about what surrounds it, so that identifiers, hashes and prose stay what they are.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple


class Shape(NamedTuple):
    """`literal` occurs in every match of `pattern`; the group `key`, or else the whole match, is the secret."""

    literal: bytes
    pattern: re.Pattern[bytes]


# No letter or digit, unless it ends an escape: a newline in JSON, a colour, %22, \\u003d.
_BEFORE = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=[0-9\[;]m)|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
_AFTER = rb"(?![A-Za-z0-9])"
_GAP = rb"(?:\s|\\+[nr])"
_HEADERS = rb"(?:[A-Z][A-Za-z-]+: ?[^\n\\]*" + _GAP + rb"+)*"
_LINE = rb"[A-Za-z0-9+/=]{16,}"
_BODY = _LINE + rb"(?:" + _GAP + rb"+" + _LINE + rb")*(?:" + _GAP + rb"+[A-Za-z0-9+/]+={0,2}(?=" + _GAP + rb"*-----))?"
_PEM = rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?P<key>" + _GAP + rb"*" + _HEADERS + _BODY + rb")"


def _shape(literal: str, pattern: bytes) -> Shape:
    return Shape(literal.encode(), re.compile(pattern))


def _token(literal: str, rest: bytes) -> Shape:
    return _shape(literal, _BEFORE + re.escape(literal.encode()) + rest)


_IN_RUNS: tuple[Shape, ...] = (
    _token("AIza", rb"[0-9A-Za-z_-]{30,}"),
    _token("ya29.", rb"[0-9A-Za-z_-]{20,}"),
    _token("GOCSPX-", rb"[0-9A-Za-z_-]{20,}"),
    *(_token(f"gh{kind}_", rb"[A-Za-z0-9]{20,}(?:[._-][A-Za-z0-9_.-]+)?") for kind in "opsur"),
    _token("github_pat_", rb"[A-Za-z0-9_]{22,}"),
    _token("glpat-", rb"[0-9A-Za-z_-]{20,}"),
    # Names of CSS classes and packages begin like this too; a key has capitals and digits.
    _token("sk-", rb"(?=[A-Za-z0-9_-]*[0-9])(?=[A-Za-z0-9_-]*[A-Z])[A-Za-z0-9_-]{20,}"),
    _token("sk-or-v1-", rb"[0-9a-f]{32,}"),
    _token("gsk_", rb"[A-Za-z0-9]{32,}"),
    _shape("k_live_", _BEFORE + rb"[rs]k_live_[A-Za-z0-9]{16,}"),
    _shape("k_test_", _BEFORE + rb"[rs]k_test_[A-Za-z0-9]{16,}"),
    _token("AKIA", rb"[A-Z0-9]{16}" + _AFTER),
    _token("ASIA", rb"[A-Z0-9]{16}" + _AFTER),
    _shape("xox", _BEFORE + rb"xox[abeoprs]-[A-Za-z0-9-]{15,}"),
    _token("xapp-", rb"[0-9]-[A-Za-z0-9-]{20,}"),
    _shape("hooks.slack.com/services/", rb"hooks\.slack\.com/services/(?P<key>T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,})"),
    _token("npm_", rb"[A-Za-z0-9]{36}" + _AFTER),
    _token("pypi-AgE", rb"[A-Za-z0-9_-]{40,}"),
    _token("hf_", rb"[A-Za-z]{34}" + _AFTER),
    _token("SG.", rb"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}"),
    _token("dckr_pat_", rb"[A-Za-z0-9_-]{20,}"),
    _token("AGE-SECRET-KEY-1", rb"[A-Z0-9]{40,}"),
    _token("eyJ", rb"[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    _token("AccountKey=", rb"(?P<key>[A-Za-z0-9+/]{40,}={0,2})"),
    _shape("earer ", rb"\b[Bb]earer (?P<key>(?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{20,}=*)"),
)
_PEM_KEY = _shape("PRIVATE KEY", _PEM)
# user:password@host; a placeholder ($TOKEN, <token>, ***) is no password.
_IN_URL = _shape("://", rb"://[^\s/:@\"'<>]{0,64}:(?P<key>[A-Za-z0-9%._~!+-]{8,})@[A-Za-z0-9.\[]")
SHAPES: tuple[Shape, ...] = (*_IN_RUNS, _PEM_KEY, _IN_URL)
_RUN_BYTES = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.+/~"
"""What keys are made of, the dots and slashes between the parts of one included."""
_AS_RUNS = bytes(ord("a") if byte in _RUN_BYTES else ord(" ") for byte in range(256))
_RUN = b"a" * 20
"""The shortest run that a match of a shape in `_IN_RUNS` can have."""
_BEGINNINGS = re.compile(
    # By first letter: so most places of a text are left after one look.
    b"|".join(
        re.escape(first) + b"(?:" + b"|".join(re.escape(literal[1:]) for literal in literals) + b")"
        for first, literals in groupby(sorted(shape.literal for shape in _IN_RUNS), key=itemgetter(slice(1)))
    )
)
_CONTEXT = 16
"""How far before its run a literal may begin, as `Bearer ` and `AccountKey=` do."""

_REMEMBERED, _LONGEST = 4096, 128
_HARMLESS: set[bytes] = set()
"""Runs in which no key begins."""


def possible(data: bytes) -> tuple[Shape, ...]:
    """The shapes that may occur in `data`, at the price of a few microseconds where none can."""
    found: tuple[Shape, ...] = ()
    mapped = data.translate(_AS_RUNS)
    start = mapped.find(_RUN)
    if start >= 0 and (runs := _runs(data, mapped, start) - _HARMLESS):
        text = b" ".join(runs)
        if _BEGINNINGS.search(text):
            found = tuple(shape for shape in _IN_RUNS if shape.literal in text)
        else:
            _remember(runs)
    if b"PRIVATE KEY" in data:
        found += (_PEM_KEY,)
    if b"@" in data and data.rfind(b"://") >= 0:  # from the end it is found missing in half the time of `in`
        found += (_IN_URL,)
    return found


def _runs(data: bytes, mapped: bytes, start: int) -> set[bytes]:
    """Every long run with a little of what stands before it; `start` is where the first one begins."""
    runs = set()
    size = len(data)
    while start >= 0:
        end = mapped.find(b" ", start)
        if end < 0:
            end = size
        runs.add(data[start - _CONTEXT if start > _CONTEXT else 0 : end])
        start = mapped.find(_RUN, end)
    return runs


def _remember(runs: set[bytes]) -> None:
    """Paths and long names come again and again."""
    if len(_HARMLESS) > _REMEMBERED:
        _HARMLESS.clear()
    _HARMLESS.update(run for run in runs if len(run) < _LONGEST)
