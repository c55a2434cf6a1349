"""What every model behind the port does, whatever stands behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from agents import make_crew
from gemini_wire import KEY, GeminiWire, answer
from memory_sandbox import MemorySandbox
from virtual_clock import VirtualClock

from bot.agent.loop import run_loop
from bot.base.errors import TaskFailed
from bot.base.messages import Reply, Request, Text, ToolCall, Turn
from bot.models.gemini import GeminiModel
from bot.models.replay import ReplayModel
from bot.models.retry import Policy
from bot.models.scripted import ScriptedModel
from bot.models.wire import reply as understood
from bot.ports import Model, ModelId

CALL = {"functionCall": {"id": "i1", "name": "read_file", "args": {"path": "a.txt"}}, "thoughtSignature": "AAFv_w=="}
CONVERSATION: list[dict[str, Any]] = [
    answer({"text": "Let me see.", "thought": True}, CALL, {"futureKind": 1}),
    answer({"text": "Done."}),
]
FILES: dict[str, bytes | str] = {"a.txt": "one\n"}
FOREVER = 1e9

Maker = Callable[[], Model]


@pytest.fixture(params=["gemini", "scripted", "replay"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Model]:
    """The same conversation behind each implementation."""
    replies = [understood(body) for body in CONVERSATION]
    if request.param == "scripted":
        yield ScriptedModel(replies)
    elif request.param == "replay":
        crew = make_crew(ScriptedModel(replies), MemorySandbox(FILES))
        run_loop(crew)
        lines = [
            {"v": 1, "seq": n, "time": "2026-11-11T10:00:00.000000Z", "run": "c/p", "turn": turn}
            | msgspec.to_builtins(body)
            | {"prev": "", "hash": ""}
            for n, (turn, body) in enumerate(crew.trace.lines, 1)  # type: ignore[attr-defined]
        ]
        trace = tmp_path / "trace.jsonl"
        trace.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        yield ReplayModel(trace)
    else:
        over = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "The script is over."}}
        from gemini_wire import Answer

        with GeminiWire([*CONVERSATION, Answer(400, over)]) as server:
            yield GeminiModel(key=KEY, name="x", base_url=server.url, clock=VirtualClock(), policy=Policy(attempts=1))
            assert not [c for c in server.complaints if "roles" not in c]


def ask(model: Model, turns: tuple[Turn, ...]) -> Reply:
    request = Request(system="s", turns=turns, tools=())
    return model.reply(request, deadline=FOREVER, on_attempt=lambda attempt: None)


def test_a_whole_run_works(model: Model) -> None:
    crew = make_crew(model, MemorySandbox(FILES))
    end = run_loop(crew)
    assert end.answer == "Done."
    assert end.usage.calls == 2
    assert end.usage.prompt == 240


def test_it_says_who_it_is(model: Model) -> None:
    assert isinstance(model.identity, ModelId)
    assert model.identity.name


def test_a_reply_has_neutral_parts_and_the_content_to_echo(model: Model) -> None:
    reply = ask(model, (Turn(role="user", parts=(Text("go"),)),))
    assert reply.finish == "stop"
    assert reply.turn.role == "model"
    assert reply.turn.calls == (ToolCall("read_file", {"path": "a.txt"}, "i1"),)
    assert reply.turn.text == ""
    assert reply.turn.raw == CONVERSATION[0]["candidates"][0]["content"]
    assert reply.usage.prompt == 120
    assert not reply.usage_missing


def test_a_conversation_that_is_over_is_an_outcome_and_no_crash(model: Model) -> None:
    run_loop(make_crew(model, MemorySandbox(FILES)))
    with pytest.raises(TaskFailed) as error:
        run_loop(make_crew(model, MemorySandbox(FILES)))
    assert error.value.what.endswith(".")
