"""Gemini's JSON, both ways, without the SDK: what we send, and what an answer means.

A model's content is kept as the JSON it came as and sent back as that: the SDK's own types drop what they do not know.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from bot.agent.unusable import PROMPT_BLOCKED
from bot.base.messages import Finish, Part, Reply, Request, Text, Thought, ToolCall, ToolResult, Turn
from bot.base.values import Usage

FINISHES: dict[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "max_tokens",
    "CONTINUATION": "max_tokens",
    "MALFORMED_FUNCTION_CALL": "malformed_call",
    "MALFORMED_RESPONSE": "malformed_call",
    "UNEXPECTED_TOOL_CALL": "unexpected_call",
    "TOO_MANY_TOOL_CALLS": "unexpected_call",
    "SAFETY": "blocked",
    "RECITATION": "blocked",
    "LANGUAGE": "blocked",
    "BLOCKLIST": "blocked",
    "PROHIBITED_CONTENT": "blocked",
    "SPII": "blocked",
    "IMAGE_SAFETY": "blocked",
    "IMAGE_PROHIBITED_CONTENT": "blocked",
    "IMAGE_RECITATION": "blocked",
    "ESCALATION": "blocked",
    "PUP_LIMITED_DISABLED": "blocked",
    "MODEL_ARMOR": "blocked",
    "FINISH_REASON_UNSPECIFIED": "other",
    "OTHER": "other",
    "IMAGE_OTHER": "other",
    "NO_IMAGE": "other",
    "MISSING_THOUGHT_SIGNATURE": "other",
}
"""Gemini's finish reasons. One that is not here (a newer one) is `other`."""
_DEEPEST = 64


class NoAnswer(ValueError):
    """HTTP 200, and what came is no answer; the text says why."""


def body(request: Request, parameters: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a `generateContent` call. `parameters` is Gemini's `generationConfig`, left out when empty."""
    sent: dict[str, Any] = {
        "contents": [content(turn) for turn in request.turns],
        "systemInstruction": {"parts": [{"text": request.system}]},
    }
    if request.tools:
        sent["tools"] = [
            {
                "functionDeclarations": [
                    {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
                    for tool in request.tools
                ]
            }
        ]
    if request.force_call:
        sent["toolConfig"] = {"functionCallingConfig": {"mode": "ANY"}}
    if parameters:
        sent["generationConfig"] = parameters
    return sent


def content(turn: Turn) -> dict[str, Any]:
    """One turn as Gemini's content: the provider's own unchanged, ours made here."""
    if turn.raw is not None:
        return turn.raw
    return {"role": turn.role, "parts": [_part(part) for part in turn.parts]}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"text": part.text}
        case Thought():
            return {"text": part.text, "thought": True}
        case ToolCall():
            call: dict[str, Any] = {"name": part.name, "args": part.args}
            return {"functionCall": {"id": part.id, **call} if part.id else call}
        case ToolResult():
            result: dict[str, Any] = {
                "name": part.name,
                "response": {"error" if part.is_error else "output": part.output},
            }
            return {"functionResponse": {"id": part.id, **result} if part.id else result}


def parse(text: str) -> dict[str, Any]:
    """The JSON of an answer. Raises `NoAnswer`."""
    try:
        answer = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        msg = "the answer is not JSON"
        raise NoAnswer(msg) from None
    if not isinstance(answer, dict) or "error" in answer:
        msg = "the answer is JSON, but no answer"
        raise NoAnswer(msg)
    return answer


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def reply(answer: dict[str, Any]) -> Reply:
    """What an answer means. Raises `NoAnswer` when it has another shape than Gemini's answers."""
    candidates = answer.get("candidates") or []
    feedback = answer.get("promptFeedback") or {}
    usage, missing = _usage(answer.get("usageMetadata"))
    parts: tuple[Part, ...] = ()
    raw: dict[str, Any] | None = None
    if not _is_list(candidates) or not isinstance(feedback, dict):
        msg = "the answer's candidates are no list"
        raise NoAnswer(msg)
    if candidates:
        raw = candidates[0].get("content") or None
        if raw is not None:
            raw = raw if "role" in raw else {"role": "model", **raw}
            parts = _parts(raw)
        finish, word = _finish(candidates[0], parts)
    elif feedback.get("blockReason"):
        finish, word = "blocked", f"{PROMPT_BLOCKED}: {str(feedback['blockReason'])[:80]}"
    else:
        finish, word = "empty", "no candidates"
    return Reply(
        turn=Turn(role="model", parts=parts, raw=raw),
        finish=finish,
        finish_raw=word,
        usage=usage,
        usage_missing=missing,
        model_version=str(answer.get("modelVersion") or "")[:200],
        response_id=str(answer.get("responseId") or "")[:200],
    )


def _is_list(candidates: object) -> bool:
    return isinstance(candidates, list) and all(
        isinstance(one, dict) and isinstance(one.get("content") or {}, dict) for one in candidates
    )


def _finish(candidate: dict[str, Any], parts: tuple[Part, ...]) -> tuple[Finish, str]:
    said = any(isinstance(part, ToolCall) or (isinstance(part, Text) and part.text.strip()) for part in parts)
    word = candidate.get("finishReason")
    # Some servers leave the reason out; an answer that is there is then taken for what it is.
    finish: Finish = "stop" if word is None else FINISHES.get(str(word), "other")
    if finish == "stop" and not said:
        finish = "empty"
    message = candidate.get("finishMessage")
    return finish, str(word or "none")[:80] + (f": {' '.join(str(message).split())[:200]}" if message else "")


def _parts(raw: dict[str, Any]) -> tuple[Part, ...]:
    listed = raw.get("parts") or []
    if not isinstance(listed, list) or not all(isinstance(part, dict) for part in listed) or _deep(raw):
        msg = "the answer's parts have another shape than Gemini's"
        raise NoAnswer(msg)
    return tuple(part for part in map(_neutral, listed) if part is not None)


def _neutral(part: dict[str, Any]) -> Part | None:
    call = part.get("functionCall")
    if isinstance(call, dict):
        args = call.get("args")
        wanted = call.get("id")
        return ToolCall(
            name=str(call.get("name") or ""),
            args=args if isinstance(args, dict) else {},
            id=wanted if isinstance(wanted, str) and wanted else None,
        )
    if isinstance(part.get("text"), str):
        return Thought(part["text"]) if part.get("thought") else Text(part["text"])
    return None


def _deep(value: object, depth: int = 0) -> bool:
    if depth > _DEEPEST:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deep(one, depth + 1) for one in inner)


def _usage(counts: object) -> tuple[Usage, bool]:
    if not isinstance(counts, dict):
        return Usage(calls=1), True

    def count(name: str) -> int:
        value = counts.get(name, 0)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0

    prompt = count("promptTokenCount")
    usage = Usage(
        prompt=prompt + count("toolUsePromptTokenCount"),
        cached=min(count("cachedContentTokenCount"), prompt),
        output=count("candidatesTokenCount"),
        thoughts=count("thoughtsTokenCount"),
        calls=1,
    )
    # A call without a single prompt token does not exist: then the count is missing, whatever else is there.
    return (usage, False) if prompt else (Usage(calls=1), True)
