"""All that goes wrong with a model can be scripted, and reaches the real client as it does in real life."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from gemini_requests import KEY, Post, write
from google.genai import errors, types
from scripted_agent import MODEL, client, said, settings

from bot.virtual.gemini.server import VirtualGemini


def ask(gemini: VirtualGemini) -> types.GenerateContentResponse:
    model = client(gemini.url, KEY)
    return model.models.generate_content(model=MODEL, contents=[said("Go.")], config=settings("one", "fix_bug"))


def test_a_limit_says_how_long_to_wait_and_is_over_afterwards(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{status: 429, retry_after: 1.5, times: 2}, {say: Done.}]\n")
    for _ in range(2):
        with pytest.raises(errors.ClientError) as raised:
            ask(gemini)
        assert (raised.value.code, raised.value.status) == (429, "RESOURCE_EXHAUSTED")
        details = raised.value.details["error"]["details"]
        assert [item["retryDelay"] for item in details if item["@type"].endswith("RetryInfo")] == ["1.5s"]
    assert ask(gemini).text == "Done."


def test_faults_come_back_when_the_conversation_begins_anew(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{status: 503}, {say: Done.}]\n")
    for _ in range(2):
        with pytest.raises(errors.ServerError, match="503 UNAVAILABLE"):
            ask(gemini)
        assert ask(gemini).text == "Done."


@pytest.mark.parametrize(("status", "name"), [(500, "INTERNAL"), (401, "UNAUTHENTICATED"), (418, "UNKNOWN")])
def test_any_status_can_be_had(gemini: VirtualGemini, script: Path, status: int, name: str) -> None:
    write(script, f"rules: [{{status: {status}, message: As told.}}]\n")
    with pytest.raises(errors.APIError, match=rf"{status} {name}.*As told\."):
        ask(gemini)


def test_a_gateway_answers_in_html(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{status: 502, body: '<html>Bad Gateway</html>'}]\n")
    with pytest.raises(errors.ServerError, match="Bad Gateway"):
        ask(gemini)


def test_rubbish_with_status_200(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{body: '{\"candidates\": [', times: 1}]\n")
    with pytest.raises(json.JSONDecodeError):
        ask(gemini)


@pytest.mark.parametrize("finish", ["MALFORMED_FUNCTION_CALL", "SAFETY", "RECITATION", "UNEXPECTED_TOOL_CALL"])
def test_a_candidate_without_parts(gemini: VirtualGemini, script: Path, finish: str) -> None:
    write(script, f"rules: [{{finish: {finish}, message: 'print(1)'}}, {{say: Done.}}]\n")
    candidate = ask(gemini).candidates[0]
    assert candidate.finish_reason == finish
    assert candidate.content.parts is None
    assert ask(gemini).text == "Done."


def test_the_finish_message_is_on_the_wire(post: Post, script: Path, request_body: dict[str, Any]) -> None:
    write(script, "rules: [{finish: MALFORMED_FUNCTION_CALL, message: 'Malformed function call: print(1)'}]\n")
    assert post(request_body)[1]["candidates"][0]["finishMessage"] == "Malformed function call: print(1)"


def test_an_answer_that_was_cut_at_the_limit_of_tokens(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{finish: MAX_TOKENS, say: 'Half a sen'}]\n")
    reply = ask(gemini)
    assert (reply.candidates[0].finish_reason, reply.text) == (types.FinishReason.MAX_TOKENS, "Half a sen")


def test_an_empty_answer(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{finish: STOP}, {thinks: 'only thoughts'}, {say: Done.}]\n")
    for _ in range(2):
        reply = ask(gemini)
        assert reply.candidates[0].finish_reason == types.FinishReason.STOP
        assert not reply.candidates[0].content.parts
    assert ask(gemini).text == "Done."


def test_a_blocked_prompt_has_no_candidates(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{block: PROHIBITED_CONTENT}]\n")
    reply = ask(gemini)
    assert reply.candidates is None
    assert reply.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    assert reply.usage_metadata.prompt_token_count > 0


def test_a_slow_answer(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{slow: 0.3, say: Done.}]\n")
    began = time.monotonic()
    assert ask(gemini).text == "Done."
    assert time.monotonic() - began >= 0.3


def test_a_connection_that_breaks_in_the_middle(gemini: VirtualGemini, script: Path) -> None:
    write(script, "rules: [{cut: true, say: Never whole.}, {say: Done.}]\n")
    with pytest.raises(Exception, match=r"peer closed|incomplete|disconnected"):
        ask(gemini)
    assert ask(gemini).text == "Done."
