"""What reaches the runner: no text of others ever becomes a command, an output or a summary of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from action_runs import read_outputs

from bot.gha.runner import Runner


def test_a_value_cannot_end_itself_and_set_another_output(tmp_path: Path) -> None:
    file = tmp_path / "output"
    evil = "x\nEOF\nchanged<<EOF\n99\nEOF\nchanged=99"
    Runner(output=file).set_outputs({"report": evil, "changed": "1"})
    assert read_outputs(file) == {"report": evil, "changed": "1"}


def test_two_values_never_have_the_same_delimiter(tmp_path: Path) -> None:
    file = tmp_path / "output"
    Runner(output=file).set_outputs({"a": "1", "b": "2"})
    marks = {line.partition("<<")[2] for line in file.read_text().splitlines() if "<<" in line}
    assert len(marks) == 2


def test_printed_text_lies_between_a_token_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    with Runner().quoting():
        print("::error::from a repository")
    first, middle, last = capsys.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert (middle, last) == ("::error::from a repository", f"::{token}::")
    assert len(token) == 32


def test_annotations_are_one_line_each_and_ten_of_a_kind(capsys: pytest.CaptureFixture[str]) -> None:
    Runner().annotate([("error", "a: b, c", "one\n::add-mask::x\r100%")] * 12 + [("warning", "w", "t")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "::error title=a%3A b%2C c::one%0A::add-mask::x%0D100%25"
    assert len(lines) == 11


def test_a_summary_is_cut_where_github_would_refuse_it(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    Runner(summary=file).summarise("é" * 700_000)
    data = file.read_bytes()
    assert len(data) <= 1 << 20
    assert "1 MiB" in data.decode()


def test_secrets_are_masked_as_they_are_and_as_a_header_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    Runner().mask(("s3cret", ""))
    assert capsys.readouterr().out.splitlines()[:2] == [
        "::add-mask::s3cret",
        "::add-mask::eC1hY2Nlc3MtdG9rZW46czNjcmV0",
    ]


def test_outside_of_actions_nothing_is_written() -> None:
    runner = Runner.of({})
    runner.set_outputs({"a": "b"})
    runner.summarise("x")
