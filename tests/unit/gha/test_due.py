"""Which schedules are due, and when a cron line last came round."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.base.errors import UsageError
from bot.fleet.cron import latest
from bot.fleet.manifest import Manifest, Schedule
from bot.gha.requests import due


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "now", "then"),
    [
        ("17 * * * *", "2026-11-25 10:40", "2026-11-25 10:17"),
        ("17 * * * *", "2026-11-25 10:17", "2026-11-25 10:17"),
        ("17 * * * *", "2026-11-25 00:16", "2026-11-24 23:17"),
        ("0 4 * * 1", "2026-11-25 10:00", "2026-11-23 04:00"),
        ("0 4 1 JAN *", "2026-11-25 10:00", "2026-01-01 04:00"),
        ("*/20 9-17 * * MON-FRI", "2026-11-22 12:00", "2026-11-20 17:40"),
        ("0 0 29 2 *", "2026-11-25 10:00", "2024-02-29 00:00"),
        # As in cron: with both days given, one of them is enough.
        ("0 0 13 * 5", "2026-11-25 10:00", "2026-11-20 00:00"),
    ],
)
def test_the_last_time(cron: str, now: str, then: str) -> None:
    assert latest(cron, at(now)) == at(then)


def test_what_never_comes_round() -> None:
    assert latest("0 0 30 2 *", at("2026-11-25 10:00")) is None


def names(tick: str, now: str, *crons: str) -> list[str]:
    fleet = Manifest(file=Path("fleet.yaml"), schedules=tuple(Schedule(playbook=cron, cron=cron) for cron in crons))
    return [request.playbook for request in due(fleet, tick, at(now).timestamp())]


def test_an_entry_is_due_once_between_two_looks() -> None:
    entry = "0 4 * * *"
    assert names("17 * * * *", "2026-11-25 04:19", entry) == [entry]
    assert names("17 * * * *", "2026-11-25 05:19", entry) == []
    assert names("17 * * * *", "2026-11-25 03:59", entry) == []


def test_the_workflows_own_line_is_due_however_late_it_starts() -> None:
    assert names("0 4 * * 1", "2026-11-23 09:55", "0 4 * * 1", "0 5 1 1 *") == ["0 4 * * 1"]


def test_a_line_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError):
        names("@daily", "2026-11-25 10:00")
