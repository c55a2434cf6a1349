"""Two runs side by side."""

from __future__ import annotations

from pathlib import Path

from sample_traces import command, finished, open_trace, started

from bot.trace import events as e
from bot.trace.align import Alignment, align
from bot.trace.reader import read


def run(path: Path, *deeds: e.EventBody | tuple[str, str], **more: object) -> Path:
    sink = open_trace(path)
    sink.append(started(**more))
    for number, deed in enumerate(deeds, 1):
        if isinstance(deed, e.EventBody):
            sink.append(deed, turn=number)
        else:
            tool, target = deed
            sink.append(e.ToolRequested(call=f"{number}.0", tool=tool, args={"path": target}), turn=number)
            done = e.Clipped(text=f"{tool} {target}", bytes=1)
            sink.append(e.ToolCompleted(call=f"{number}.0", tool=tool, output=done, duration_ms=number), turn=number)
    sink.append(finished())
    sink.close()
    return path


def compare(a: Path, b: Path) -> Alignment:
    return align(read(a), read(b))


def kinds(found: Alignment) -> list[str]:
    return [move.kind for move in found.moves]


def test_the_same_run_twice_is_the_same_whatever_the_clock_said(tmp_path: Path) -> None:
    a = run(
        tmp_path / "a",
        ("read_file", "x"),
        command("pytest", 0, None, stdout="1 passed in 0.1s"),
        workspace="/w/1/workspace",
    )
    b = run(
        tmp_path / "b",
        ("read_file", "x"),
        command("pytest", 0, None, stdout="1 passed in 2.5s"),
        workspace="/w/2/workspace",
    )
    assert compare(a, b).same


def test_what_only_one_did_does_not_shift_the_rest(tmp_path: Path) -> None:
    a = run(tmp_path / "a", ("read_file", "x"), ("list_files", "."), ("edit_file", "y"), command("pytest", 0, None))
    b = run(tmp_path / "b", ("read_file", "x"), ("edit_file", "y"), command("pytest", 0, None), ("read_file", "z"))
    found = compare(a, b)
    assert kinds(found) == ["same", "only_a", "same", "same", "only_b"]
    assert [move.b.target for move in found.moves if move.kind == "only_b" and move.b] == ["z"]


def test_the_same_step_with_another_end_went_differently(tmp_path: Path) -> None:
    a = run(tmp_path / "a", command("pytest", 1, None), command("make", 0, None, stdout="one"))
    b = run(tmp_path / "b", command("pytest", 0, None), command("make", 0, None, stdout="two"))
    assert [(move.kind, move.how) for move in compare(a, b).moves] == [("differs", "result"), ("differs", "output")]


def test_the_same_tool_on_something_else_stands_side_by_side(tmp_path: Path) -> None:
    a = run(tmp_path / "a", ("read_file", "x"), ("edit_file", "old"))
    b = run(tmp_path / "b", ("read_file", "x"), ("edit_file", "new"))
    move = compare(a, b).moves[1]
    assert (move.kind, move.how) == ("differs", "target")
    assert move.a is not None
    assert move.b is not None
    assert (move.a.target, move.b.target) == ("old", "new")


def test_other_settings_and_another_end_are_told(tmp_path: Path) -> None:
    a, b = run(tmp_path / "a"), run(tmp_path / "b", model={"name": "other"}, base_sha="2" * 40)
    assert compare(a, b).settings.keys() == {"model", "base"}
