"""What the trace costs: writing it, reading a very long one, and its page."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from long_runs import turn, write_long
from sample_traces import open_trace, started

from bot.base.clock import SystemClock
from bot.base.redact import Redactor
from bot.trace.page.page import render
from bot.trace.writer import TraceWriter

EVENTS_A_SECOND = 20_000
CHUNK = 2_000
LONG = 1_000_000
MOST_MEMORY = 150 << 20
MOST_PAGE = 3_000_000
SECRETS = ("AIza" + "k3y" * 11 + "ab", "ghp_" + "t0ken" * 7 + "x")


def test_writing_twenty_thousand_events_a_second(tmp_path: Path) -> None:
    sink = TraceWriter(tmp_path / "t.jsonl", run="c/p", redactor=Redactor(SECRETS), clock=SystemClock())
    events = [pair for number in range(1, 6_001) for pair in turn(number, "3 passed in 0.12s\n")]
    rates = []
    began = time.perf_counter()
    for chunk in chunks(events):
        start = time.perf_counter()
        for body, at in chunk:
            sink.append(body, turn=at)
        rates.append(len(chunk) / (time.perf_counter() - start))
    whole = len(events) / (time.perf_counter() - began)
    sink.close()
    # A machine that others use too is slow in between; what the code can do shows in the quickest part.
    print(
        f"\ntrace: {max(rates):,.0f} events/s with redaction, chain and flush (goal {EVENTS_A_SECOND:,}), {whole:,.0f} overall;"
    )
    print(
        f"       the same lines by the standard library's JSON, hashed and written, nothing else: {floor(tmp_path):,.0f}"
    )
    assert max(rates) >= EVENTS_A_SECOND


def chunks(events: list[Any]) -> Iterator[list[Any]]:
    return (events[at : at + CHUNK] for at in range(0, len(events), CHUNK))


def floor(folder: Path) -> float:
    """Lines a second without redaction and types."""
    with (folder / "t.jsonl").open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in itertools.islice(file, 5_000)]
    began = time.perf_counter()
    with (folder / "floor").open("wb", buffering=0) as out:
        for line in lines:
            hashlib.sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()
            out.write(json.dumps(line).encode() + b"\n")
    return len(lines) / (time.perf_counter() - began)


def test_a_million_events_are_verified_and_shown_in_constant_memory(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    began = time.perf_counter()
    sink = open_trace(trace)
    sink.append(started())
    for number in range(1, LONG // 8 + 1):
        for body, at in turn(number, "ok\n"):
            sink.append(body, turn=at)
    sink.close()
    print(
        f"\ntrace: {LONG:,} events, {trace.stat().st_size / 1e6:,.0f} MB, written in {time.perf_counter() - began:.0f} s"
    )
    for words in (["verify"], ["show"], ["show", "--only", "failed"]):
        began = time.perf_counter()
        peak = peak_memory([words[0], str(trace), *words[1:]])
        seconds = time.perf_counter() - began
        print(f"       {' '.join(words)}: {seconds:.1f} s, {LONG / seconds:,.0f} events/s, {peak / 1e6:.0f} MB at most")
        assert peak < MOST_MEMORY


def peak_memory(words: list[str]) -> int:
    """Bytes that `fleet-bot trace WORDS` held at most."""
    child = subprocess.Popen([sys.executable, "-P", "-m", "bot", "trace", *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in {0, 1}
    return usage.ru_maxrss * 1024


def test_the_page_of_two_thousand_events_is_small_and_opens_at_once(tmp_path: Path) -> None:
    write_long(tmp_path / "t.jsonl", 2_000, output="a line of some test\n" * 200)
    began = time.perf_counter()
    page = render(tmp_path / "t.jsonl")
    seconds = time.perf_counter() - began
    print(
        f"\npage: 2,000 events, {len(page.encode()) / 1e6:.2f} MB (goal {MOST_PAGE / 1e6:g}), made in {seconds:.2f} s"
    )
    assert len(page.encode()) < MOST_PAGE
    if CHROMIUM is None:
        pytest.skip("there is no chromium here (apt-get install chromium)")
    (tmp_path / "t.html").write_text(page, encoding="utf-8")
    with Browser(tmp_path / "profile") as browser:
        browser.open(tmp_path / "t.html")
        print(f"      {browser.script_seconds() * 1000:.0f} ms of script time in Chromium (goal 1,000)")
        assert browser.script_seconds() < 1
        assert browser.errors == []
