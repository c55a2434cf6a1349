"""YAML with lines: what people write, and what they write wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.base.documents import decode, parse, read_document, read_text


def wrong(text: str) -> list[str]:
    return [str(problem) for problem in parse(text, "f").problems]


def test_every_key_and_item_knows_its_line() -> None:
    document = parse("a: 1\n\nb:\n  - x\n  - c: 2\n    d: 3\n", "f", first_line=10)
    assert document.value == {"a": 1, "b": ["x", {"c": 2, "d": 3}]}
    assert {path: line for path, line in document.lines.items() if path} == {
        ("a",): 10,
        ("b",): 12,
        ("b", 0): 13,
        ("b", 1): 14,
        ("b", 1, "c"): 14,
        ("b", 1, "d"): 15,
    }


def test_what_has_no_line_stands_where_its_surroundings_stand() -> None:
    document = parse("a:\n  b: 1\n", "f")
    assert document.line(("a", "b", "c", 4)) == 2
    assert document.line(("z",)) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("2026-01-01", "2026-01-01"),
        ("12:30", "12:30"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("true", True),
        ("-7", -7),
        ("1.50", 1.5),
        ("'1.50'", "1.50"),
        ("!!str 1", "1"),
    ],
)
def test_plain_values_mean_what_editors_think_they_mean(text: str, value: object) -> None:
    assert parse(f"a: {text}\n", "f").value == {"a": value}


def test_aliases_and_merges_are_taken_and_own_keys_win() -> None:
    document = parse("x: &d {a: 1, b: 2}\nw: &t text\ny:\n  <<: *d\n  b: 3\n  c: *t\nz: {<<: [*d, {e: 5}]}\n", "f")
    assert document.problems == ()
    assert document.value["y"] == {"a": 1, "b": 3, "c": "text"}
    assert document.value["z"] == {"a": 1, "b": 2, "e": 5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n\tb: 2\n", "f:2: is no YAML: a tab indents this line → indent with spaces"),
        ("a: 1\nb: 2\na: 3\n", "f:3: `a` is written twice → keep one; the first is in line 1"),
        ("1: x\n", 'f:1: the key `1` is no text → write "1" in quotes'),
        ("? [a]\n: 1\n", "f:1: a key is no text → write `name: value`"),
        ("a: 1\n---\nb: 2\n", "f:2: a second document begins here → delete the line `---` and what follows it"),
        ("a: *b\n", "f:1: `*b` refers to nothing → write `&b` further up"),
        ("a: &x [*x]\n", "f:1: `*x` refers to nothing → write `&x` further up"),
        ("a: !!python/object:os.system x\n", "f:1: has a YAML tag, `!!python/object:os.system`"),
        ("a: !include x\n", "f:1: has a YAML tag, `!include`"),
        ("a: &d 1\nb: {<<: *d}\n", "f:2: `<<` merges something that is no mapping"),
        ("a: b: c\n", 'f:1: is no YAML: a second `: ` in this line → put the value in quotes: key: "a: b"'),
        ("a: @b\n", "f:1: is no YAML: found character that cannot start any token → put the value in quotes"),
        ("a: 'x\n", "f:2: is no YAML: found unexpected end of stream → close the quote"),
        ("a:\n  b: 1\n c: 2\n", "f:3: is no YAML: did not find expected key → indent this line as its neighbours are"),
        ("a: 1\nb: \x00\n", "f:2: has a control character (U+0000) → delete it"),
        ("[" * 70 + "]" * 70, "f:1: is nested more than 60 deep"),
        ("[" * 100_000, "f:1: is n"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_its_cure(text: str, said: str) -> None:
    assert any(problem.startswith(said) for problem in wrong(text)), wrong(text)


def test_several_mistakes_are_all_named() -> None:
    assert len(wrong("a: 1\na: 2\n3: x\nb: !x 1\nc: *d\n")) == 4


def test_aliases_that_would_fill_the_memory_are_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "once its aliases are written out" in wrong("\n".join(lines))[0]


def test_byte_order_marks_and_line_endings_do_not_count() -> None:
    text, problems = decode(b"\xef\xbb\xbfa: 1\r\nb: 2\rc: 3\n", "f")
    assert problems == ()
    assert parse(text, "f").value == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: 1\nb: \xff\n", "f:2: has bytes that are no UTF-8 → save it as UTF-8"),
        ("a: 1\n".encode("utf-16"), "f:1: is UTF-16 → save it as UTF-8"),
        (b"#" * (17 << 20), "f:1: is larger than 16 MiB"),
    ],
)
def test_bytes_that_are_no_text_are_named(data: bytes, said: str) -> None:
    assert [str(problem) for problem in decode(data, "f")[1]] == [said]


def test_a_file_that_cannot_be_had_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    assert read_text(tmp_path / "no", "no")[1][0].what == "there is no such file"
    assert read_document(tmp_path, "folder").problems[0].what.startswith("cannot be read")


def test_an_empty_file_is_nothing_and_no_mistake() -> None:
    for text in ("", "# only a comment\n", "\n\n"):
        document = parse(text, "f")
        assert (document.value, document.problems, document.line(("a",))) == (None, (), 1)


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12).filter(
    lambda text: text[:1] not in set("+-.0123456789")  # the writer knows YAML 1.1 only, where 0E0 is no number
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_TEXT.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_what_a_yaml_writer_writes_is_read_back_with_lines_inside_the_file(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    document = parse(text, "f")
    assert document.problems == ()
    assert document.value == value
    assert all(1 <= line <= text.count("\n") + 1 for line in document.lines.values())


@given(st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), unique=True, max_size=8), st.integers(0, 3))
def test_a_key_stands_on_the_line_it_is_written_on(keys: list[str], gap: int) -> None:
    text = "".join("\n" * gap + f"{key}: 0\n" for key in keys)
    document = parse(text, "f")
    lines = text.split("\n")
    assert all(lines[document.line((key,)) - 1] == f"{key}: 0" for key in keys)


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    document = parse(text, "f")
    assert document.value is None or not any("is no YAML" in str(problem) for problem in document.problems)
