"""Traces of any length, with the real writer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sample_traces import command, finished, open_trace, started

from bot.base.values import Usage
from bot.trace import events as e


def turn(number: int, output: str = "line\n" * 40) -> Iterator[tuple[e.EventBody, int]]:
    """Eight events: the model speaks, edits a file and runs the tests, red each third time."""
    red = number % 3 == 0
    usage = Usage(prompt=2_000 + 40 * number, cached=1_500, output=120, thoughts=80, calls=1, cost_usd=0.004)
    text = ({"kind": "text", "text": f"Step {number}: I look at <b>module_{number % 17}</b> & go on."},)
    yield e.ModelRequested(contents=2 * number + 1), number
    yield e.ModelReplied(parts=text, raw=None, finish="stop", finish_raw="STOP", usage=usage, duration_ms=900), number
    args = {"path": f"src/module_{number % 17}.py", "old": f"return {number}", "new": f"return {number + 1}"}
    yield e.ToolRequested(call=f"{number}.0", tool="edit_file", args=args), number
    yield (
        e.FileWrite(
            path=str(args["path"]), change="modified", bytes=900, sha256_before="a" * 64, sha256_after="b" * 64,
            added=1, removed=1, call=f"{number}.0",
        ),
        number,
    )  # fmt: skip
    done = e.Clipped(text="edited", bytes=6)
    yield e.ToolCompleted(call=f"{number}.0", tool="edit_file", output=done, duration_ms=2), number
    yield e.ToolRequested(call=f"{number}.1", tool="run_shell_command", args={"command": "pytest -q"}), number
    tests = e.TestCounts(passed=20, failed=int(red))
    yield command("pytest -q", int(red), f"{number}.1", stdout=output, tests=tests), number
    shown = e.Clipped(text=output, bytes=len(output))
    yield e.ToolCompleted(call=f"{number}.1", tool="run_shell_command", output=shown, duration_ms=251), number


def write_long(path: Path, events: int, output: str = "line\n" * 40) -> e.Seal:
    """A run of about so many events."""
    sink = open_trace(path)
    sink.append(started())
    for number in range(1, max((events - 2) // 8, 1) + 1):
        for body, at in turn(number, output):
            sink.append(body, turn=at)
    sink.append(finished(usage=Usage(prompt=9, calls=1)))
    return sink.seal()
