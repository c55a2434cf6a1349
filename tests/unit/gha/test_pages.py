"""All traces of a job in one file that a browser opens."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from small_playbooks import STAMP
from small_world import World

from bot.base.errors import WorldError
from bot.fleet.run import Result
from bot.gha.pages import write_pages
from bot.task import store


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, ...]:
    """Two finished runs."""
    with World(tmp_path_factory.mktemp("world")) as world:
        world.playbook("stamp", STAMP)
        for name in ("a", "b"):
            world.plugin(name, {"README.md": f"{name}\n"})
        assert world.run("stamp", "--dry-run").code == 0
        places = store.find(world.out)
    return tuple(Result(proposal=store.read(place), folder=str(place)) for place in places)


def test_one_trace_is_its_own_page(results: tuple[Result, ...], tmp_path: Path) -> None:
    file = tmp_path / "page" / "traces.html"
    assert write_pages(results[:1], file)
    text = file.read_text(encoding="utf-8")
    assert "<iframe" not in text
    assert "stamp" in text


def test_several_are_folded_each_in_a_frame_without_an_origin(results: tuple[Result, ...], tmp_path: Path) -> None:
    file = tmp_path / "traces.html"
    assert write_pages(results, file)
    text = file.read_text(encoding="utf-8")
    frames = re.findall(r'<iframe sandbox="([^"]*)" loading="lazy" srcdoc="([^"]*)">', text)
    assert [policy for policy, _ in frames] == ["allow-scripts", "allow-scripts"]
    assert all(html.unescape(page).startswith("<!doctype html>") for _, page in frames)
    assert re.findall(r"<summary>([^<]*)</summary>", text)[0] == "a: stamp, changed"


def test_where_there_is_none_no_file_is_written(tmp_path: Path) -> None:
    assert not write_pages((), tmp_path / "traces.html")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(results: tuple[Result, ...], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises((WorldError, OSError)):
        write_pages(results, tmp_path / "taken" / "traces.html")
