"""`kill -9` at any moment: each trace that is left is a valid prefix, says so, and can be read by everything."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from small_world import World

pytestmark = pytest.mark.thorough

MEND = """
    ---
    id: mend
    version: 1.0.0
    summary: Works for a while.
    verification: {tests: none}
    pull_request: {title: Mended, body: Mended.}
    ---
    Work for a while.
    """
TURNS = 7
PLUGINS = 10
KILLS = 6
POINTS = 50


def rules() -> str:
    steps = [
        {
            "when": {"step": number},
            "calls": [
                {"write_file": {"path": f"f{number}", "content": f"{number}\n"}},
                {"run_shell_command": {"command": f"cat f{number}; seq {number * 700}; exit {number % 2}"}},
                {"read_file": {"path": "nowhere" if number % 3 else f"f{number}"}},
            ],
        }
        for number in range(TURNS)
    ]
    return json.dumps({"rules": [*steps, {"say": "Done."}]})


def kinds(trace: Path) -> list[tuple[str, int]]:
    whole = [line for line in trace.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return [(line["event"], line["turn"]) for line in map(json.loads, whole)]


def killed(world: World, out: Path, lines: int) -> list[Path]:
    """Start a run over all plugins and end it when its traces have so many lines together; the traces it leaves."""
    words = ["propose", "mend", "--out", str(out), "--jobs", str(PLUGINS), "--json"]
    with world.start(*words) as process:
        end = time.monotonic() + 60
        while sum(file.read_bytes().count(b"\n") for file in traces(out)) < lines and process.poll() is None:
            assert time.monotonic() < end, "the run does not get on"
            time.sleep(0.002)
        process.kill()
        process.communicate()
    return traces(out)


def traces(out: Path) -> list[Path]:
    return sorted(out.rglob("execution_trace.jsonl"))


@pytest.mark.timeout(240)
def test_a_run_that_is_killed_leaves_a_valid_prefix(world: World) -> None:
    world.playbook("mend", MEND)
    for number in range(PLUGINS):
        world.plugin(f"p{number}", {"README.md": "x\n"})
        world.script(f"p{number}", "mend", rules())
    whole = world.fleet_bot("propose", "mend", "p0", "--out", str(world.folder / "whole"), "--json")
    assert whole.code == 0, whole.err
    expected = kinds(Path(whole.task("p0")["trace"]))
    step = PLUGINS * len(expected) // (KILLS + 1)
    left = [file for n in range(1, KILLS + 1) for file in killed(world, world.folder / f"out{n}", n * step)]
    assert len(left) >= POINTS
    lengths = set()
    for trace in left:
        seen = kinds(trace)
        assert seen == expected[: len(seen)]
        lengths.add(len(seen))
        finished = len(seen) == len(expected)
        verdict = world.plain("trace", "verify", str(trace), "--json")
        assert (verdict.code, verdict.json[0]["ok"], verdict.json[0]["finished"]) == (int(not finished), True, finished)
        if not finished:
            assert "unfinished" in world.plain("trace", "verify", str(trace)).out
            if seen and seen[-1][0] == "tool_requested":
                assert verdict.json[0]["in_flight"]
        shown = world.plain("trace", "show", str(trace))
        assert shown.code == 0
        page = world.plain("trace", "html", str(trace))
        assert page.code == 0
        if not finished:
            assert "killed, or still going on" in shown.out
            assert "unfinished" in trace.with_suffix(".html").read_text(encoding="utf-8")
    assert len(lengths) > POINTS // 4, f"only {sorted(lengths)} lines: the kills came at the same points"
