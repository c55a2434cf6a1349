"""How many lines a change adds and removes, counted as git does."""

from __future__ import annotations

import functools

_LARGE = 1 << 20
_REMEMBERED = 32 << 10
"""Bytes up to which a pair is counted once: the same change is looked at several times in a run."""
_EFFORT = 20_000
"""Beyond this edit distance the count is no longer worth its price."""


def counted(before: bytes, after: bytes) -> tuple[int | None, int | None]:
    """Lines added and removed by the shortest edit; None for binary and very large files."""
    return (_short if len(before) + len(after) <= _REMEMBERED else _counted)(before, after)


def _counted(before: bytes, after: bytes) -> tuple[int | None, int | None]:
    if len(before) > _LARGE or len(after) > _LARGE or b"\0" in before[:8000] or b"\0" in after[:8000]:
        return None, None
    old, new = _lines(before), _lines(after)
    start = 0
    least = min(len(old), len(new))
    while start < least and old[start] == new[start]:
        start += 1
    end = 0
    while end < least - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if not old or not new:
        return len(new), len(old)
    distance = _distance(old, new)
    if distance is None:
        return None, None
    return (distance + len(new) - len(old)) // 2, (distance + len(old) - len(new)) // 2


_short = functools.lru_cache(maxsize=256)(_counted)


def _lines(data: bytes) -> list[bytes]:
    """Lines; a last one without a newline is another line than the same with one."""
    *whole, rest = data.split(b"\n")
    return [*whole, rest + b"\0"] if rest else whole


def _distance(old: list[bytes], new: list[bytes]) -> int | None:
    """Insertions plus deletions of the shortest edit script (Myers 1986, forward, length only)."""
    reach = {1: 0}
    for edits in range(min(len(old) + len(new), _EFFORT) + 1):
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            y = x - diagonal
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x += 1
                y += 1
            reach[diagonal] = x
            if x >= len(old) and y >= len(new):
                return edits
    return None
