"""A recorded run, answered from its trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from agents import calls, make_crew, says
from memory_sandbox import MemorySandbox
from memory_trace import MemoryTrace

from bot.agent.loop import run_loop
from bot.base.errors import TaskFailed
from bot.base.messages import Attempt, Reply, Request
from bot.models.replay import ReplayModel
from bot.models.scripted import ScriptedModel
from bot.ports import AttemptListener
from bot.trace.events import ModelRetried, RunStarted

FILES: dict[str, bytes | str] = {"a.txt": "one\n"}


class Flaky(ScriptedModel):
    def reply(self, request: Request, *, deadline: float, on_attempt: AttemptListener) -> Reply:
        on_attempt(Attempt(status=503, cause="busy", waited_seconds=2.0))
        return super().reply(request, deadline=deadline, on_attempt=on_attempt)


def script() -> list[Reply | Exception]:
    return [calls(("read_file", {"path": "a.txt"})), says("", finish="empty"), says("Done.")]


def write(trace: MemoryTrace, file: Path) -> Path:
    """The lines of a trace as far as replay reads them."""
    lines = []
    for number, (turn, body) in enumerate(trace.lines, 1):
        head = {"v": 1, "seq": number, "time": "2026-11-11T10:00:00.000000Z", "run": "c/p", "turn": turn}
        lines.append(json.dumps(head | msgspec.to_builtins(body) | {"prev": "", "hash": ""}))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def events(file: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name not in {"seq", "duration_ms"}} for line in lines]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    crew = make_crew(Flaky(script()), MemorySandbox(FILES))
    crew.trace.append(
        RunStarted(
            plugin="p", playbook="x", playbook_version="1", playbook_hash="", campaign="c", variables={}, base_sha="",
            branch="b", model={"adapter": "gemini", "name": "gemini-3.8-flash", "endpoint": "e", "parameters": {}},
            sandbox={}, limits={},
        )
    )  # fmt: skip
    run_loop(crew)
    return write(crew.trace, tmp_path / "trace.jsonl")  # type: ignore[arg-type]


def test_a_run_replays_to_the_same_events_without_a_model(recorded: Path) -> None:
    model = ReplayModel(recorded)
    assert (model.identity.adapter, model.identity.name) == ("replay", "gemini-3.8-flash")
    crew = make_crew(model, MemorySandbox(FILES))
    assert run_loop(crew).answer == "Done."
    assert model.left == 0
    again = write(crew.trace, recorded.with_name("again.jsonl"))  # type: ignore[arg-type]
    assert events(again) == events(recorded)[1:]
    assert len(crew.trace.all(ModelRetried)) == 3  # type: ignore[attr-defined]


def test_another_way_is_a_divergence(recorded: Path) -> None:
    model = ReplayModel(recorded)
    request = Request(system="", turns=(), tools=())
    with pytest.raises(TaskFailed, match="diverged"):
        model.reply(request, deadline=1e9, on_attempt=lambda attempt: None)
    assert model.left == 3


def test_one_request_too_many_is_a_divergence_and_leftovers_are_counted(recorded: Path) -> None:
    model = ReplayModel(recorded)
    run_loop(make_crew(model, MemorySandbox(FILES)))
    with pytest.raises(TaskFailed, match="not in the trace"):
        run_loop(make_crew(model, MemorySandbox(FILES)))


def test_a_request_that_got_no_reply_gets_none(tmp_path: Path) -> None:
    crew = make_crew(
        ScriptedModel([calls(("read_file", {"path": "a.txt"})), TaskFailed("no model")]), MemorySandbox(FILES)
    )
    with pytest.raises(TaskFailed):
        run_loop(crew)
    model = ReplayModel(write(crew.trace, tmp_path / "t"))  # type: ignore[arg-type]
    with pytest.raises(TaskFailed, match="got no reply"):
        run_loop(make_crew(model, MemorySandbox(FILES)))
