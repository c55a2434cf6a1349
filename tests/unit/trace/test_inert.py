"""Foreign text as a quotation and as a title; fences and single lines are in test_comment.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trace.inert import inert_quote, inert_title


@given(st.text())
def test_a_quotation_stays_one_quotation_and_does_nothing(text: str) -> None:
    quoted = inert_quote(text)
    assert all(line.startswith(">") for line in quoted.split("\n"))
    assert not any(word in quoted for word in ("](http", "<b>", "@ada", "#1"))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("BLOG-412: publishing fails", "BLOG-412: publishing fails"),
        ("Fixes acme/site#7 @everyone", "Fixes acme site 7 everyone"),
        ("closes https://github.com/a/b/issues/1", "closes https: github.com a b issues 1"),
        ("a\nb\x1b[31m `x` <b>", "a b 31m x b"),
        ("@#/", ""),
        ("größer als 東京", "größer als 東京"),
        ("closes GH-7", "closes 7"),
    ],
)
def test_a_title_mentions_nobody_and_closes_nothing(text: str, title: str) -> None:
    assert inert_title(text) == title
