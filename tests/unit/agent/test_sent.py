"""The hash of what goes out: the same for the same request, however many were hashed before it."""

from __future__ import annotations

import msgspec
from agents import calls, make_task

from bot.agent.sent import Sent
from bot.agent.tools import declarations
from bot.base.messages import Request, Text, ToolResult, Turn

TOOLS = declarations(make_task())
FIRST = Turn(role="user", parts=(Text("Fix it."),))
ASKED = calls(("read_file", {"path": "a.txt"})).turn
TOLD = Turn(role="user", parts=(ToolResult(name="read_file", output="one\n"),))


def request(*turns: Turn, system: str = "s", force_call: bool = False) -> Request:
    return Request(system=system, turns=turns, tools=TOOLS, force_call=force_call)


def test_a_conversation_hashed_turn_by_turn_is_hashed_as_a_whole() -> None:
    sent = Sent()
    for one in (request(FIRST), request(FIRST, ASKED, TOLD), request(FIRST, ASKED, TOLD, ASKED)):
        assert sent.digest(one) == Sent().digest(one)


def test_a_turn_that_was_replaced_counts_as_it_is_now() -> None:
    sent = Sent()
    sent.digest(request(FIRST, ASKED, TOLD))
    nudged = msgspec.structs.replace(TOLD, parts=(*TOLD.parts, Text("Go on.")))
    one = request(FIRST, ASKED, nudged)
    assert sent.digest(one) == Sent().digest(one) != Sent().digest(request(FIRST, ASKED, TOLD))


def test_a_conversation_that_got_shorter_is_hashed_anew() -> None:
    sent = Sent()
    sent.digest(request(FIRST, ASKED, TOLD))
    assert sent.digest(request(FIRST)) == Sent().digest(request(FIRST))


def test_system_prompt_tools_and_force_count() -> None:
    sent = Sent()
    others = (request(FIRST), request(FIRST, system="t"), request(FIRST, force_call=True))
    assert len({sent.digest(one) for one in others}) == len(others)
    assert [sent.digest(one) for one in others] == [Sent().digest(one) for one in others]


def test_text_that_is_none_has_no_hash_and_spoils_no_other() -> None:
    sent = Sent()
    broken = Turn(role="user", parts=(Text("\udce9"),))
    assert sent.digest(request(FIRST, broken)) == ""
    assert sent.digest(request(FIRST, ASKED)) == Sent().digest(request(FIRST, ASKED))
