"""Gemini through the real SDK, against a strict server on loopback."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gemini_wire import KEY, Answer, Asleep, Drip, GeminiWire, Item, answer, error
from virtual_clock import VirtualClock

from bot.base.clock import SystemClock
from bot.base.errors import ConfigurationError, TaskFailed
from bot.base.messages import Attempt, Request, Text, Thought, ToolCall, ToolDeclaration, ToolResult, Turn
from bot.base.values import Usage
from bot.models.gemini import GeminiModel, Vertex
from bot.models.retry import Policy

TOOL = ToolDeclaration(
    name="read_file",
    description="Read a file.",
    parameters={"type": "object", "properties": {"path": {"type": "string", "description": "p"}}, "required": ["path"]},
)
ASK = Request(system="You maintain.", turns=(Turn(role="user", parts=(Text("Fix it."),)),), tools=(TOOL,))
PATIENT = 10_000.0


def make_model(server: GeminiWire, **more: Any) -> GeminiModel:
    return GeminiModel(
        **({"key": KEY, "name": "gemini-3.8-flash", "base_url": server.url, "clock": VirtualClock()} | more)
    )


@contextmanager
def serving(*script: Item, **more: Any) -> Iterator[tuple[GeminiWire, GeminiModel]]:
    with GeminiWire(script) as server:
        yield server, make_model(server, **more)
        assert not server.complaints


def ask(model: GeminiModel, request: Request = ASK, attempts: list[Attempt] | None = None) -> Any:
    return model.reply(request, deadline=PATIENT, on_attempt=[].append if attempts is None else attempts.append)


def test_tasks_side_by_side_share_a_model() -> None:
    """The first calls come at the same moment, and nobody's client is closed under somebody else."""
    with serving(*[answer({"text": "Done."})] * 8) as (server, model):
        together = threading.Barrier(8)
        wrong: list[BaseException] = []

        def call() -> None:
            together.wait()
            try:
                ask(model)
            except BaseException as error:  # noqa: BLE001
                wrong.append(error)

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(server.requests) == 8


# What is sent


def test_one_reply_is_one_request_with_all_that_belongs_to_it() -> None:
    with serving(answer({"text": "Done."})) as (server, model):
        ask(model)
    ((path, headers, body),) = server.requests
    assert path == "/v1beta/models/gemini-3.8-flash:generateContent"
    assert headers["x-goog-api-key"] == KEY
    assert headers["x-server-timeout"] == "300"
    assert body.pop("generationConfig") == {}  # the SDK's own, and empty
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Fix it."}]}],
        "systemInstruction": {"parts": [{"text": "You maintain."}]},
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "read_file", "description": "Read a file.", "parametersJsonSchema": TOOL.parameters}
                ]
            }
        ],
    }


def test_sampling_is_the_models_own_unless_it_is_set() -> None:
    with serving(answer({"text": "x"}), parameters={"temperature": 0.5, "seed": 7}) as (server, model):
        ask(model)
    assert server.requests[0][2]["generationConfig"] == {"temperature": 0.5, "seed": 7}
    assert model.identity.parameters == {"temperature": 0.5, "seed": 7}


def test_a_call_can_be_asked_for() -> None:
    with serving(answer({"text": "x"})) as (server, model):
        ask(model, Request(system="s", turns=ASK.turns, tools=(TOOL,), force_call=True))
    assert server.requests[0][2]["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


def test_results_go_back_with_name_id_and_what_they_are() -> None:
    turns = (
        *ASK.turns,
        Turn(role="model", parts=(ToolCall("a", {"x": 1}, "i1"), ToolCall("b", {}), Thought("hm"))),
        Turn(role="user", parts=(ToolResult("a", "out", "i1"), ToolResult("b", "no", is_error=True), Text("nudge"))),
    )
    with serving(answer({"text": "x"})) as (server, model):
        ask(model, Request(system="s", turns=turns, tools=()))
    body = server.requests[0][2]
    assert "tools" not in body
    assert body["contents"][1]["parts"] == [
        {"functionCall": {"id": "i1", "name": "a", "args": {"x": 1}}},
        {"functionCall": {"name": "b", "args": {}}},
        {"text": "hm", "thought": True},
    ]
    assert body["contents"][2]["parts"] == [
        {"functionResponse": {"id": "i1", "name": "a", "response": {"output": "out"}}},
        {"functionResponse": {"name": "b", "response": {"error": "no"}}},
        {"text": "nudge"},
    ]


def test_the_models_content_is_echoed_whole_signatures_and_unknown_parts_too() -> None:
    signature = base64.b64encode(bytes(range(251, 256)) + b"\0opaque").decode()
    parts = [
        {"text": "thinking", "thought": True},
        {"functionCall": {"id": "i1", "name": "read_file", "args": {"path": "a", "snake_case": 1.5, "camelCase": None}},
         "thoughtSignature": signature},
        {"futureKind": {"deep": [1, {"x": "ü"}]}, "thoughtSignature": "-__-"},
        {"text": ""},
    ]  # fmt: skip
    content = {"role": "model", "parts": parts, "futureField": True}
    first = answer() | {"candidates": [{"content": content, "finishReason": "STOP"}]}
    with serving(first, answer({"text": "Done."})) as (server, model):
        reply = ask(model)
        result = Turn(role="user", parts=(ToolResult("read_file", "x", "i1"),))
        ask(model, Request(system="s", turns=(*ASK.turns, reply.turn, result), tools=(TOOL,)))
    assert server.requests[1][2]["contents"][1] == content
    sent = server.requests[1][2]["contents"][1]["parts"][1]["thoughtSignature"]
    assert base64.b64decode(sent) == base64.b64decode(signature)
    assert reply.turn.calls == (ToolCall("read_file", parts[1]["functionCall"]["args"], "i1"),)  # type: ignore[index]


def test_a_content_without_a_role_is_echoed_as_the_models() -> None:
    body = answer() | {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}
    with serving(body) as (_, model):
        assert ask(model).turn.raw == {"role": "model", "parts": [{"text": "x"}]}


def test_our_own_cost_per_call_does_not_grow_with_the_history() -> None:
    turn = Turn(role="model", parts=(Text("x"),), raw={"role": "model", "parts": [{"text": "x" * 500}]})
    turns = (*ASK.turns, *(turn, ASK.turns[0]) * 300)
    with serving(answer({"text": "x"})) as (server, model):
        ask(model)
        began = time.perf_counter()
        ask(model, Request(system="s", turns=turns, tools=(TOOL,)))
        assert time.perf_counter() - began < 0.5  # 10 ms here; by the SDK's own types it would be 0.6 s
    assert len(server.requests[1][2]["contents"]) == 601


# What is understood


def test_usage_version_and_id_are_read() -> None:
    counts = {
        "promptTokenCount": 1000,
        "cachedContentTokenCount": 400,
        "candidatesTokenCount": 10,
        "thoughtsTokenCount": 20,
        "toolUsePromptTokenCount": 5,
        "totalTokenCount": 1035,
    }
    with serving(answer({"text": "x"}, usage=counts)) as (_, model):
        reply = ask(model)
    dollars = (1005 * 1.5 + 30 * 7.5) / 1e6
    assert reply.usage == Usage(
        prompt=1005, cached=400, output=10, thoughts=20, calls=1, cost_usd=pytest.approx(dollars)
    )
    assert (reply.model_version, reply.response_id) == ("gemini-3.8-flash-001", "response-1")
    assert reply.finish == "stop"
    assert not reply.usage_missing


@pytest.mark.parametrize(
    "counts",
    [{}, {"promptTokenCount": 0}, {"promptTokenCount": -5}, {"promptTokenCount": "many"}, [], {"totalTokenCount": 1}],
)
def test_usage_that_is_missing_or_nonsense_counts_as_the_upper_estimate(counts: Any) -> None:
    with serving(answer({"text": "x" * 100}, usage=counts)) as (_, model):
        reply = ask(model)
    assert reply.usage_missing
    assert reply.usage.estimated
    assert reply.usage.prompt > 100
    assert reply.usage.thoughts > 1000
    assert reply.usage.cost_usd > 0.05


def test_a_price_that_is_not_known_is_an_estimate() -> None:
    with serving(answer({"text": "x"}), name="gemini-99-ultra") as (_, model):
        reply = ask(model)
    assert reply.usage.estimated
    assert reply.usage.cost_usd > 0


def test_a_finish_message_is_kept() -> None:
    body = answer(finish="MALFORMED_FUNCTION_CALL", finishMessage="Malformed function call: print(\n x)")
    with serving(body) as (_, model):
        assert ask(model).finish_raw == "MALFORMED_FUNCTION_CALL: Malformed function call: print( x)"


def test_odd_calls_are_understood_as_far_as_they_go() -> None:
    parts: list[dict[str, Any]] = [
        {"functionCall": {}},
        {"functionCall": {"name": "f", "args": "x", "id": 3}},
        {"functionCall": None, "text": "t"},
        {"text": None},
        {"inlineData": {}},
    ]
    with serving(answer(*parts)) as (_, model):
        assert ask(model).turn.parts == (ToolCall("", {}), ToolCall("f", {}), Text("t"))


# Keys, places, versions


def test_without_a_key_there_is_no_model() -> None:
    for vertex in (None, Vertex()):
        with pytest.raises(ConfigurationError, match="no key"):
            GeminiModel(key=None, name="x", clock=VirtualClock(), vertex=vertex)


def test_the_key_is_nowhere_to_be_read() -> None:
    body = error(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}")
    with serving(Answer(400, body)) as (_, model):
        attempts: list[Attempt] = []
        with pytest.raises(ConfigurationError) as caught:
            ask(model, attempts=attempts)
    assert KEY not in f"{model!r} {caught.value} {attempts} {model.identity}"


def test_an_environment_that_says_otherwise_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "another-key")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    with serving(answer({"text": "x"})) as (server, model):
        ask(model)
    assert server.requests[0][0].startswith("/v1beta/models/")


def test_the_api_version_and_a_path_before_it_can_be_chosen() -> None:
    with serving(answer({"text": "x"}), api_version="v1") as (server, model):
        ask(model)
    assert server.requests[0][0].startswith("/v1/models/")


def test_vertex_with_a_key_goes_the_express_way() -> None:
    with serving(answer({"text": "x"}), vertex=Vertex()) as (server, model):
        ask(model)
    assert server.requests[0][0] == "/v1beta1/publishers/google/models/gemini-3.8-flash:generateContent"
    assert model.identity.adapter == "vertex"


def test_vertex_with_a_project_uses_the_accounts_own_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from google.auth import credentials

    class Fixed(credentials.Credentials):
        def refresh(self, request: Any) -> None:
            self.token = "ya29.test"

    monkeypatch.setattr("google.auth.default", lambda **_: (Fixed(), "acme"))
    with serving(answer({"text": "x"}), key=None, vertex=Vertex(project="acme", location="global")) as (server, model):
        ask(model)
    path, headers, _ = server.requests[0]
    assert path == "/v1beta1/projects/acme/locations/global/publishers/google/models/gemini-3.8-flash:generateContent"
    assert headers["authorization"] == "Bearer ya29.test"
    assert "x-goog-api-key" not in headers


def test_vertex_without_credentials_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    model = GeminiModel(
        key=None,
        name="x",
        clock=VirtualClock(),
        vertex=Vertex(project="a", location="b"),
        base_url="http://127.0.0.1:9",
    )
    with pytest.raises(ConfigurationError, match="credentials"):
        ask(model)


def test_an_address_that_is_none_is_a_configuration_error() -> None:
    model = GeminiModel(key=KEY, name="x", clock=VirtualClock(), base_url="http://[broken")
    with pytest.raises((ConfigurationError, TaskFailed)):
        ask(model)


# Waiting


def test_nobody_there_is_tried_again_and_then_given_up() -> None:
    clock = VirtualClock()
    attempts: list[Attempt] = []
    model = GeminiModel(key=KEY, name="x", base_url="http://127.0.0.1:9", clock=clock)
    with pytest.raises(TaskFailed, match="in 6 tries"):
        ask(model, attempts=attempts)
    assert [attempt.status for attempt in attempts] == [0] * 6
    assert [a.waited_seconds for a in attempts[:-1]] == clock.slept
    assert attempts[-1].waited_seconds == 0


def test_every_try_is_told_before_its_wait_and_stands_in_the_reply() -> None:
    busy = Answer(503, error(503, "UNAVAILABLE", "overloaded"))
    clock = VirtualClock()
    told: list[tuple[Attempt, int]] = []
    with serving(busy, busy, answer({"text": "x"}), clock=clock) as (_, model):
        reply = model.reply(ASK, deadline=PATIENT, on_attempt=lambda a: told.append((a, len(clock.slept))))
    assert [attempt for attempt, _ in told] == list(reply.attempts)
    assert [before for _, before in told] == [0, 1]
    assert "overloaded" in reply.attempts[0].cause


def test_a_wait_that_the_server_asks_for_is_honoured() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "27.5s"}
    slow = Answer(429, error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", info))
    later = Answer(503, error(503, "UNAVAILABLE", "later"), {"Retry-After": "40"})
    clock = VirtualClock()
    with serving(slow, later, answer({"text": "x"}), clock=clock) as (_, model):
        ask(model)
    assert 27.5 <= clock.slept[0] <= 31
    assert 40 <= clock.slept[1] <= 45


def test_waiting_counts_against_the_deadline() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "120s"}
    clock = VirtualClock()
    slow = Answer(429, error(429, "RESOURCE_EXHAUSTED", "busy", info))
    with serving(slow, clock=clock) as (server, model), pytest.raises(TaskFailed, match="are left for this task"):
        model.reply(ASK, deadline=clock.time + 60, on_attempt=lambda attempt: None)
    assert clock.slept == []
    assert len(server.requests) == 1


def test_after_the_deadline_nothing_is_sent() -> None:
    clock = VirtualClock()
    with serving(answer({"text": "x"}), clock=clock) as (server, model), pytest.raises(TaskFailed, match="time"):
        model.reply(ASK, deadline=clock.time, on_attempt=lambda attempt: None)
    assert server.requests == []


def test_the_same_seed_waits_the_same() -> None:
    def waits(seed: int) -> list[float]:
        clock = VirtualClock()
        busy = Answer(500, error(500, "INTERNAL", "x"))
        with serving(busy, clock=clock, seed=seed) as (_, model), pytest.raises(TaskFailed):
            ask(model)
        return clock.slept

    assert waits(1) == waits(1) != waits(2)


def test_a_server_that_drips_is_left_behind() -> None:
    once = Policy(attempts=1)
    drip = Drip(0.02, answer({"text": "x" * 5000}))
    with serving(drip, clock=SystemClock(), call_seconds=0.3, policy=once) as (_, model):
        began = time.monotonic()
        with pytest.raises(TaskFailed, match="not complete in time"):
            model.reply(ASK, deadline=began + 60, on_attempt=lambda attempt: None)
        assert time.monotonic() - began < 5


def test_a_server_that_says_nothing_is_left_behind_and_the_next_try_works() -> None:
    with serving(
        Asleep(1.5), answer({"text": "x"}), clock=SystemClock(), call_seconds=0.5, policy=Policy(first=0.01)
    ) as (
        _,
        model,
    ):
        reply = model.reply(ASK, deadline=time.monotonic() + 60, on_attempt=lambda attempt: None)
    assert reply.turn.text == "x"
    assert "in time" in reply.attempts[0].cause


def test_what_is_no_error_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answer({"text": "x"})) as (_, model):
        monkeypatch.setattr(model, "_post", lambda sent, seconds: json.nope)  # type: ignore[attr-defined]
        with pytest.raises(AttributeError):
            ask(model)


def test_a_redirect_is_not_followed_for_it_would_take_the_key_along() -> None:
    with GeminiWire([answer({"text": "x"})]) as elsewhere:
        there = {"Location": f"{elsewhere.url}/v1beta/models/x:generateContent"}
        with serving(Answer(307, b"", there)) as (_, model), pytest.raises(TaskFailed, match="307"):
            ask(model)
        assert elsewhere.requests == []
