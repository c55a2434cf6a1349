"""Names that somebody takes for another: property by property, then the spellings that were used in attacks."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.expected.paths import PROTECTED, is_protected
from bot.expected.twins import fold, odd_name, skeleton, spelled

NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=30)
GUARDED = st.sampled_from(
    [".github/workflows/ci.yml", "sub/.vscode/settings.json", "CODEOWNERS", "AGENTS.md", ".gitmodules", "fleet.yaml"]
)
UNSEEN = "\u200b\u200d\u2060\ufeff\u00ad\u202e\u034f\ufe0f\U000e0041"


@given(NAMES)
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)
    assert skeleton(skeleton(name)) == skeleton(name)


@given(NAMES, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_all_normal_forms_of_a_name_are_one_name(name: str, form: str) -> None:
    assert fold(unicodedata.normalize(form, name)) == fold(name)  # type: ignore[arg-type]


@given(st.data(), GUARDED)
def test_no_spelling_of_a_protected_path_gets_through(data: st.DataObject, path: str) -> None:
    twin = ""
    for char in path:
        spellings = [char, char.upper(), char.lower()]
        if char.isascii() and char.isalpha():
            spellings.append(chr(ord(char) + 0xFEE0))
        twin += data.draw(st.sampled_from(spellings)) if char != "/" else "/"
        twin += data.draw(st.sampled_from(["", "", "", *UNSEEN])) if char != "/" else ""
    twin += data.draw(st.sampled_from(["", ".", " ", "..", ". ", "::$DATA", ":x"]))
    assert is_protected(twin), twin


@given(NAMES)
def test_what_is_spelled_out_can_be_printed_and_encoded(name: str) -> None:
    assert spelled(name).isprintable()
    spelled(name + "\udcff").encode()


@given(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=12), st.sampled_from(["py", "md", "json"])
)
def test_ordinary_names_are_neither_odd_nor_changed(name: str, ending: str) -> None:
    path = f"src/{name}.{ending}"
    assert fold(path) == skeleton(path) == spelled(path) == path
    assert odd_name(path) is None


@pytest.mark.parametrize(
    "path",
    [
        ".github/wоrkflows/x.yml",  # a Cyrillic o
        ".gіthub/workflows/x.yml",
        "ΑGENTS.md",  # a Greek capital alpha
        ".github/workflows",
        ".github／workflows／x.yml",
        ".vscode",
        ".github::$INDEX_ALLOCATION/workflows/x.yml",
        "fleet.yaml:stream",
        ".gıthub/workflows/x.yml",
        ".github/wörkflows/x.yml",
    ],
)
def test_a_twin_of_a_protected_path_is_protected(path: str) -> None:
    assert is_protected(path)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("a\x1b[2J", "control"),
        ("a\\b", "backslash"),
        ("a\udcff", "UTF-8"),
        ("a\u202eb.py", "nobody sees"),
        ("a/GIT~1/config", "something else"),
        ("a/.git. /config", "something else"),
        ("GITHUB~1/x", "Windows"),
        ("a:b", "Windows"),
    ],
)
def test_an_odd_name_is_told_apart(path: str, word: str) -> None:
    assert word in (odd_name(path) or "")


def test_a_name_that_the_repository_has_already_may_hold_what_its_language_needs() -> None:
    assert odd_name("نیم\u200cفاصله.md") is not None
    assert odd_name("نیم\u200cفاصله.md", new=False) is None


def test_every_built_in_glob_can_be_used() -> None:
    assert not any(is_protected(name) for name in ("src/app.py", "tests/test_app.py", "docs/guide.md", "Makefile"))
    assert all(isinstance(glob, str) for glob in PROTECTED)
