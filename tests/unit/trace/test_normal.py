"""What differs between two runs of the same thing and says nothing."""

from __future__ import annotations

import pytest

from bot.trace.normal import Normaliser


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("1 passed in 0.01s", "1 passed in 12.3s"),
        ("==== 1 passed in 0.01s ====", "=== 1 passed in 10.21s ==="),
        ("Ran 3 tests in 0.001s", "Ran 3 tests in 1.2s"),
        ("<object at 0x7fd4ff860390>", "<object at 0x1234abcd>"),
        ("2026-11-25 23:44:14.123 started", "2026-11-26T01:00:00Z started"),
        ("Wed Nov 25 23:44:14 UTC 2026", "Wed Nov 25 00:01:02 UTC 2026"),
        ("-rw-r--r-- 1 root root 5 Nov 25 23:44 a", "-rw-r--r-- 1 root root 5 Nov  3 01:02 a"),
        ("pid 17", "pid 4211"),
        ("/tmp/tmpabcdefgh/x", "/tmp/tmp12345678/x"),
        ("/tmp/fleet-bot-ab/cd/private-12/home", "/tmp/fleet-bot-xy/zz/private-9/home"),
        ("xml: /w/.fleet-bot-0123456789abcdef.xml", "xml: /w/.fleet-bot-fedcba9876543210.xml"),
        ("[main 1a2b3c4] fix", "[main 9f8e7d6] fix"),
        ("duration_ms 12.5", "duration_ms 3"),
        ("/opt/a/bin/python3.11 -m venv", "/usr/bin/python3 -m venv"),
    ],
)
def test_what_says_nothing_is_the_same(one: str, two: str) -> None:
    assert Normaliser().text(one) == Normaliser().text(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("1 passed", "2 passed"),
        ("exit 0", "exit 1"),
        ("version 1.0.0", "version 1.0.1"),
        ("a.py:10", "a.py:11"),
        ("--", "-"),
    ],
)
def test_what_says_something_stays(one: str, two: str) -> None:
    assert Normaliser().text(one) != Normaliser().text(two)


def test_tags_of_secrets_are_numbered_so_that_equal_ones_stay_equal() -> None:
    told = Normaliser().text("[secret:aaaaaaaa] [secret:bbbbbbbb] [secret:aaaaaaaa]")
    assert told == Normaliser().text("[secret:12345678] [secret:87654321] [secret:12345678]")
    assert told != Normaliser().text("[secret:12345678] [secret:12345678] [secret:87654321]")


def test_the_workspace_of_a_run_is_told_apart_wherever_it_lay() -> None:
    assert Normaliser("/data/x/workspace").text("/data/x/workspace/a.py") == Normaliser("/y/workspace").text(
        "/y/workspace/a.py"
    )
