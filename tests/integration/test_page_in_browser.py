"""The page of a trace in a real browser: search, fold, jump to the failure, light and dark, no complaint, no delay."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from long_runs import write_long
from sample_traces import write_full

from bot.trace.page.page import render

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here (apt-get install chromium)"),
    pytest.mark.timeout(180),
]
SHOWN = "[...document.querySelectorAll('.item:not([hidden])')].map((item) => item.id)"
HERE = "document.querySelector('.here')?.id ?? ''"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


def page(tmp_path: Path) -> Path:
    if not (tmp_path / "t.jsonl").exists():
        write_full(tmp_path / "t.jsonl")
    (tmp_path / "t.html").write_text(render(tmp_path / "t.jsonl"), encoding="utf-8")
    return tmp_path / "t.html"


def test_one_reads_it_with_the_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path))
    everything = browser.value(SHOWN)
    browser.press("j", "j")
    assert browser.value(HERE) == everything[1]
    browser.press("k")
    assert browser.value(HERE) == everything[0]
    browser.press("Enter")
    browser.until("document.querySelector('.here').open")
    browser.press("Enter")
    browser.until("!document.querySelector('.here').open")
    browser.press("f")
    failed = browser.value("[...document.querySelectorAll('.item.bad')].map((item) => item.id)")
    assert browser.value(HERE) == failed[0]
    assert browser.value("document.querySelector('.here').open")
    browser.press("f")
    assert browser.value(HERE) == failed[1]
    browser.press("F")
    assert browser.value(HERE) == failed[0]
    browser.press("e")
    assert browser.value("document.querySelectorAll('.item:not([open])').length") == 0
    browser.press("e")
    assert browser.value("document.querySelectorAll('.item[open]').length") == 0
    browser.press("?")
    assert browser.value("document.getElementById('keys').open")
    browser.press("Escape")
    browser.until("!document.getElementById('keys').open")
    assert browser.errors == []


def test_search_and_filters_leave_what_fits(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path))
    everything = browser.value(SHOWN)
    browser.press("2")
    assert browser.value(SHOWN) == browser.value(
        "[...document.querySelectorAll('.item[data-bad]')].map((item) => item.id)"
    )
    browser.press("1")
    assert browser.value(SHOWN) == everything
    browser.press("/", "Protected PATH")
    browser.until(f"{SHOWN}.length === 1")
    assert "1 of" in browser.value("document.getElementById('found').textContent")
    assert browser.value("document.querySelectorAll('.turn:not([hidden])').length") == 1
    browser.press("Enter")
    assert browser.value(HERE) == browser.value(SHOWN)[0]
    assert browser.errors == []


def test_an_address_with_a_line_opens_that_step(browser: Browser, tmp_path: Path) -> None:
    file = page(tmp_path)
    line = "#e6"
    browser.open(file, line)
    assert browser.value(HERE) == "e6"
    assert browser.value("document.querySelector('.here').open")
    assert browser.value(
        "(() => { const at = document.querySelector('.here').getBoundingClientRect(); return at.top >= 0 && at.top < innerHeight; })()"
    )


def test_an_address_within_a_step_opens_that_step_and_one_of_nothing_opens_none(
    browser: Browser, tmp_path: Path
) -> None:
    file = page(tmp_path)
    browser.open(file)
    ids = browser.value("[...document.querySelectorAll('.item')].map((item) => item.id)")
    seqs = [int(name[1:]) for name in ids if name[1:].isdigit()]
    first, last = next((one, other - 1) for one, other in itertools.pairwise(seqs) if other > one + 1)
    browser.open(file, f"#e{last}")
    assert browser.value(HERE) == f"e{first}"
    browser.open(file, "#nothing")
    assert browser.value("document.querySelector('.here') === null")
    assert browser.errors == []


def test_light_and_dark_and_a_window_as_wide_as_a_phone(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path))
    colour = "getComputedStyle(document.body).backgroundColor"
    light = browser.value(colour)
    browser.press("t")
    dark = browser.value(colour)
    assert light != dark
    browser.press("t")
    assert browser.value(colour) == light
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    browser.open(page(tmp_path))
    assert browser.value(colour) == dark
    browser.send("Emulation.setEmulatedMedia", features=[])
    browser.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    browser.open(page(tmp_path))
    browser.press("e")
    assert browser.value("document.documentElement.scrollWidth") <= 360
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_two_thousand_events_open_at_once(browser: Browser, tmp_path: Path) -> None:
    write_long(tmp_path / "t.jsonl", 2_000)
    (tmp_path / "t.html").write_text(render(tmp_path / "t.jsonl"), encoding="utf-8")
    browser.open(tmp_path / "t.html")
    assert browser.script_seconds() < 1.0
    assert browser.value(f"{SHOWN}.length") > 700
    browser.press("/", "module_3")
    browser.until("document.getElementById('found').textContent.includes(' of ')")
    assert browser.script_seconds() < 2.0
    assert browser.errors == []
