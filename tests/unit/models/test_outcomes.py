"""Every way in which Gemini can answer or not answer, and what a run makes of it: the table in docs/model-outcomes.md.

Each row is what really happens, through the SDK and the loop, against the server on loopback. After a change that is
meant, write the table anew with `WRITE_DOCS=1 python -m pytest tests/unit/models/test_outcomes.py -p no:xdist`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from agents import make_crew, make_task
from gemini_wire import KEY, Answer, Asleep, Drip, GeminiWire, Hangup, Item, Silence, answer, error
from memory_trace import MemoryTrace
from virtual_clock import VirtualClock

from bot.agent.loop import run_loop
from bot.base.errors import ConfigurationError, TaskBlocked, TaskFailed
from bot.base.values import Limits
from bot.models.gemini import GeminiModel
from bot.models.wire import FINISHES
from bot.trace.events import ModelReplied, ModelRetried, Nudged

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "model-outcomes.md"
GOOD = answer({"text": "Done."})
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "27s"}
PER_DAY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "20"}],
}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


def deep(levels: int) -> dict[str, Any]:
    args: dict[str, Any] = {}
    for _ in range(levels):
        args = {"a": args}
    return args


FINISHED: dict[str, Item] = {
    "STOP with text": GOOD,
    "STOP without parts": answer(),
    "STOP with white space": answer({"text": " \n"}),
    "STOP with thoughts only": answer({"text": "hm", "thought": True}),
    "no reason, with text": answer({"text": "Done."}, finish=None),
    "a reason of tomorrow": answer({"text": "x"}, finish="TOMORROW"),
    "MAX_TOKENS with text": answer({"text": "I found"}, finish="MAX_TOKENS"),
    "MAX_TOKENS with a call": answer({"functionCall": {"name": "list_files", "args": {}}}, finish="MAX_TOKENS"),
    **{name: answer(finish=name) for name in FINISHES if name != "STOP"},
}
BLOCKED: dict[str, Item] = {
    f"prompt blocked: {reason}": {
        "promptFeedback": {"blockReason": reason},
        "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10},
    }
    for reason in ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK")
} | {"no candidates, no reason": {"usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10}}}
STATUS: dict[str, Item] = {
    "201": Answer(201, GOOD),
    "302": Answer(302, b"", {"Location": "/elsewhere"}),
    "400 INVALID_ARGUMENT": Answer(400, error(400, "INVALID_ARGUMENT", "Bad schema.")),
    "400 API_KEY_INVALID": Answer(400, error(400, "INVALID_ARGUMENT", "API key not valid.", BAD_KEY)),
    "400 FAILED_PRECONDITION": Answer(400, error(400, "FAILED_PRECONDITION", "Location is not supported.")),
    "401": Answer(401, error(401, "UNAUTHENTICATED", "Who are you?")),
    "403": Answer(403, error(403, "PERMISSION_DENIED", "Not yours.")),
    "404": Answer(404, error(404, "NOT_FOUND", "No such model.")),
    "408": Answer(408, error(408, "ABORTED", "Too slow.")),
    "409": Answer(409, error(409, "ABORTED", "Conflict.")),
    "413": Answer(413, error(413, "INVALID_ARGUMENT", "Too large.")),
    "429": Answer(429, error(429, "RESOURCE_EXHAUSTED", "Too many requests.")),
    "429 with RetryInfo": Answer(429, error(429, "RESOURCE_EXHAUSTED", "Too many requests.", RETRY_INFO)),
    "429 with Retry-After": Answer(429, error(429, "RESOURCE_EXHAUSTED", "Slow down."), {"Retry-After": "30"}),
    "429, quota for the day": Answer(429, error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", PER_DAY, RETRY_INFO)),
    "429, limit: 0": Answer(429, error(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: x")),
    "499": Answer(499, error(499, "CANCELLED", "Gone.")),
    "500": Answer(500, error(500, "INTERNAL", "Oops.")),
    "501": Answer(501, error(501, "UNIMPLEMENTED", "Not here.")),
    "502 with HTML": Answer(
        502, b"<html><title>502</title><body>Bad gateway</body></html>", {"Content-Type": "text/html"}
    ),
    "503": Answer(503, error(503, "UNAVAILABLE", "Overloaded.")),
    "504": Answer(504, error(504, "DEADLINE_EXCEEDED", "Too slow.")),
}
BROKEN: dict[str, Item] = {
    "closed in the middle of the body": Hangup(),
    "closed without an answer": Silence(),
    "silent": Asleep(0.8),
    "one byte at a time": Drip(0.01, GOOD),
    "200 with HTML": Answer(200, b"<html>Welcome</html>", {"Content-Type": "text/html"}),
    "200 with nothing": Answer(200, b""),
    "200 with half of the JSON": Answer(200, b'{"candidates": [{"content": '),
    "200 with NaN": Answer(200, b'{"candidates": NaN}'),
    "200 with a list": Answer(200, [GOOD]),
    "200 with an error": Answer(200, error(500, "INTERNAL", "x")),
    "200, candidates are no list": Answer(200, {"candidates": {"content": {}}}),
    "200, parts are no list": Answer(200, {"candidates": [{"content": {"parts": "x"}, "finishReason": "STOP"}]}),
    "200, a part is no object": Answer(200, {"candidates": [{"content": {"parts": ["x"]}, "finishReason": "STOP"}]}),
    "200, nested 100 deep": answer({"functionCall": {"name": "list_files", "args": deep(100)}}),
    "200, nested 100,000 deep": Answer(200, b'{"candidates": ' + b"[" * 100_000),
}
GROUPS = {"Finish reasons": FINISHED, "Blocked prompts": BLOCKED, "HTTP statuses": STATUS, "Broken answers": BROKEN}
CASES = [(group, name) for group, cases in GROUPS.items() for name in cases]


@dataclass
class World:
    """One server and one client for all cases."""

    server: GeminiWire
    clock: VirtualClock
    model: GeminiModel

    def run(self, *items: Item) -> tuple[str, MemoryTrace]:
        self.server.script = list(items)
        task = make_task(limits=Limits(minutes=60))
        crew = make_crew(self.model, clock=self.clock, task=task)
        try:
            outcome = f"answer: {run_loop(crew).answer}"
        except TaskFailed as end:
            outcome = f"`failed`: {end.what}"
        except TaskBlocked as end:
            outcome = f"`blocked`: {end.what}"
        except ConfigurationError as end:
            outcome = f"exit code 2: {end.what}"
        return outcome, crew.trace  # type: ignore[return-value]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    clock = VirtualClock()
    with GeminiWire([GOOD]) as server:
        model = GeminiModel(key=KEY, name="gemini-3.8-flash", base_url=server.url, clock=clock, call_seconds=0.3)
        # What the machine needs for the very first call (loading the SDK) must not count as a late answer.
        patient = GeminiModel(key=KEY, name="gemini-3.8-flash", base_url=server.url, clock=clock)
        World(server, clock, patient).run(GOOD)
        yield World(server, clock, model)


def row(world: World, group: str, name: str) -> str:
    item = GROUPS[group][name]
    for_ever, trace = world.run(item)
    once, _ = world.run(item, GOOD)
    replied = trace.all(ModelReplied)
    read_as = f"`{replied[0].finish}`" if replied else "no answer"
    retries = [attempt for attempt in trace.all(ModelRetried) if attempt.waited_seconds > 0]
    nudges = len(trace.all(Nudged))
    tried = f"{len(retries)} retries" if retries else f"{nudges} nudge{'s' * (nudges > 1)}" if nudges else "nothing"
    goes_on = "goes on" if once == "answer: Done." and for_ever != once else "is not asked for"
    return f"| {name} | {read_as} | {tried} | {for_ever} | {goes_on} |"


HEAD = """# What becomes of every answer a model can give

Made by `tests/unit/models/test_outcomes.py`, which runs each case through Google's SDK and the agent loop against a
server on loopback, and fails when this table is not what happens.

*Read as*: the word of `bot.base.messages.Finish`. *We try*: nudges are turns of the loop in which we tell the model
what was wrong; retries are new tries of the same request, with growing waits that honour what the server asks for.
Both are in the trace, one event each. *If it stays like that*: how the task ends, with its reason. *If the next answer
is good*: whether the run goes on. `exit code 2` stops the campaign: no other task could fare better.
"""


def document(rows: dict[tuple[str, str], str]) -> str:
    parts = [HEAD]
    for group in GROUPS:
        table = (
            "| what comes | read as | we try | if it stays like that | if the next answer is good |\n"
            + "|---" * 5
            + "|"
        )
        parts.append(f"\n## {group}\n\n{table}\n" + "\n".join(rows[case] for case in CASES if case[0] == group) + "\n")
    return "".join(parts)


@pytest.mark.skipif("WRITE_DOCS" not in os.environ, reason="only on demand")
def test_write_the_table(world: World) -> None:
    DOCUMENT.write_text(document({case: row(world, *case) for case in CASES}), encoding="utf-8")


@pytest.mark.parametrize(("group", "name"), CASES, ids=[name for _, name in CASES])
def test_what_the_table_says_is_what_happens(world: World, group: str, name: str) -> None:
    assert row(world, group, name) in DOCUMENT.read_text(encoding="utf-8").splitlines()


def test_the_table_has_all_cases_and_no_others() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    named = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("| ")]
    assert [name for name in named if name != "what comes"] == [name for _, name in CASES]
    assert DOCUMENT.read_text(encoding="utf-8").startswith(HEAD)


def test_every_finish_reason_that_the_sdk_knows_is_in_the_table() -> None:
    from google.genai.types import BlockedReason, FinishReason

    assert {reason.value for reason in FinishReason} == set(FINISHES)
    assert {f"prompt blocked: {r.value}" for r in BlockedReason} - set(BLOCKED) == {
        "prompt blocked: BLOCKED_REASON_UNSPECIFIED"
    }


def test_no_outcome_of_the_table_is_a_pull_request() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    ended = [line.split(" | ")[3] for line in rows if not line.startswith("| what comes")]
    assert sum(end == "answer: Done." for end in ended) == 2
    assert all(end.startswith(("`failed`", "exit code 2", "answer: Done.")) for end in ended)


def test_the_reasons_are_sentences_without_the_key() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert KEY not in text
    assert "<html" not in text
    assert msgspec.json.encode(text)
