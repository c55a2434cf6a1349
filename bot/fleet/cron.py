"""Cron as GitHub Actions reads it: five fields, UTC, at most every five minutes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?")
_SHORTEST = 5
_LONGEST_DAYS = 4 * 366
"""A schedule that fits no day of so many never comes round (30 February)."""


def trouble(text: str) -> tuple[str, str] | None:
    """What is wrong with a schedule and what to write instead, or None."""
    if text.startswith("@"):
        return f"is {text}, which Actions does not know", 'write five fields, such as "0 4 * * 1"'
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"has {len(fields)} fields", "write five: minute, hour, day, month, weekday"
    for word, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        if (wrong := _field(word, low, high, names)) is not None:
            return f"has {word} as {name}: {wrong}", f"write {low} to {high}, *, lists, ranges or steps"
    minutes = _minutes(fields[0])
    gaps = [later - earlier for earlier, later in pairwise(minutes)]
    if gaps and min(gaps) < _SHORTEST:
        return "starts more often than Actions does", "leave five minutes between starts, such as */5"
    return None


def latest(text: str, at: datetime, *, before: bool = False) -> datetime | None:
    """The last time up to `at` (UTC) that a valid schedule names, with `before` earlier than `at`; None: never.

    As in cron, where both days are given one of them is enough.
    """
    minutes, hours, days, months, weekdays = (
        _numbers(word, low, high, names) for word, (_, low, high, names) in zip(text.split(), _FIELDS, strict=True)
    )
    either = not text.split()[2].startswith("*") and not text.split()[4].startswith("*")
    limit = at.replace(second=0, microsecond=0) - timedelta(minutes=1 if before else 0)
    for back in range(_LONGEST_DAYS):
        day = (limit - timedelta(days=back)).replace(hour=23, minute=59) if back else limit
        by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month not in months or not ((by_day or by_weekday) if either else (by_day and by_weekday)):
            continue
        for hour in sorted((hour for hour in hours if hour <= day.hour), reverse=True):
            most = day.minute if hour == day.hour else 59
            fits = [minute for minute in minutes if minute <= most]
            if fits:
                return day.replace(hour=hour, minute=max(fits))
    return None


def _field(word: str, low: int, high: int, names: dict[str, int]) -> str | None:
    for part in word.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            return f"{part or 'nothing'} is no value"
        star, first, last, step = found.groups()
        if step is not None and int(step) == 0:
            return "a step of 0"
        if star:
            continue
        numbers = [_number(text, names) for text in (first, last) if text is not None]
        for number in numbers:
            if number is None or not low <= number <= high:
                return "7 is no day, Sunday is 0" if number == 7 and names is _DAYS else f"{part} is out of range"
        if len(numbers) == 2 and (numbers[0] or 0) > (numbers[1] or 0):
            return f"{part} runs backwards"
    return None


def _number(text: str, names: dict[str, int]) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else names.get(text.upper())


def _minutes(word: str) -> list[int]:
    return sorted(_numbers(word, 0, 59, {}))


def _numbers(word: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for part in word.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if first == "*":
            first, last = str(low), str(high)
        elif not dash:
            last = str(high) if step else first
        ends = [_number(end, names) for end in (first, last)]
        found.update(range(ends[0] or 0, (ends[1] or 0) + 1, int(step or 1)))
    return found
