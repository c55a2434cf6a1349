"""The ways into the virtual Gemini: keys, routes, models, and the real SDK."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gemini_requests import KEY, Post, write
from google.genai import errors, types
from scripted_agent import MODEL, answered, calls_of, client, said, settings

from bot.virtual.gemini.server import VirtualGemini

TALK = "rules: [{times: 9, say: Done.}]\n"
TWO_STEPS = """\
rules:
  - when: {step: 0}
    thinks: Where is it?
    say: I look.
    calls: [{list_files: {path: .}}, {read_file: {path: README.md}}]
  - when: {result: {tool: read_file, matches: "^# (?P<title>.*)$"}}
    say: It is called ${title}.
"""


def test_a_wrong_key_is_refused_as_the_service_does(post: Post, request_body: dict[str, Any]) -> None:
    status, body = post(request_body, headers={"x-goog-api-key": "wrong"})
    assert (status, body["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert body["error"]["message"] == "API key not valid. Please pass a valid API key."
    assert body["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_no_key_is_refused(post: Post, request_body: dict[str, Any]) -> None:
    status, body = post(request_body, headers={})
    assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {KEY}"}, {"x-goog-api-key": KEY}])
@pytest.mark.parametrize("place", ["projects/p/locations/europe-west4/", ""])
def test_the_paths_of_vertex_are_there(
    post: Post, script: Path, request_body: dict[str, Any], headers: dict[str, str], place: str
) -> None:
    write(script, TALK)
    path = f"/v1beta1/{place}publishers/google/models/{MODEL}:generateContent"
    status, body = post(request_body, path=path, headers=headers)
    assert (status, body["candidates"][0]["content"]["parts"][0]["text"]) == (200, "Done.")
    assert post(request_body, path=path, headers={})[0] == 401
    assert post(request_body, path=path, headers={"Authorization": "Bearer wrong"})[0] == 401


def test_a_bearer_token_is_no_key_for_the_developer_api(post: Post, request_body: dict[str, Any]) -> None:
    assert post(request_body, headers={"Authorization": f"Bearer {KEY}"})[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/gpt-9:generateContent",
        "/v1/models/gemini-flash-latest:generateContent",
        f"/v1/models/{MODEL}:streamGenerateContent",
        f"/v1/models/{MODEL}",
        "/v1/models:generateContent",
        f"/v2/models/{MODEL}:generateContent",
        "/",
    ],
)
def test_what_is_not_there_is_not_found(post: Post, request_body: dict[str, Any], path: str) -> None:
    status, body = post(request_body, path=path)
    assert (status, body["error"]["status"]) == (404, "NOT_FOUND")


def test_models_are_listed_and_looked_up(post: Post, gemini: VirtualGemini) -> None:
    listing = client(gemini.url, KEY)
    names = [model.name for model in listing.models.list()]
    assert names[0] == f"models/{MODEL}"
    assert listing.models.get(model=MODEL).input_token_limit == 1_048_576
    assert post(b"", path="/v1/models/gemini-9", method="GET")[0] == 404
    assert post(b"", path=f"/v1beta/models/{MODEL}:countTokens", method="GET")[0] == 404


def test_tokens_are_counted(gemini: VirtualGemini) -> None:
    counting = client(gemini.url, KEY)
    few = counting.models.count_tokens(model=MODEL, contents="hello").total_tokens
    many = counting.models.count_tokens(model=MODEL, contents="hello" * 100).total_tokens
    assert 0 < few < many


def test_the_real_client_holds_a_conversation(gemini: VirtualGemini, script: Path) -> None:
    write(script, TWO_STEPS)
    model = client(gemini.url, KEY)
    config = settings("one", "fix_bug", thinking_config=types.ThinkingConfig(include_thoughts=True))
    contents = [said("What is it called?")]
    first = model.models.generate_content(model=MODEL, contents=contents, config=config)
    content = first.candidates[0].content
    assert [part.text for part in content.parts if part.thought] == ["Where is it?"]
    calls = calls_of(content)
    assert [call.name for call in calls] == ["list_files", "read_file"]
    assert content.parts[2].thought_signature
    assert content.parts[3].thought_signature is None
    contents += [content, answered(calls, [{"output": "README.md"}, {"output": "# slugger\n\nMakes slugs."}])]
    last = model.models.generate_content(model=MODEL, contents=contents, config=config)
    assert last.text == "It is called slugger."
    assert last.candidates[0].finish_reason == types.FinishReason.STOP
    assert (last.model_version, first.response_id != last.response_id) == (MODEL, True)
    assert [(call.status, call.step, call.rule) for call in gemini.requests] == [(200, 0, 1), (200, 1, 2)]
    assert gemini.unused() == {}


def test_the_same_request_gets_the_same_answer_with_the_same_usage(
    post: Post, script: Path, request_body: dict[str, Any]
) -> None:
    write(script, TALK)
    assert post(request_body) == post(request_body)


def test_usage_counts_prompt_cache_thoughts_and_output(post: Post, script: Path, request_body: dict[str, Any]) -> None:
    write(script, "rules: [{when: {step: 0}, calls: [{list_files: {}}]}, {thinks: So it is., say: Done.}]\n")
    request_body["contents"][0]["parts"][0]["text"] = "Fix it. " * 1000
    _, first = post(request_body)
    usage = first["usageMetadata"]
    assert usage["promptTokenCount"] > 2000
    assert "cachedContentTokenCount" not in usage
    content = first["candidates"][0]["content"]
    call = content["parts"][0]["functionCall"]
    result = {"functionResponse": {"id": call["id"], "name": call["name"], "response": {"output": ""}}}
    request_body["contents"] += [content, {"role": "user", "parts": [result]}]
    _, second = post(request_body)
    usage = second["usageMetadata"]
    assert 2000 < usage["cachedContentTokenCount"] < usage["promptTokenCount"]
    assert usage["thoughtsTokenCount"] > 0
    assert usage["totalTokenCount"] == (
        usage["promptTokenCount"] + usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    )


def test_connections_are_kept_alive_and_answers_come_at_once(
    gemini: VirtualGemini, script: Path, request_body: dict[str, Any]
) -> None:
    write(script, TALK)
    connection = HTTPConnection(urlsplit(gemini.url).netloc, timeout=10)
    try:
        connection.connect()
        socket, began = connection.sock, time.monotonic()
        for _ in range(20):
            path = f"/v1/models/{MODEL}:generateContent"
            connection.request("POST", path, json.dumps(request_body), {"x-goog-api-key": KEY})
            assert connection.getresponse().read()
        assert connection.sock is socket
        # With Nagle's algorithm against delayed acknowledgements it would be 40 ms a request.
        assert time.monotonic() - began < 0.8
    finally:
        connection.close()


def test_a_server_that_was_closed_does_not_answer_on_old_connections(
    script: Path, request_body: dict[str, Any]
) -> None:
    write(script, TALK)
    with VirtualGemini(lambda *_: script, key=KEY) as server:
        model = client(server.url, KEY)
        config = settings("one", "fix_bug")
        assert model.models.generate_content(model=MODEL, contents="hi", config=config).text == "Done."
    with pytest.raises(Exception, match=r"refused|disconnected|reset|Server"):
        model.models.generate_content(model=MODEL, contents="hi", config=config)


def test_requests_without_length_and_far_too_long_ones_are_refused(post: Post, gemini: VirtualGemini) -> None:
    path = f"/v1/models/{MODEL}:generateContent"
    assert post(b"", path=path, headers={"Content-Length": "30000000"})[0] == 400
    assert post(b"", path=path, headers={"Content-Length": "many"})[0] == 411


def test_a_plugin_without_answers_is_said(post: Post, request_body: dict[str, Any]) -> None:
    request_body["systemInstruction"]["parts"][0]["text"] = "Plugin: two\nPlaybook: fix_bug 1.0.0\n"
    status, body = post(request_body)
    assert status == 400
    assert "no answers for the playbook fix_bug on the plugin two" in body["error"]["message"]


def test_a_key_never_stands_in_the_log(gemini: VirtualGemini, script: Path) -> None:
    write(script, TALK)
    good, bad = client(gemini.url, KEY), client(gemini.url, "AIza-secret")
    assert good.models.count_tokens(model=MODEL, contents="x").total_tokens
    with pytest.raises(errors.ClientError):
        bad.models.count_tokens(model=MODEL, contents="x")
    assert KEY not in repr(gemini.requests)
    assert "AIza" not in repr(gemini.requests)
