"""When to try a model again, and when not: a pure policy over what went wrong.

What a provider says about waiting is honoured (`Retry-After`, `RetryInfo`), a quota for the day is final, waiting
counts against the deadline, and a refused key ends the campaign at once.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

_RETRIED = frozenset({0, 200, 408, 425, 429, 500, 502, 503, 504})
"""0: no answer at all. 200: an answer that is none, such as broken JSON."""
_SAID = 300


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One try that failed, without anything secret in it."""

    status: int
    """HTTP status; 0 when there was no answer."""
    cause: str
    reason: str = ""
    """The provider's own word: `RESOURCE_EXHAUSTED`, `API_KEY_INVALID` …"""
    retry_after: float | None = None
    """Seconds that the provider asks us to wait."""
    quota_used_up: bool = False
    """A quota that waiting a moment does not bring back: for the day, or zero."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient we are."""

    attempts: int = 6
    first: float = 1.0
    """Seconds before the second try; doubled each time."""
    longest: float = 60.0
    """Seconds; what the provider asks for may be longer."""
    jitter: float = 0.3
    """Part of the wait that is added by chance, so that many tasks do not come back at the same moment."""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Try again after so many seconds."""

    seconds: float


class GiveUp(msgspec.Struct, frozen=True, kw_only=True):
    """Do not try again."""

    kind: Literal["configuration", "failed"]
    """`configuration`: no task of this campaign can succeed."""
    what: str
    cure: str


def decide(failure: Failure, *, tries: int, left: float, chance: float, policy: Policy) -> Wait | GiveUp:
    """What to do after a try. `tries` counts those made, this one too; `left` is seconds until the deadline; `chance`
    is a number from 0 to 1.
    """
    final = _final(failure)
    if final is not None:
        return final
    said = f"{failure.cause} ({failure.status})" if failure.status else failure.cause.rstrip(".")
    if tries >= policy.attempts:
        times = "1 try" if tries == 1 else f"{tries} tries"
        what = f"The model could not be had in {times}: {said}."
        return GiveUp(kind="failed", what=what, cure="Run it again later.")
    wait = min(policy.first * 2 ** (tries - 1), policy.longest)
    # A server's wish is a floor: jitter only ever adds to it.
    seconds = max(wait, failure.retry_after or 0.0) * (1 + policy.jitter * chance)
    if failure.retry_after:
        seconds = max(failure.retry_after * (1 + policy.jitter / 3 * chance), wait)
    if seconds >= left:
        what = f"The model wants us to wait {seconds:.0f} s, and {max(left, 0):.0f} s are left for this task: {said}."
        return GiveUp(kind="failed", what=what, cure="Run it again later, or raise limits.minutes.")
    return Wait(seconds=round(seconds, 3))


def _final(failure: Failure) -> GiveUp | None:
    said = failure.cause
    if failure.status == 401 or failure.reason == "API_KEY_INVALID":
        return GiveUp(kind="configuration", what=f"The model's provider refused the key: {said}.", cure=_KEY)
    if failure.status == 403:
        return GiveUp(kind="configuration", what=f"The key may not use this model: {said}.", cure=_KEY)
    if failure.status == 404:
        cure = "Check --model, and the API version."
        return GiveUp(kind="configuration", what=f"The model's provider does not know it: {said}.", cure=cure)
    if failure.status == 400 and failure.reason == "FAILED_PRECONDITION":
        cure = "Check billing and region of the project that the key belongs to."
        return GiveUp(kind="configuration", what=f"The model's provider does not serve this key: {said}.", cure=cure)
    if failure.quota_used_up:
        cure = "Wait until the quota is renewed, or use another model or key."
        return GiveUp(kind="failed", what=f"The quota for this model is used up: {said}.", cure=cure)
    if failure.status not in _RETRIED:
        what = f"The model's provider refused the request ({failure.status}): {said}."
        return GiveUp(kind="failed", what=what, cure="")
    return None


_KEY = "Check the key: --api-key, .env, GEMINI_API_KEY, ~/.env."


def failure_of(status: int, body: object, headers: Mapping[str, str]) -> Failure:
    """Read an error answer: Google's error shape, or whatever else stood there."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        error = {"message": error}
    details = [detail for detail in _list(error.get("details")) if isinstance(detail, dict)]
    message = str(error.get("message") or f"HTTP {status}")
    return Failure(
        status=status,
        cause=_line(message),
        reason=_reason(error, details, message),
        retry_after=_retry_after(details, headers, message),
        quota_used_up=status == 429 and _used_up(details, message),
    )


def _reason(error: dict[str, Any], details: list[dict[str, Any]], message: str) -> str:
    for detail in details:
        if isinstance(detail.get("reason"), str):
            return str(detail["reason"])
    if "API key not valid" in message or "API key expired" in message:
        return "API_KEY_INVALID"
    return str(error.get("status") or "")


def _retry_after(details: list[dict[str, Any]], headers: Mapping[str, str], message: str) -> float | None:
    found = []
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and (match := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", delay)):
            found.append(float(match[1]))
    if (match := re.search(r"[Rr]etry in (\d{1,9}(?:\.\d{1,20})?)\s?s", message)) is not None:
        found.append(float(match[1]))
    header = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}", header):
        found.append(float(header))
    elif header and (date := headers.get("date")):
        found += _difference(header, date)
    return max(found, default=None)


def _difference(until: str, now: str) -> list[float]:
    try:
        # Against the server's own clock, ours may be wrong.
        seconds = email.utils.parsedate_to_datetime(until) - email.utils.parsedate_to_datetime(now)
    except (ValueError, TypeError):
        return []
    return [max(seconds.total_seconds(), 0.0)]


def _used_up(details: list[dict[str, Any]], message: str) -> bool:
    if re.search(r"\blimit: 0\b", message):
        return True
    for detail in details:
        for violation in _list(detail.get("violations")):
            if isinstance(violation, dict):
                named = f"{violation.get('quotaId', '')} {violation.get('quotaMetric', '')}"
                if re.search(r"per_?day", named, re.IGNORECASE) or str(violation.get("quotaValue", "")) == "0":
                    return True
    return False


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _line(message: str) -> str:
    """One line, short, without the tags of an HTML page."""
    text = re.sub(r"<(?:style|script)[^>]{0,200}>.{0,5000}?</(?:style|script)>|<[^<>]{0,200}>", " ", message[:20_000])
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= _SAID else text[:_SAID] + "…"
