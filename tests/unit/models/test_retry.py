"""When to try again, as a function of what went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.retry import Failure, GiveUp, Policy, Wait, decide, failure_of

POLICY = Policy()


def step(failure: Failure, *, tries: int = 1, left: float = 1e6, chance: float = 0.0) -> Wait | GiveUp:
    return decide(failure, tries=tries, left=left, chance=chance, policy=POLICY)


def seconds(failure: Failure, **more: Any) -> float:
    decided = step(failure, **more)
    assert isinstance(decided, Wait)
    return decided.seconds


def test_waits_double_and_are_bounded() -> None:
    failure = Failure(status=503, cause="x")
    assert [seconds(failure, tries=n) for n in (1, 2, 3, 4, 5)] == [1, 2, 4, 8, 16]
    assert decide(failure, tries=50, left=1e9, chance=0, policy=Policy(attempts=99)) == Wait(seconds=60)


@given(
    status=st.sampled_from([0, 200, 408, 429, 500, 502, 503, 504]),
    tries=st.integers(1, 8),
    wanted=st.none() | st.floats(0, 500),
    left=st.floats(0, 5000),
    chance=st.floats(0, 1),
)
def test_no_wait_is_shorter_than_asked_for_or_longer_than_there_is_time(
    status: int, tries: int, wanted: float | None, left: float, chance: float
) -> None:
    decided = step(Failure(status=status, cause="x", retry_after=wanted), tries=tries, left=left, chance=chance)
    if isinstance(decided, Wait):
        assert tries < POLICY.attempts
        assert decided.seconds >= (wanted or 0) - 0.001
        assert decided.seconds <= left
        assert decided.seconds <= max((wanted or 0) * 1.1, 60 * 1.3) + 0.001
    else:
        assert decided.kind == "failed"


@given(status=st.integers(300, 499).filter(lambda status: status not in {408, 425, 429}), tries=st.integers(1, 9))
def test_what_the_client_did_wrong_is_never_tried_again(status: int, tries: int) -> None:
    assert isinstance(step(Failure(status=status, cause="x"), tries=tries), GiveUp)


def read(status: int, body: object, **headers: str) -> Failure:
    return failure_of(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        ({"error": {"details": [{"retryDelay": "27.5s"}]}}, {}, 27.5),
        ({"error": {"details": [{"retryDelay": "0.2s"}]}}, {"retry_after": "30"}, 30),
        ({"error": {"message": "Please retry in 44.3s."}}, {}, 44.3),
        ({"error": {}}, {"retry_after": "7"}, 7),
        ({}, {"retry_after": "Wed, 11 Nov 2026 10:00:30 GMT", "date": "Wed, 11 Nov 2026 10:00:00 GMT"}, 30),
        ({}, {"retry_after": "Wed, 11 Nov 2026 10:00:00 GMT", "date": "Wed, 11 Nov 2026 10:00:09 GMT"}, 0),
        ({}, {"retry_after": "soon", "date": "now"}, None),
        ({}, {"retry_after": "-5"}, None),
        ({"error": {"details": [{"retryDelay": "for ever"}, "x", {"retryDelay": 5}]}}, {}, None),
        ("<html>", {}, None),
        ([], {}, None),
        ({"error": "text"}, {}, None),
    ],
)
def test_what_the_server_wants_is_read_wherever_it_says_so(
    body: object, headers: dict[str, str], wait: float | None
) -> None:
    assert read(429, body, **headers).retry_after == wait


@pytest.mark.parametrize(
    ("violation", "final"),
    [
        ({"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}, True),
        ({"quotaMetric": "generate_requests_per_day"}, True),
        ({"quotaId": "GenerateRequestsPerMinutePerProjectPerModel", "quotaValue": "15"}, False),
        ({"quotaId": "GenerateRequestsPerMinute", "quotaValue": "0"}, True),
    ],
)
def test_a_quota_that_does_not_come_back_soon_is_final(violation: dict[str, str], final: bool) -> None:
    body = {"error": {"message": "Quota exceeded", "details": [{"violations": [violation]}]}}
    assert isinstance(step(read(429, body)), GiveUp) == final


def test_a_limit_that_only_looks_like_zero_is_not() -> None:
    assert isinstance(step(read(429, {"error": {"message": "limit: 05 per minute"}})), Wait)
    assert isinstance(step(read(429, {"error": {"message": "limit: 0, model: x"}})), GiveUp)


def test_causes_are_one_short_line_without_tags() -> None:
    page = {"message": "<html><style>body {color: red}</style><body>Bad\n  gateway" + "x" * 1000}
    cause = read(502, page).cause
    assert cause.startswith("Bad gateway")
    assert len(cause) <= 301
    assert read(500, None).cause == "HTTP 500"


@given(
    body=st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["error", "details", "message", "violations", "status", "reason"]), x)
        ),
        max_leaves=12,
    )
)
def test_any_body_is_read(body: object) -> None:
    assert read(400, body).status == 400
