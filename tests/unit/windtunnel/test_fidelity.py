"""Two runs side by side."""

from __future__ import annotations

from bot.windtunnel.fidelity import Step, align, steps

LOOK = Step(kind="look", role="read_file")
RED = Step(kind="command", role="pytest", end="fails")
GREEN = Step(kind="command", role="pytest", end="passes")
WRITE = Step(kind="write", role="source", end="modified")
INSTALL = Step(kind="command", role="pip", end="passes")


def test_the_same_steps_are_wholly_alike() -> None:
    found = align([LOOK, RED, WRITE, GREEN], [LOOK, RED, WRITE, GREEN])
    assert found.fidelity == 1
    assert {move.kind for move in found.moves} == {"same"}


def test_nothing_in_common_is_zero() -> None:
    assert align([RED], [WRITE]).fidelity == 0
    assert align([], []).fidelity == 1


def test_what_only_the_real_run_did_is_what_the_profile_has_to_learn() -> None:
    found = align([RED, WRITE, GREEN], [INSTALL, RED, WRITE, RED, WRITE, GREEN])
    assert found.only_real == ("command pip passes", "command pytest fails", "write source modified")
    assert 0.6 < found.fidelity < 0.7


def test_an_end_that_differs_stands_in_one_line() -> None:
    (move,) = align([RED], [GREEN]).moves
    assert (move.kind, move.virtual, move.real) == ("differs", "command pytest fails", "command pytest passes")


def test_looking_around_weighs_little() -> None:
    assert align([RED, WRITE, GREEN], [LOOK, LOOK, RED, WRITE, GREEN]).fidelity > 0.9


def test_steps_leave_out_what_changes_from_run_to_run() -> None:
    lines = [
        {"event": "run_started"},
        {"event": "tool_requested", "tool": "read_file", "args": {}},
        {"event": "command_run", "command": "cd x && python -m pytest -q", "exit_code": 1, "phase": "agent"},
        {"event": "command_run", "command": "python -m pytest -q", "exit_code": 1, "phase": "verify"},
        {"event": "file_write", "path": "src/a.py", "change": "modified"},
        {"event": "file_write", "path": "tests/test_a.py", "change": "created"},
        {"event": "version_change", "bump": "patch"},
        {"event": "verification", "proven": True},
    ]
    assert [str(step) for step in steps(lines)] == [
        "look read_file",
        "command pytest fails",
        "write source modified",
        "write tests created",
        "version patch",
        "verified proven",
    ]
