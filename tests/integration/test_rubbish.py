"""A model may answer anything. Each kind of rubbish is a plugin of its own, all in one campaign: every task ends in an
outcome with a reason, and nothing is published.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from once import once
from small_playbooks import EDIT_EVERY_FILE
from small_world import World

DONE = {"say": "All is well."}
HALF = json.dumps(
    {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "half \ud83d"}]}, "finishReason": "STOP", "index": 0}
        ],
        "modelVersion": "gemini-3.8-flash",
    }
)
WORK: list[dict[str, Any]] = [
    {"when": {"step": 0}, "calls": [{"edit_file": {"path": "a", "old": "old", "new": "new"}}]}
]


def call(name: str, **args: Any) -> dict[str, Any]:
    return {"calls": [{name: args}], "unchecked": True}


ANSWERS: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "html": ([{"body": "<html>busy</html>"}, DONE], "failed", "Nothing was changed"),
    "cut": ([{"cut": True, "say": "hello"}, DONE], "failed", "Nothing was changed"),
    "nothing": ([{}] * 6, "failed", "kept answering with nothing"),
    "malformed": ([{"finish": "MALFORMED_FUNCTION_CALL"}] * 6, "failed", "tool calls that cannot be read"),
    "safety": ([{"finish": "SAFETY"}] * 4, "failed", "blocked the model's answers"),
    "too-long": ([{"finish": "MAX_TOKENS", "say": "bla"}] * 6, "failed", "longer than its output limit"),
    "prompt": ([{"block": "PROHIBITED_CONTENT"}], "failed", "blocked the prompt"),
    "new-finish": ([{"finish": "SOMETHING_NEW", "say": "x"}] * 5, "failed", "kept ending early (SOMETHING_NEW)"),
    "no-such-tool": ([call("rm_rf", path="/")] * 8, "blocked", "in circles"),
    "wrong-arguments": ([call("edit_file", path=5, zzz=[1])] * 8, "blocked", "in circles"),
    "outside": ([call("write_file", path="../../x", content="x")] * 8, "blocked", "in circles"),
    "nul": ([call("write_file", path="a\0b", content="x"), {"say": "\0\x1b[31m"}], "failed", "Nothing was changed"),
    "only-talk": ([{"say": "I fixed it, all tests pass."}], "failed", "Nothing was changed"),
    "bad-request": ([{"status": 400}], "failed", "refused the request (400)"),
    "half": ([*WORK, {"body": HALF}], "changed", "no tests were run"),
}


def fly(folder: Path) -> dict[str, Any]:
    with World(folder) as world:
        world.playbook("edit", EDIT_EVERY_FILE)
        for name, (rules, _, _) in ANSWERS.items():
            world.plugin(name, {"a": "old\n"})
            world.script(name, "edit", json.dumps({"rules": rules}))
        done = world.run("edit", "--dry-run")
        return {"rows": {row["plugin"]: row for row in done.json["tasks"]}, "code": done.code, "err": done.err}


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The campaign, flown once however many workers look at it."""
    return once(tmp_path_factory, "rubbish", fly)


@pytest.mark.parametrize("plugin", ANSWERS)
def test_whatever_a_model_answers_the_task_ends_with_a_reason(flown: dict[str, Any], plugin: str) -> None:
    _, outcome, words = ANSWERS[plugin]
    row = flown["rows"][plugin]
    assert row["outcome"] == outcome, row["reason"]
    assert words in row["reason"]
    events = [json.loads(line) for line in Path(row["trace"]).read_text(encoding="utf-8").splitlines()]
    assert events[-1]["event"] == "run_finished"
    assert json.loads(Path(row["proposal"]).read_text(encoding="utf-8"))["outcome"] == outcome


def test_none_of_it_reaches_the_terminal_as_a_traceback_or_a_control_sequence(flown: dict[str, Any]) -> None:
    assert flown["code"] == 1
    assert "Traceback" not in flown["err"]
    assert "\x1b" not in flown["err"]
