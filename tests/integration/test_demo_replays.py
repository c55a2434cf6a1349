"""Every trace that the demo makes replays to the same end: all tools again, and the conversation alone, exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_world import World

from bot.cli import main as command_line
from bot.demo.act import playable
from bot.demo.run import play
from bot.task.recite import recite
from bot.task.store import find, read
from bot.virtual.plugin import find_virtual_fleet, read_virtual_fleet

pytestmark = pytest.mark.thorough


@pytest.mark.timeout(400)
def test_every_trace_of_the_demo_replays_to_the_same_end(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    play(
        folder,
        playable(read_virtual_fleet(find_virtual_fleet())),
        jobs=2,
        step=lambda task, step: None,
        done=lambda result: None,
    )
    places = find(folder / "proposals")
    assert len(places) >= 17

    def again(place: Path) -> tuple[str, int, bool]:
        repo = folder / "github" / f"{read(place).repo}.git"
        words = ["trace", "replay", str(place), "--repo", str(repo), "--network", "full"]
        return place.parent.name, command_line.run(words), recite(place / "execution_trace.jsonl").same

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(again, places))
    assert [end for end in ended if end[1:] != (0, True)] == []


def test_a_run_whose_model_failed_replays_to_the_same_failure(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    world.script("a", "list_files", "rules: [{when: {step: 0}, calls: [{list_files: {path: .}}]}]")
    row = world.run("list_files").task("a")
    assert row["outcome"] == "failed"
    for more in ([], ["--no-tools"]):
        done = world.fleet_bot("trace", "replay", row["trace"], "--json", *more)
        assert (done.code, done.json[0]["outcome"]) == (0, "failed"), done.out
