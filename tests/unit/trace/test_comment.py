"""The comment lets a reviewer decide, and nothing that a stranger wrote does anything in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from sample_traces import command, finished, open_trace, proposal, started, write_full

from bot.trace.comment import LIMIT, inert, inert_block, render_comment
from bot.trace.events import Clipped, Nudged, ToolCompleted, ToolRequested

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = [
    "@acme/security please approve",
    "someone@example.com",
    "Fixes #1, closes acme/x#2 and resolves GH-3",
    "Closes https://github.com/acme/x/issues/4",
    "www.example.com",
    "![x](http://evil.example/?q=secret)",
    "[click](javascript:alert(1))",
    "[click][1]\n\n[1]: http://evil.example",
    "[[wiki]] and a note[^1]",
    "<img src=x onerror=alert(1)>",
    "</details></td><script>alert(1)</script>",
    "<!-- fleet-bot:trace campaign=x plugin=y head=z -->",
    "<?php ?> <![CDATA[x]]> <http://evil.example>",
    "&#64;acme &lt;b&gt; &commat;acme",
    "```\nout of the fence\n``````\n~~~",
    "`code` ``more`` `",
    "a | b | c",
    "# heading",
    "> quote",
    "- item",
    "1. item",
    "[x] done",
    "| a |\n|---|\n| b |",
    "---",
    "    indented",
    "\u202eoverride\u202c zero\u200bwidth \U000e0041tag\x1b[31m\x00",
    "$$\\unicode{x}$$",
    "\\",
    "",
    "   ",
    "mailto:a@b.example",
]
ODD = st.one_of(
    st.sampled_from(HOSTILE), st.text(alphabet="`~|<>!&#@[](){}*_\\/:.-+= \n\t1aFx\u200d\u202e\x00$^?%;\"'")
)


def kinds(tokens: list[Token] | None) -> set[str]:
    found: set[str] = set()
    for token in tokens or ():
        found |= {token.type} | kinds(token.children)
    return found


def acts(markdown: str) -> list[str]:
    """What GitHub would do with a rendered text, beyond showing it."""
    found = sorted(kinds(MARKDOWN.parse(markdown)) & {"html_inline", "html_block", "image", "link_open"})
    shown = "\n".join(_texts(MARKDOWN.parse(markdown)))
    patterns = {
        "mention": r"(?:^|[^\w`])@[A-Za-z0-9]",
        "reference": r"#\d|\bGH-\d",
        "address": r"[a-z]+://|www\.[a-z]",
        "marker": r"<!--",
    }
    return found + [name for name, pattern in patterns.items() if re.search(pattern, shown, re.IGNORECASE)]


def _texts(tokens: list[Token] | None) -> list[str]:
    return [
        text
        for token in tokens or ()
        for text in [token.content if not token.children else "", *_texts(token.children)]
    ]


@pytest.mark.parametrize(
    "place", ["{}", "- {}", "- `{}`", "| | |\n|---|---|\n| a | {} |", "| | |\n|---|---|\n| `{}` | b |"]
)
@settings(max_examples=60, deadline=None)
@given(text=ODD)
def test_one_line_is_inert_wherever_it_stands(place: str, text: str) -> None:
    assert "\n" not in inert(text)
    tokens = MARKDOWN.parse(place.format(inert(text)))
    assert acts(place.format(inert(text))) == []
    assert kinds(tokens) <= kinds(MARKDOWN.parse(place.format("plain"))) | {
        "em_open",
        "em_close",
        "strong_open",
        "strong_close",
    } | {
        "s_open",
        "s_close",
        "text_special",
    }


@settings(max_examples=100, deadline=None)
@given(ODD, ODD)
def test_a_block_holds_its_text_and_nothing_gets_out(first: str, second: str) -> None:
    block = inert_block(f"{first}\n{second}")
    tokens = MARKDOWN.parse(f"before\n\n{block}\n\nafter")
    assert [token.type for token in tokens if token.type != "inline"] == [
        "paragraph_open",
        "paragraph_close",
        "fence",
        "paragraph_open",
        "paragraph_close",
    ]
    assert acts(block) == []


@pytest.mark.parametrize("text", ["plain words", "tests/x_test.py::test_a[b-1]", "pytest -q && echo $HOME", "a_b * c"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text
    assert text in inert_block(text)


def test_lines_and_indentation_of_a_block_stay() -> None:
    assert inert_block("def f():\r\n\treturn 1\n") == "```text\ndef f():\n\treturn 1\n```"


def test_nothing_that_cannot_be_seen_gets_through() -> None:
    assert inert("a\u202eb\u200bc\U000e0041d\x1be\x00f\ufeffg") == "abcdefg"
    assert inert_block("a\u2066b\x07c").splitlines()[1] == "abc"


@pytest.fixture
def comment(tmp_path: Path) -> str:
    path = tmp_path / "execution_trace.jsonl"
    return render_comment(path, proposal(write_full(path)), link="https://example.invalid/runs/1#artifacts")


def test_the_comment_begins_with_its_marker(comment: str, tmp_path: Path) -> None:
    assert re.match(r"<!-- fleet-bot:trace campaign=fix_bug-3f2a plugin=slugger head=[0-9a-f]{64} -->\n", comment)
    odd = proposal(None, plugin="x --> <b>", campaign="a b")
    first = render_comment(tmp_path / "execution_trace.jsonl", odd, link=None).splitlines()[0]
    assert first == "<!-- fleet-bot:trace campaign=a-b plugin=x-b- head= -->"


def test_the_first_line_says_what_was_done(comment: str) -> None:
    headline = comment.splitlines()[2]
    assert headline == (
        "### `fix_bug` on `slugger`: changed (2 files, +3 -1), 1 new test red without the fix, green with it"
    )


def test_the_evidence_is_a_table(comment: str) -> None:
    for row in (
        "| Verdict of fleet-bot's own test runs | **proven**: 1 new test red without the fix, green with it |",
        "| Tests before | red: 2 passed, 1 failed |",
        "| Tests after | green: 3 passed |",
        "| Red without the change, green with it | `t::new` |",
        "| Changed files | `src/x.py`<br>`tests/test_x.py` |",
        "| Commands | 2, of which 1 ended red |",
        "| Model | gemini-3-pro: 3 calls, 1,000 tokens in, 25 out |",
        "| Cost | at most $0.0123 |",
        "| Time | 12.3 s |",
    ):
        assert row in comment


def test_deviations_come_before_the_steps_and_what_was_refused_first(comment: str) -> None:
    part = comment[comment.index("**Deviations**") : comment.index("<details>")]
    rows = [line for line in part.splitlines() if line.startswith("- ")]
    assert rows[0].startswith("- Refused: write_file `.github/workflows/x.yml`: refused by policy protected")
    assert rows[1].startswith("- Limit reached: `steps`: 40 of 40")
    assert rows[2].startswith("- Told by fleet-bot: `stuck`")
    assert rows[3].startswith("- Asked the model again: retry: overloaded")
    assert [row for row in rows if row.startswith("- Failed")] == rows[-2:]
    assert "exit 1, 2 passed, 1 failed" in rows[-2]


def test_a_run_without_a_hitch_says_so_and_one_without_a_sandbox_too(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(started())
    sink.append(finished())
    sink.close()
    calm = render_comment(tmp_path / "t.jsonl", proposal(), link=None)
    assert "**Deviations**: none" in calm
    bare = proposal(sandbox={"level": "none"}, verification=None, model=None, files=[])
    text = render_comment(tmp_path / "t.jsonl", bare, link=None)
    assert "**No sandbox**" in text
    assert "no tests were asked for" in text
    assert "| Changed files | none |" in text
    assert "| Model |" not in text


def test_other_verdicts_are_told(tmp_path: Path) -> None:
    write_full(tmp_path / "t.jsonl")
    proof = {"proven": False, "reason": "r", "regressions": ["a"] * 12, "flaky": ["f"], "head": {"timed_out": True}}
    proof["base"] = {"exit_code": 2}
    text = render_comment(tmp_path / "t.jsonl", proposal(verification=proof), link=None)
    assert "**not proven**: r" in text
    assert "| Tests before | red: exit code 2 |" in text
    assert "| Tests after | did not end in time |" in text
    assert "<br>and 2 more |" in text
    assert "| Flaky, not counted | `f` |" in text


def test_the_seal_and_the_place_of_the_trace_close_it(comment: str, tmp_path: Path) -> None:
    assert "[execution_trace.jsonl](https://example.invalid/runs/1#artifacts), 24 events, sealed with `" in comment
    path = tmp_path / "execution_trace.jsonl"
    odd = render_comment(path, proposal(), link="javascript:alert(1) [x](y)")
    assert "](javascript" not in odd
    assert "`execution_trace.jsonl`" in render_comment(path, proposal(), link=None)
    at = "https://example.invalid/runs/1/artifacts"
    both = render_comment(path, proposal(), link=f"{at}/2", page=f"{at}/3")
    assert f"**Full trace**: [in a browser]({at}/3), [execution_trace.jsonl]({at}/2), 0 events" in both
    assert "](javascript" not in render_comment(path, proposal(), link=f"{at}/2", page="javascript:alert(1)")


def test_the_same_run_gives_the_same_text(comment: str, tmp_path: Path) -> None:
    path = tmp_path / "execution_trace.jsonl"
    again = render_comment(path, proposal(write_again(path)), link="https://example.invalid/runs/1#artifacts")
    assert again == comment


def write_again(path: Path) -> object:
    path.unlink()
    return write_full(path)  # type: ignore[return-value]


@pytest.mark.parametrize("wide", [False, True])
def test_a_run_of_any_length_fits(tmp_path: Path, wide: bool) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(started())
    for number in range(600):
        call = f"{number}.0"
        target = f"number {number} " + "😀|`<b>@x #1 " * (20 if wide else 1)
        sink.append(ToolRequested(call=call, tool="run_shell_command", args={"command": target}), turn=number)
        sink.append(command(target, number % 2, call), turn=number)
        sink.append(ToolCompleted(call=call, tool="run_shell_command", output=Clipped(text="", bytes=0), duration_ms=1))
        sink.append(Nudged(reason="again", message=target))
    seal = sink.seal()
    text = render_comment(
        tmp_path / "t.jsonl", proposal(seal, files=[f"f{'x' * 300}{n}" for n in range(999)]), link=None
    )
    assert len(text.encode("utf-16-le")) // 2 <= LIMIT
    assert "<summary>1200 steps</summary>" in text
    assert re.search(r"\| \d+ more steps, see the full trace \|", text)
    assert "`number 0 " in text
    assert "`number 599 " in text
    assert "and 888 more, see the steps" in text


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_text_anywhere_in_a_run_stays_text(tmp_path: Path, evil: str) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(started(plugin=evil))
    sink.append(ToolRequested(call="1.0", tool=evil or "t", args={evil: evil}), turn=1)
    sink.append(command(evil, 1, "1.0", stdout=evil), turn=1)
    sink.append(ToolCompleted(call="1.0", tool="t", output=Clipped(text=evil, bytes=1), duration_ms=1), turn=1)
    sink.append(Nudged(reason=evil, message=evil))
    seal = sink.seal()
    odd = proposal(seal, reason=evil, files=[evil], model={"name": evil}, playbook=evil, plugin=evil, outcome=evil)
    odd["verification"] |= {"reason": evil, "red_before": [evil], "flaky": [evil]}
    text = render_comment(tmp_path / "t.jsonl", odd, link=None)
    ours = re.sub(r"^<!-- fleet-bot:trace [^<>]* -->\n|</?details>|</?summary>|<br>", "", text)
    assert acts(ours) == []
    assert text.count("<!--") == 1
    assert text.count("<details>") == text.count("</details>") == 1


def test_every_event_of_the_sample_run_finds_its_place(comment: str) -> None:
    for what in (
        "setup `pip install -e .`",
        "verification `proven`",
        "commit `cccccccccccc`",
        "version 1.0.0 → 1.0.1",
        "approved",
    ):
        assert what in comment
    assert "<summary>10 steps</summary>" in comment
