"""From a rule of a script to what goes over the wire."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from bot.base.canonical import digest
from bot.virtual.gemini.conversation import Conversation, Signature, calls_digest
from bot.virtual.gemini.script import Rule
from bot.virtual.gemini.wire import GOOGLE, FunctionCall, WireError, response_id, tokens, usage

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_ALWAYS_THINKS = 24
"""Thought tokens of a turn that a script gives no thoughts to."""
_JSON = "application/json; charset=UTF-8"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What goes over the wire, and how badly."""

    status: int = 200
    body: dict[str, Any] | bytes
    kind: str = _JSON
    headers: dict[str, str] = {}
    slow: float = 0.0
    cut: bool = False


def refused(error: WireError) -> Answer:
    """An error as an answer."""
    return Answer(status=error.code, body=error.body)


def render(rule: Rule, number: int, seen: Conversation, model: str, raw: bytes) -> Answer:
    """The answer that the rule stands for."""
    if rule.status is not None:
        return _fault(rule, rule.status)
    if rule.body is not None:
        return Answer(body=rule.body.encode(), slow=rule.slow, cut=rule.cut)
    parts = _parts(rule, number, seen)
    thoughts = tokens(rule.thinks) if rule.thinks else _ALWAYS_THINKS
    metadata: dict[str, Any] = usage(seen.request, parts, thoughts)
    body: dict[str, Any] = {"usageMetadata": metadata, "modelVersion": model, "responseId": response_id(raw)}
    if rule.block is not None:
        return Answer(body={"promptFeedback": {"blockReason": rule.block}} | body, slow=rule.slow, cut=rule.cut)
    candidate: dict[str, Any] = {"finishReason": rule.finish, "index": 0}
    if rule.message:
        candidate["finishMessage"] = rule.message
    candidate = {"content": {"role": "model", "parts": parts} if parts else {"role": "model"}} | candidate
    return Answer(body={"candidates": [candidate]} | body, slow=rule.slow, cut=rule.cut)


def _parts(rule: Rule, number: int, seen: Conversation) -> list[dict[str, Any]]:
    if rule.finish not in {"STOP", "MAX_TOKENS"} or rule.block is not None:
        return []
    parts: list[dict[str, Any]] = []
    if rule.thinks and seen.request.generation_config.thinking_config.include_thoughts:
        parts.append({"text": rule.thinks, "thought": True})
    if rule.say:
        parts.append({"text": rule.say})
    plain = [(name, args) for call in rule.calls for name, args in call.items()]
    calls = tuple(
        FunctionCall(name=name, args=args, id=f"fc-{digest([seen.key, seen.step, index])[:12]}")
        for index, (name, args) in enumerate(plain)
    )
    first = len(parts) if calls else len(parts) - 1
    parts += [{"functionCall": {"id": call.id, "name": call.name, "args": call.args}} for call in calls]
    if rule.say or calls:
        # As the service does it: on the first call of a turn, else on its last text.
        signature = Signature(rule=number, step=seen.step, calls=calls_digest(calls))
        parts[first]["thoughtSignature"] = b64encode(signature.encode()).decode()
    return parts


def _fault(rule: Rule, status: int) -> Answer:
    details: list[dict[str, Any]] = []
    message = rule.message or f"The virtual Gemini was told to answer {status}."
    if rule.retry_after is not None:
        details.append({"@type": f"{GOOGLE}.RetryInfo", "retryDelay": f"{rule.retry_after:g}s"})
    if status == 429:
        message = rule.message or "You exceeded your current quota, please check your plan and billing details."
        details.insert(0, {"@type": f"{GOOGLE}.QuotaFailure", "violations": [{"quotaId": "RequestsPerMinute"}]})
    error = WireError(status, _STATUS.get(status, "UNKNOWN"), message, tuple(details))
    if rule.body is not None:
        return Answer(status=status, body=rule.body.encode(), kind="text/html", slow=rule.slow, cut=rule.cut)
    return Answer(status=status, body=error.body, slow=rule.slow, cut=rule.cut)
