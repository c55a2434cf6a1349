"""Scripts look at what the bot sends, and answer nothing that was not written for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gemini_requests import Post, write

from bot.virtual.gemini.server import VirtualGemini

Body = dict[str, Any]


def text_of(answer: Body) -> str:
    return "".join(part.get("text", "") for part in answer["candidates"][0]["content"]["parts"])


def follow(body: Body, answer: Body, *results: Body, nudge: str = "") -> Body:
    """The next request: the answer echoed, with a response to each call."""
    content = answer["candidates"][0]["content"]
    calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
    parts: list[Body] = [
        {"functionResponse": {"id": call["id"], "name": call["name"], "response": result}}
        for call, result in zip(calls, results, strict=True)
    ]
    parts += [{"text": nudge}] if nudge else []
    return body | {"contents": [*body["contents"], content, {"role": "user", "parts": parts}]}


def test_the_first_rule_that_fits_answers(post: Post, script: Path, request_body: Body) -> None:
    write(
        script,
        """
rules:
  - {when: {declares: fly}, say: undeclared}
  - {when: {prompt: {contains: Break}}, say: prompt}
  - {when: {system: {lacks: Playbook}}, say: system}
  - {when: {forced: true}, say: forced}
  - {when: {step: 1}, say: step}
  - {when: {told: {contains: hurry}}, say: told}
  - {when: {called: {tool: read_file}}, say: called}
  - when: {declares: [read_file, list_files], prompt: {matches: '(?P<verb>\\w+) it'}}
    say: You want ${verb}; ${no}.
""",
    )
    assert text_of(post(request_body)[1]) == "You want Fix; ${no}."


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"output": "3 passed"}, "green"),
        ({"output": "1 failed, 2 passed"}, "red"),
        ({"error": "no such file: 3 passed"}, "trouble: no such file: 3 passed"),
        ({"count": 7}, 'other: {"count":7}'),
        ({"output": {"deep": True}}, 'other: {"deep":true}'),
    ],
)
def test_an_answer_depends_on_what_a_tool_said(
    post: Post, script: Path, request_body: Body, result: Body, said: str
) -> None:
    write(
        script,
        """
rules:
  - {when: {step: 0}, calls: [{read_file: {path: a}}]}
  - {when: {result: {tool: read_file, contains: passed, lacks: failed, is_error: false}}, say: green}
  - {when: {result: {tool: read_file, contains: [failed, passed]}, called: {tool: read_file, contains: a}}, say: red}
  - {when: {result: {tool: read_file, is_error: true}}, say: "trouble: ${result}"}
  - {when: {result: {tool: read_file}}, say: "other: ${result}"}
""",
    )
    answer = post(request_body)[1]
    assert text_of(post(follow(request_body, answer, result))[1]) == said


def test_what_was_captured_goes_into_arguments(post: Post, script: Path, request_body: Body) -> None:
    write(
        script,
        """
rules:
  - {when: {step: 0}, calls: [{list_files: {path: .}}]}
  - when: {result: {tool: list_files, matches: "^(?P<file>.*[.]py)$"}}
    calls: [{read_file: {path: "${file}", start_line: 2}}]
""",
    )
    answer = post(follow(request_body, post(request_body)[1], {"output": "README.md\nsrc/a.py\n"}))[1]
    call = answer["candidates"][0]["content"]["parts"][0]["functionCall"]
    assert (call["name"], call["args"]) == ("read_file", {"path": "src/a.py", "start_line": 2})


def test_a_rule_is_used_up_by_the_turns_it_made(post: Post, script: Path, request_body: Body) -> None:
    write(script, "rules: [{times: 2, calls: [{list_files: {}}]}, {say: Enough.}]\n")
    body, calls = request_body, 0
    while True:
        answer = post(body)[1]
        if "text" in answer["candidates"][0]["content"]["parts"][0]:
            break
        body, calls = follow(body, answer, {"output": ""}), calls + 1
    assert (calls, text_of(answer)) == (2, "Enough.")


def test_a_rule_may_answer_a_nudge(post: Post, script: Path, request_body: Body) -> None:
    write(
        script,
        "rules:\n  - {when: {step: 0}, calls: [{list_files: {}}]}\n"
        "  - {when: {told: {contains: steps left}}, say: Hurrying.}\n",
    )
    answer = post(request_body)[1]
    assert text_of(post(follow(request_body, answer, {"output": ""}, nudge="2 steps left"))[1]) == "Hurrying."


def test_no_rule_that_fits_is_an_error_that_names_the_file_and_what_was_sent(
    post: Post, script: Path, request_body: Body
) -> None:
    write(script, "rules: [{when: {step: 0}, calls: [{list_files: {}}]}]\n")
    body = follow(request_body, post(request_body)[1], {"error": "x" * 900})
    status, answer = post(body)
    assert status == 400
    said = answer["error"]["message"]
    assert said.startswith(
        "one/answers/fix_bug.yaml: no rule fits what was sent (step 1, rules used: 1; list_files failed"
    )
    assert len(said) < 700


def test_the_prompt_is_named_when_no_rule_fits_the_first_request(post: Post, script: Path, request_body: Body) -> None:
    write(script, "rules: [{when: {step: 1}}]\n")
    assert "the user said 'Fix it.'; tools: read_file, list_files" in post(request_body)[1]["error"]["message"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("{fly: {}}", "rule 1 calls fly, which the bot does not offer."),
        ("{read_file: {file: a}}", "calls read_file with arguments that do not fit"),
        ("{read_file: {path: 3}}", "calls read_file with arguments that do not fit"),
    ],
)
def test_calls_that_do_not_fit_the_declared_tools_are_mistakes_of_the_script(
    post: Post, script: Path, request_body: Body, call: str, said: str
) -> None:
    write(script, f"rules: [{{calls: [{call}]}}]\n")
    status, answer = post(request_body)
    assert status == 400
    assert said in answer["error"]["message"]
    write(script, f"rules: [{{unchecked: true, calls: [{call}]}}]\n")
    assert post(request_body)[0] == 200


def test_only_allowed_tools_are_called(post: Post, script: Path, request_body: Body) -> None:
    write(script, "rules: [{times: 2, calls: [{list_files: {}}]}]\n")
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["read_file"]}}
    status, answer = post(request_body | {"toolConfig": config})
    assert (status, "which the bot does not offer" in answer["error"]["message"]) == (400, True)


def test_talk_is_a_mistake_where_the_bot_insists_on_a_call(post: Post, script: Path, request_body: Body) -> None:
    write(script, "rules: [{say: No.}]\n")
    status, answer = post(request_body | {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}})
    assert (status, "insists on a call" in answer["error"]["message"]) == (400, True)


def test_a_broken_script_is_an_error_with_file_and_line(post: Post, script: Path, request_body: Body) -> None:
    write(script, "rules:\n  - when: {}\n    sya: hello\n")
    status, answer = post(request_body)
    assert status == 400
    assert "fix_bug.yaml:2: Object contains unknown field `sya`" in answer["error"]["message"]
    script.unlink()
    assert "cannot read its answers" in post(request_body)[1]["error"]["message"]


def test_rules_that_never_answered_can_be_listed(
    post: Post, gemini: VirtualGemini, script: Path, request_body: Body
) -> None:
    write(script, "rules: [{when: {step: 5}, say: never}, {say: always}, {say: neither}]\n")
    assert gemini.unused() == {}
    post(request_body)
    assert gemini.unused() == {script: (1, 3)}


def test_a_thought_is_shown_only_to_those_who_ask(post: Post, script: Path, request_body: Body) -> None:
    write(script, "rules: [{times: 2, thinks: Hm., say: Done.}]\n")
    parts = post(request_body)[1]["candidates"][0]["content"]["parts"]
    assert parts[0] == {"text": "Hm.", "thought": True}
    assert list(parts[1]) == ["text", "thoughtSignature"]
    del request_body["generationConfig"]
    assert text_of(post(request_body)[1]) == "Done."
