"""Gemini behind the port, through Google's SDK: the only module that imports it, when the first call is made.

The SDK does transport, authentication and addresses. Retrying, time-outs over the whole call, and what is sent and
understood are ours (`bot.models.retry`, `bot.models.wire`).
"""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from bot.agent.limits import upper_estimate
from bot.base.clock import Clock
from bot.base.errors import ConfigurationError, TaskFailed
from bot.base.messages import Attempt, Reply, Request
from bot.models.prices import cost
from bot.models.retry import Failure, GiveUp, Policy, decide, failure_of
from bot.models.wire import NoAnswer, body, parse, reply
from bot.ports import AttemptListener, ModelId

if TYPE_CHECKING:
    from google import genai

_API_VERSION = "v1beta"  # has every model and field; `v1`, the SDK's default, lacks some of both
_GRACE = 0.5
_UNSENT = "-"  # the SDK wants contents of its own types; ours replace them in the body, see _post


class Vertex(msgspec.Struct, frozen=True, kw_only=True):
    """Where on Vertex AI. Without project and location the key is used (express mode)."""

    project: str | None = None
    location: str | None = None


def identity_of(
    name: str, *, base_url: str | None = None, vertex: Vertex | None = None, parameters: dict[str, Any] | None = None
) -> ModelId:
    """Who answers under these settings; an empty endpoint is the provider's own."""
    return ModelId(
        adapter="vertex" if vertex else "gemini",
        name=name,
        endpoint=base_url or (f"vertex:{vertex.location or 'global'}" if vertex else ""),
        parameters=dict(parameters or {}),
    )


class GeminiModel:
    """A Gemini model. Safe to share between threads."""

    def __init__(
        self,
        *,
        key: str | None,
        name: str,
        base_url: str | None = None,
        clock: Clock,
        parameters: dict[str, Any] | None = None,
        vertex: Vertex | None = None,
        api_version: str | None = None,
        policy: Policy | None = None,
        seed: int = 0,
        call_seconds: float = 300.0,
    ) -> None:
        """`parameters` is Gemini's `generationConfig` in its own spelling; None leaves everything to the model.

        `call_seconds` bounds one try, from first byte sent to last byte read. `seed` is for the jitter of waits.
        Raises `ConfigurationError` when there is no way to authenticate.
        """
        if not key and (vertex is None or vertex.project is None):
            msg = "There is no key for Gemini."
            raise ConfigurationError(msg, "Give one with --api-key, in .env, as GEMINI_API_KEY, or in ~/.env.")
        self._key, self._name, self._base_url, self._vertex = key, name, base_url, vertex
        self._clock, self._parameters = clock, dict(parameters or {})
        self._api_version = api_version or (None if vertex else _API_VERSION)
        self._policy, self._random, self._call_seconds = policy or Policy(), random.Random(seed), call_seconds  # noqa: S311 - jitter
        self._made: genai.Client | None = None
        self._making = threading.Lock()
        self._identity = identity_of(name, base_url=base_url, vertex=vertex, parameters=parameters)

    def __repr__(self) -> str:
        return f"GeminiModel(name={self._name!r})"

    @property
    def identity(self) -> ModelId:
        """Who answers."""
        return self._identity

    def reply(self, request: Request, *, deadline: float, on_attempt: AttemptListener) -> Reply:
        """One model turn, retries included; see `bot.ports.Model`."""
        sent = body(request, self._parameters)
        attempts: list[Attempt] = []
        while True:
            try:
                answer = self._try(sent, deadline)
                return msgspec.structs.replace(answer, attempts=tuple(attempts))
            except _TryFailed as failed:
                failure = failed.failure
            left = deadline - self._clock.monotonic()
            chance = self._random.random()
            step = decide(failure, tries=len(attempts) + 1, left=left, chance=chance, policy=self._policy)
            seconds = 0.0 if isinstance(step, GiveUp) else step.seconds
            attempts.append(Attempt(status=failure.status, cause=failure.cause, waited_seconds=seconds))
            on_attempt(attempts[-1])
            if isinstance(step, GiveUp):
                raise (ConfigurationError if step.kind == "configuration" else TaskFailed)(step.what, step.cure)
            self._clock.sleep(seconds)

    def _try(self, sent: dict[str, Any], deadline: float) -> Reply:
        seconds = min(self._call_seconds, deadline - self._clock.monotonic())
        if seconds <= 0:
            msg = "The time for this task is up."
            raise TaskFailed(msg, "Raise limits.minutes.")
        received = self._in_time(lambda: self._post(sent, seconds), seconds)
        try:
            answer = reply(parse(received))
        except NoAnswer as error:
            raise _TryFailed(Failure(status=200, cause=str(error))) from None
        usage = answer.usage
        if answer.usage_missing:
            usage = upper_estimate(len(json.dumps(sent)), len(received))
        dollars, unknown = cost(self._name, usage)
        usage = msgspec.structs.replace(usage, calls=1, cost_usd=dollars, estimated=unknown or answer.usage_missing)
        return msgspec.structs.replace(answer, usage=usage)

    def _in_time(self, call: Callable[[], str], seconds: float) -> str:
        # The SDK's time-out is for each read and knows nothing of name resolution: a server that drips, or a resolver
        # that hangs, would hold us for ever. So the call has a thread, which is left behind when it is late.
        done: list[str] = []
        broke: list[BaseException] = []

        def run() -> None:
            try:
                done.append(call())
            except BaseException as error:  # noqa: BLE001 - carried over to the waiting thread
                broke.append(error)

        thread = threading.Thread(target=run, daemon=True, name="gemini-call")
        thread.start()
        thread.join(seconds + _GRACE)
        if done:
            return done[0]
        if broke:
            raise self._translated(broke[0]) from None
        self._made = None
        raise _TryFailed(Failure(status=0, cause="the answer was not complete in time"))

    def _post(self, sent: dict[str, Any], seconds: float) -> str:
        from google.genai import types

        config = types.GenerateContentConfig(
            should_return_http_response=True,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            automatic_continuation=False,
            # `extra_body` goes out as it is; contents that pass through the SDK's types lose what these do not know.
            http_options=types.HttpOptions(timeout=max(int(seconds * 1000), 1), extra_body=sent),
        )
        # Held until the answer is there: the SDK closes a client's connections when nobody holds it any more, and
        # another thread may give this one up meanwhile.
        client = self._client()
        response = client.models.generate_content(model=self._name, contents=_UNSENT, config=config)
        answer = response.sdk_http_response
        return (answer.body or "") if answer else ""

    def _client(self) -> genai.Client:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> genai.Client:
        from google import genai
        from google.genai import types

        where: dict[str, Any] = {"enterprise": False, "api_key": self._key}
        if self._vertex is not None:
            where = {"enterprise": True, "project": self._vertex.project, "location": self._vertex.location}
            if self._vertex.project is None:
                where["api_key"] = self._key
        options = types.HttpOptions(
            base_url=self._base_url,
            api_version=self._api_version,
            timeout=int(self._call_seconds * 1000),
            # The SDK follows redirects, and its key header would go along to any host.
            client_args={"follow_redirects": False},
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        return genai.Client(http_options=options, **where)

    def _translated(self, error: BaseException) -> BaseException:
        from google.auth import exceptions as auth
        from google.genai import errors

        if isinstance(error, errors.APIError):
            headers = getattr(error.response, "headers", None) or {}
            found = failure_of(error.code or 0, error.details, {str(k).lower(): str(v) for k, v in headers.items()})
            return _TryFailed(msgspec.structs.replace(found, cause=self._clean(found.cause)))
        if isinstance(error, auth.TransportError):
            return _TryFailed(Failure(status=0, cause=self._clean(str(error)) or type(error).__name__))
        if isinstance(error, auth.GoogleAuthError):
            msg = f"Google Cloud refused or has no credentials: {self._clean(str(error))}"
            return ConfigurationError(msg, "Run `gcloud auth application-default login`, or use a service account.")
        if isinstance(error, (OSError, *_transport_errors())):
            return _TryFailed(Failure(status=0, cause=_cause(error, self._clean(str(error)))))
        if isinstance(error, ValueError):
            # The SDK's word for settings that do not fit together, a broken base URL for one.
            return ConfigurationError(f"The model client cannot be made: {self._clean(str(error))}")
        return error

    def _clean(self, text: str) -> str:
        text = " ".join(text.split())[:500]
        return text.replace(self._key, "[key]") if self._key else text


class _TryFailed(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.cause)
        self.failure = failure


def _transport_errors() -> tuple[type[Exception], ...]:
    # Which of the two the SDK uses is its own choice, by what is installed and by an environment variable.
    loaded = (sys.modules.get(name) for name in ("httpx2", "httpx"))
    return tuple(module.HTTPError for module in loaded if module is not None)


def _cause(error: BaseException, text: str) -> str:
    name = type(error).__name__
    words = {"ReadTimeout": "no answer in time", "ConnectTimeout": "no connection in time"}
    return words.get(name) or (f"{name}: {text}" if text else name)
