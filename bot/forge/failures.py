"""What a failed request means, first as facts about it, then as an error that a person can act upon."""

from __future__ import annotations

from collections.abc import Mapping

from bot.base.errors import ConfigurationError, FleetBotError, ForgeError
from bot.forge.patience import Failure
from bot.forge.words import plain

_LIMIT_WORDS = ("rate limit", "abuse detection")


def explain(error: Exception, now: float) -> Failure | None:
    """The failure behind an error of the client library; None for a mistake of ours. `now` is the wall clock's.

    Told by shape and not by class, so that the library need not be loaded: an answer has status, data and headers, and
    whatever the network does is an `OSError`.
    """
    status = getattr(error, "status", None)
    if isinstance(status, int):
        headers: Mapping[str, str] = getattr(error, "headers", None) or {}
        words = _words(getattr(error, "data", None))
        wait = _wait(headers, now)
        limited = status in {403, 429} and (
            "retry-after" in headers
            or headers.get("x-ratelimit-remaining") == "0"
            or status == 429
            or any(word in words.lower() for word in _LIMIT_WORDS)
        )
        return Failure(status=status, words=words, limited=limited, wait=wait)
    if isinstance(error, OSError):
        return Failure(status=0, words=f"no answer ({type(error).__name__})")
    if isinstance(error, AssertionError):
        # PyGithub asserts that links in an answer lead to the server that was asked.
        return Failure(status=400, words="its answer links to another server, so the API's URL is not its own")
    if type(error) is RuntimeError:
        return Failure(status=400, words=plain(str(error)))
    return None


def to_error(failure: Failure, what: str, *, server: str, anonymous: bool) -> FleetBotError:
    """The error to raise. `what` continues "could not"; `anonymous` says that there is no token."""
    status = failure.status
    if status == 401:
        if anonymous:
            return ConfigurationError(f"Could not {what} without a token.", "Set GITHUB_TOKEN.")
        msg = f"The token was refused by {server}."
        return ConfigurationError(msg, "Set GITHUB_TOKEN to a token of that server that has not expired.")
    if failure.limited:
        later = f" in {failure.wait / 60:.0f} minutes" if failure.wait and failure.wait >= 60 else " later"
        msg = f"Could not {what}: the rate limit of the token is used up."
        return ForgeError(msg, f"Run again{later}; what is done will be found.", status)
    if status == 404:
        msg = f"Could not {what}: it is not there or not visible to the token."
        return ForgeError(msg, "Correct the name in fleet.yaml, or give the token access.", 404)
    if status == 403:
        return ForgeError(f"Could not {what}: {failure.words}", "Give the token the permission for it.", 403)
    if status == 0 or status >= 500:
        return ForgeError(f"Could not {what}: {failure.words or f'status {status}'}", "Run again later.", status)
    return ForgeError(f"Could not {what}: {failure.words}", "", status)


def _words(data: object) -> str:
    """GitHub's message with those of its errors, on one harmless line."""
    if not isinstance(data, dict):
        return ""
    said = [str(data.get("message") or "")]
    for error in data.get("errors") or []:
        if isinstance(error, str):
            said.append(error)
        elif isinstance(error, dict):
            named = (error.get("resource"), error.get("field"), error.get("code"))
            said.append(str(error.get("message") or " ".join(str(part) for part in named if part)))
    return plain(": ".join(part for part in said if part))


def _wait(headers: Mapping[str, str], now: float) -> float | None:
    after = headers.get("retry-after", "")
    if after.isdecimal():
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        # One second more: it is not known when in that second the limit is lifted.
        return max(float(reset) - now, 0.0) + 1.0
    return None
