"""The virtual Gemini refuses what the real one refuses, so that no mistake of ours goes unseen until production."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gemini_requests import Post, write

Body = dict[str, Any]

RULES = """\
rules:
  - {when: {step: 0}, calls: [{list_files: {path: .}}, {read_file: {path: a}}]}
  - {times: 9, say: Done.}
"""


@pytest.fixture(autouse=True)
def _rules(script: Path) -> None:
    write(script, RULES)


@pytest.fixture
def second(post: Post, request_body: Body) -> Body:
    """A request with one turn of the model, answered rightly."""
    content = post(request_body)[1]["candidates"][0]["content"]
    parts = [
        {"functionResponse": {"id": part["functionCall"]["id"], "name": part["functionCall"]["name"], "response": {}}}
        for part in content["parts"]
    ]
    return request_body | {"contents": [*request_body["contents"], content, {"role": "user", "parts": parts}]}


def refusal(post: Post, body: Body) -> str:
    status, answer = post(body)
    assert status == 400, answer
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    return str(answer["error"]["message"])


def test_the_right_request_is_answered(post: Post, second: Body) -> None:
    assert post(second)[0] == 200


@pytest.mark.parametrize(
    ("place", "name", "said"),
    [
        (lambda body: body, "generation_config_", "Unknown name"),
        (lambda body: body["contents"][0], "name", "Unknown name \"name\" at 'contents[0]': Cannot find field."),
        (lambda body: body["contents"][0]["parts"][0], "inlineData", "Unknown name"),
        (lambda body: body["tools"][0], "googleSearch", "Unknown name"),
        (lambda body: body["generationConfig"]["thinkingConfig"], "thinkingBudgets", "Unknown name"),
    ],
)
def test_unknown_fields_are_refused(
    post: Post, request_body: Body, place: Callable[[Body], Body], name: str, said: str
) -> None:
    place(request_body)[name] = {}
    assert said in refusal(post, request_body)


def test_both_spellings_are_accepted_but_not_at_once(post: Post, request_body: Body) -> None:
    tool = request_body["tools"][0]["functionDeclarations"][0]
    tool["parametersJsonSchema"] = tool.pop("parameters_json_schema")
    request_body["generation_config"] = request_body.pop("generationConfig")
    request_body["system_instruction"] = request_body.pop("systemInstruction")
    assert post(request_body)[0] == 200
    request_body["systemInstruction"] = request_body["system_instruction"]
    assert "is given twice" in refusal(post, request_body)


def test_keys_inside_of_schemas_and_arguments_are_left_alone(post: Post, request_body: Body) -> None:
    schema = request_body["tools"][0]["functionDeclarations"][0]["parameters_json_schema"]
    schema["properties"]["start_line_x"] = {"type": "integer", "any_key_at_all": 1}
    assert post(request_body)[0] == 200


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "Invalid JSON payload"),
        (b'"x"', "Invalid JSON payload"),
        (b'{"contents": "\xff"}', "Invalid JSON payload"),
    ],
)
def test_what_is_no_request_is_refused(post: Post, raw: bytes, said: str) -> None:
    status, body = post(raw)
    assert status == 400
    assert said in body["error"]["message"]


def change(body: Body, *path: Any, to: Any) -> None:
    for key in path[:-1]:
        body = body[key]
    body[path[-1]] = to


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("contents",), [], "contents is not specified"),
        (("contents", 0, "role"), "assistant", "valid role: user, model"),
        (("contents", 0, "role"), "tool", "valid role: user, model"),
        (("contents", 0, "role"), "model", "alternate between user and model"),
        (("contents", 0, "parts"), [], "parts must not be empty"),
        (("contents", 0, "parts"), [{}], "must have one initialized field"),
        (("contents", 0, "parts"), [{"text": "a", "functionCall": {"name": "b"}}], "must have one initialized field"),
        (("contents", 0, "parts"), [{"functionCall": {"name": "b"}}], "a user turn must not hold a function call"),
        (("contents", 0, "parts"), [{"functionResponse": {"name": "b", "response": {}}}], "immediately after"),
        (("tools", 0, "functionDeclarations", 1, "name"), "read_file", "Duplicate function declaration"),
        (("tools", 0, "functionDeclarations", 1, "name"), "two words", "matching regex"),
        (("tools", 0, "functionDeclarations", 0, "parameters"), {}, "mutually exclusive"),
        (("toolConfig",), {"functionCallingConfig": {"mode": "SOMETIMES"}}, "Invalid enum value"),
        (("toolConfig",), {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["x"]}}, "not declared"),
        (("generationConfig", "temperature"), 3, "Expected `float` <= 2"),
        (("generationConfig", "maxOutputTokens"), 0, "Expected `int` >= 1"),
        (("systemInstruction", "parts", 0, "text"), "Hello.", "finds no lines"),
    ],
)
def test_a_first_request_that_is_wrong_is_refused(
    post: Post, request_body: Body, path: tuple[Any, ...], to: Any, said: str
) -> None:
    change(request_body, *path, to=to)
    assert said in refusal(post, request_body)


def test_the_last_turn_is_the_users(post: Post, second: Body) -> None:
    second["contents"].pop()
    assert "end with a user role" in refusal(post, second)


def test_every_call_gets_a_response(post: Post, second: Body) -> None:
    second["contents"][2]["parts"].pop()
    assert "number of function response parts" in refusal(post, second)


def test_talk_instead_of_responses_is_refused(post: Post, second: Body) -> None:
    second["contents"][2]["parts"] = [{"text": "Go on."}]
    assert "number of function response parts" in refusal(post, second)


def test_responses_come_in_the_order_of_the_calls(post: Post, second: Body) -> None:
    second["contents"][2]["parts"].reverse()
    assert "in the order of the calls" in refusal(post, second)


@pytest.mark.parametrize("field", ["id", "name"])
def test_a_response_carries_name_and_id_of_its_call(post: Post, second: Body, field: str) -> None:
    second["contents"][2]["parts"][0]["functionResponse"][field] = "other"
    assert "does not answer the function call" in refusal(post, second)


def test_a_missing_signature_is_refused(post: Post, second: Body) -> None:
    del second["contents"][1]["parts"][0]["thoughtSignature"]
    said = refusal(post, second)
    assert "missing a thought_signature" in said
    assert "`default_api:list_files`, position 2" in said


def test_a_missing_signature_of_an_earlier_turn_is_none_of_the_servers_business(post: Post, second: Body) -> None:
    answer = post(second)[1]["candidates"][0]["content"]
    del second["contents"][1]["parts"][0]["thoughtSignature"]
    second["contents"] += [answer, {"role": "user", "parts": [{"text": "And now?"}]}]
    assert post(second)[0] == 200


def test_a_signature_may_come_back_in_either_alphabet_with_or_without_padding(post: Post, second: Body) -> None:
    part = second["contents"][1]["parts"][0]
    data = base64.b64decode(part["thoughtSignature"])
    for text in (base64.urlsafe_b64encode(data).decode(), base64.b64encode(data).decode().rstrip("=")):
        part["thoughtSignature"] = text
        assert post(second)[0] == 200


@pytest.mark.parametrize(
    "changed",
    [
        lambda data: data[:-1],
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"skip_thought_signature_validator",
        lambda data: b"",
    ],
)
def test_a_changed_signature_is_refused(post: Post, second: Body, changed: Callable[[bytes], bytes]) -> None:
    part = second["contents"][1]["parts"][0]
    part["thoughtSignature"] = base64.b64encode(changed(base64.b64decode(part["thoughtSignature"]))).decode()
    assert "Corrupted thought signature" in refusal(post, second)


def test_a_signature_that_is_no_base64_is_refused(post: Post, second: Body) -> None:
    second["contents"][1]["parts"][0]["thoughtSignature"] = "***"
    assert "Base64 decoding failed" in refusal(post, second)


def test_a_signature_belongs_to_the_calls_it_came_with(post: Post, second: Body) -> None:
    second["contents"][1]["parts"][0]["functionCall"]["args"]["path"] = "elsewhere"
    assert "not those that it was made for" in refusal(post, second)


def test_a_turn_does_not_come_back_with_more_signatures_than_it_had(post: Post, second: Body) -> None:
    parts = second["contents"][1]["parts"]
    parts[1]["thoughtSignature"] = parts[0]["thoughtSignature"]
    assert "more of them than it had" in refusal(post, second)
