"""A model that does not stop, does not count, or floods: every limit by itself ends the run, and nothing is published."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from agents import USAGE, calls, says
from arena import Arena, sh
from attack_table import attack

from bot.agent.loop import CALLS_PER_TURN
from bot.base.messages import Reply, Request
from bot.base.values import Limits, Usage
from bot.models.scripted import ScriptedModel


def endless(make: Callable[[int], Reply]) -> ScriptedModel:
    count = itertools.count()
    return ScriptedModel(lambda request: make(next(count)))


def write(number: int, **more: Any) -> Reply:
    return calls(("write_file", {"path": f"f{number}.txt", "content": "x\n"}), **more)


@attack(
    "41",
    "A model that never stops, repeats itself, costs ten times as much, or waits",
    "steps, tokens, money, time and the loop detector, each by itself",
)
@pytest.mark.parametrize(
    ("limits", "model", "name"),
    [
        (Limits(steps=3), endless(write), "steps"),
        (Limits(tokens=300), endless(write), "tokens"),
        (Limits(cost_usd=0.002), endless(write), "cost_usd"),
        (Limits(minutes=0.02), endless(lambda n: calls(sh("sleep 30"))), "minutes"),
        (Limits(), endless(lambda n: calls(("read_file", {"path": "README.md"}))), "stuck"),
        (Limits(), endless(lambda n: calls(("read_file", {"path": ["README.md", "calc.py"][n % 2]}))), "stuck"),
        (Limits(), endless(lambda n: calls(("no_such_tool", {}))), "stuck"),
        (Limits(cost_usd=0.5), endless(lambda n: write(n, usage=Usage(), usage_missing=True)), "cost_usd"),
    ],
)
def test_each_limit_stops_the_run(anywhere: Arena, limits: Limits, model: ScriptedModel, name: str) -> None:
    done = anywhere.attack(limits=limits, model=model)
    assert done.outcome == "blocked", done.reason
    assert done.named("limit_reached")[-1]["limit"] == name
    assert anywhere.publish(done).outcome == "blocked"
    # The work so far is kept beside the proposal.
    assert (done.folder / "changes.patch").exists()


@attack("42", "Replies without usage", "the upper estimate counts, never zero")
def test_missing_usage_is_not_free(anywhere: Arena) -> None:
    done = anywhere.attack(model=ScriptedModel([says("done", usage=Usage(), usage_missing=True)]))
    assert done.proposal.usage.estimated
    assert done.proposal.usage.total > 0
    assert done.proposal.usage.cost_usd > 0


ODD: list[tuple[str, Any]] = [
    ("no_such_tool", {}),
    ("", {}),
    ("x" * 10_000, {"y": "z"}),
    ("read_file", {}),
    ("read_file", {"path": 7}),
    ("read_file", {"path": None}),
    ("read_file", {"path": "README.md", "extra": 1}),
    ("read_file", {"path": "README.md", "start_line": "one"}),
    ("read_file", {"path": "README.md", "start_line": -(10**30)}),
    ("read_file", {"path": ["README.md"]}),
    ("read_file", {"path": "\ud800"}),
    ("write_file", {"path": "a", "content": {"deep": [[[[]]]]}}),
    ("write_file", {"path": "", "content": ""}),
    ("write_file", {"path": "a\ud800", "content": "\ud800"}),
    ("list_files", {"path": ".", "pattern": "**/" * 40 + "*" * 40}),
    ("list_files", {"pattern": "[z-a]"}),
    ("search_files", {"pattern": "(" * 500}),
    ("search_files", {"pattern": "-e --include=/etc/passwd", "path": "-r"}),
    ("search_files", {"pattern": "root", "path": "/etc/passwd"}),
    ("edit_file", {"path": "README.md", "old": "", "new": "x"}),
    ("edit_file", {"path": "README.md", "old": "A", "new": "B", "count": -1}),
    ("run_shell_command", {"command": ""}),
    ("run_shell_command", {"command": "a\0b"}),
    ("run_shell_command", {"command": "x" * 3_000_000}),
    ("run_shell_command", {"command": "echo \udcff\ud800"}),
    ("read_output", {"id": "../../x", "start_line": 10**12}),
]


@attack(
    "43",
    "Unknown tools, wrong and extra arguments, lone surrogates, globs and patterns without end",
    "an answer that the model can act on, never a crash",
)
@pytest.mark.parametrize("number", range(0, len(ODD), 9))
def test_odd_calls_are_answered(anywhere: Arena, number: int) -> None:
    part = ODD[number : number + 9]
    done = anywhere.attack(*part, ("write_file", {"path": "fine.txt", "content": "x\n"}))
    assert len(done.named("tool_requested")) == len(part) + 1
    assert len(done.told) == len(part) + 1
    assert done.outcome == "changed", done.reason
    assert "fine.txt" in done.proposal.files


@attack("43", "Forty calls in one turn", "the first sixteen are executed, all are answered")
def test_forty_calls(anywhere: Arena) -> None:
    done = anywhere.attack([("write_file", {"path": f"f{n}.txt", "content": "x\n"}) for n in range(40)])
    assert len(done.proposal.files) == CALLS_PER_TURN
    assert anywhere.model is not None
    last: Request = anywhere.model.requests[-1]
    assert len(last.turns[-1].parts) == 40


def test_usage_is_what_the_script_says() -> None:
    assert USAGE.total > 0
