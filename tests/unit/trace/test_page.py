"""A trace as one page: all of it there, foreign text inert, nothing loaded from anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from long_runs import write_long
from sample_traces import command, finished, open_trace, publishing, started, write_full

from bot.base.values import Usage
from bot.trace import events as e
from bot.trace.page.page import render
from bot.trace.page.story import MOST

HOSTILE = (
    "</pre></details><script>alert(1)</script><img src=x onerror=alert(1)>\" ' onload=alert(1) "
    "<style>*{display:none}</style><a href=javascript:alert(1)>x</a>{{ 7*7 }}{% raw %}&lt;<!--\x1b[31m\u202e\x00"
)
VOID = {"meta", "input", "br", "img", "link"}


class Page(HTMLParser):
    """A strict look at what the markup comes to."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def page_of(trace: Path, **more: object) -> Page:
    return Page(render(trace, **more))  # type: ignore[arg-type]


def test_the_page_tells_the_run_and_its_publishing(tmp_path: Path) -> None:
    seal = write_full(tmp_path / "t.jsonl")
    journal = open_trace(tmp_path / "p.jsonl", previous=seal.head)
    for body in publishing():
        journal.append(body)
    patch = b"diff --git a/src/x.py b/src/x.py\n--- a/src/x.py\n+++ b/src/x.py\n@@ -1 +1 @@\n-old\n+new\n"
    text = page_of(tmp_path / "t.jsonl", published=tmp_path / "p.jsonl", patch=patch, seal=seal).text
    for said in (
        "fix_bug", "slugger", "changed", "24 events, as sealed", "I look first.", "pytest -q", "exit 1, 2 passed, 1 failed",
        "a protected path", "no such file", "You repeat yourself.", "version 1.0.0 → 1.0.1", "proven", "t::new",
        "https://example.invalid/pull/12", "$0.0000", "overloaded", "+new", "-old",
    ):  # fmt: skip
        assert said in text, said


def test_nothing_on_the_page_comes_from_elsewhere(tmp_path: Path) -> None:
    write_full(tmp_path / "t.jsonl")
    text = render(tmp_path / "t.jsonl")
    policy = next(a["content"] for t, a in Page(text).tags if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag, attributes in Page(text).tags:
        assert not attributes.keys() & {"style", "src", "srcset", "action", "data"}, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("href", "#").startswith("#"), tag  # type: ignore[union-attr]


def test_hostile_text_stays_text_wherever_it_stands(tmp_path: Path) -> None:
    plain, hostile = tmp_path / "plain.jsonl", tmp_path / "hostile.jsonl"
    for file, word in ((plain, "word"), (hostile, HOSTILE)):
        sink = open_trace(file)
        sink.append(
            started(
                plugin=word, playbook=word, campaign=word, branch=word, prompt=word, system=word, variables={word: word}
            )
        )
        part = {"kind": "text", "text": word}
        sink.append(
            e.ModelReplied(parts=(part,), raw=None, finish="stop", finish_raw=word, usage=Usage(calls=1)), turn=1
        )
        sink.append(e.ToolRequested(call="1.0", tool=word, args={word: word, "path": word}), turn=1)
        sink.append(e.ToolFailed(call="1.0", tool=word, reason="not_found", message=word), turn=1)
        sink.append(command(word, 1, None, phase="verify", stdout=word, stderr=word, tests=e.TestCounts(failed=1)))
        sink.append(e.GuardRefused(call="9", tool=word, by="rule", rule=word, message=word))
        sink.append(e.VerificationDone(proven=False, reason=word, red_before=(word,), regressions=(word,)))
        sink.append(finished(outcome="blocked", reason=word, answer=word))
        sink.close()
    patch = f"diff --git a/{HOSTILE} b/x\n@@ -1 +1 @@\n+{HOSTILE}\n"
    mine = page_of(plain, patch=b"diff --git a/x b/x\n@@ -1 +1 @@\n+word\n")
    theirs = page_of(hostile, patch=patch.encode())
    assert [tag for tag, _ in theirs.tags] == [tag for tag, _ in mine.tags]
    assert "<script>alert(1)</script>" in theirs.text
    assert "{{ 7*7 }}" in theirs.text
    assert not re.search("[\x00\x1b\u202e]", theirs.text)


def test_two_thousand_events_are_less_than_three_megabytes_however_much_they_printed(tmp_path: Path) -> None:
    write_long(tmp_path / "t.jsonl", 2_000, output="<&>" * 2_600)
    text = render(tmp_path / "t.jsonl")
    assert len(text.encode()) < 3_000_000
    assert text.count('class="item') > 740
    assert "characters left out" in text


def test_of_a_very_long_run_both_ends_and_what_failed_are_kept(tmp_path: Path) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    sink.append(started())
    for number in range(1, 7_001):
        sink.append(command(f"step-{number}", int(number == 2_000), None, phase="script"), turn=number)
    sink.append(finished())
    sink.close()
    page = page_of(tmp_path / "t.jsonl")
    shown = [int(a["data-kind"] == "command") for t, a in page.tags if t == "details" and "data-kind" in a]
    assert len(shown) <= MOST
    assert "steps in the middle are left out" in page.text
    for number in (1, 2_000, 7_000):
        assert f"step-{number}" in page.texts


@pytest.mark.parametrize("lines", [1, 2, 5, 9])
def test_a_trace_that_a_kill_cut_says_so(tmp_path: Path, lines: int) -> None:
    write_full(tmp_path / "t.jsonl")
    whole = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_text("".join(whole[:lines]) + whole[lines][:20], encoding="utf-8")
    assert "unfinished" in page_of(tmp_path / "cut.jsonl").text


def test_an_altered_trace_says_so(tmp_path: Path) -> None:
    write_full(tmp_path / "t.jsonl")
    text = (tmp_path / "t.jsonl").read_text(encoding="utf-8").replace("I look first.", "I looked first.")
    (tmp_path / "t.jsonl").write_text(text, encoding="utf-8")
    assert "not what was written" in page_of(tmp_path / "t.jsonl").text
