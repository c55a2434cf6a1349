"""The monitors against an independent reading of the same rules, over all short traces and over random long ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_logic import Event, Trace, holds

from bot.expected.check import RuleBook, check
from bot.expected.document import read_rules
from bot.expected.happening import Happening, happenings

SAFETY = ("never", "only", "at-most", "before", "between", "between-end")
LIVENESS = ("count", "after", "last", "same")
LET = {letter: {"event": "note", "message": {"re": letter}} for letter in "abc"}
OPERATORS = {
    "never": {"never": "a"},
    "only": {"only": {"of": "a", "allow": "b"}},
    "count": {"count": {"of": "a", "min": 1, "max": 2}},
    "at-most": {"count": {"of": "a", "max": 1}},
    "before": {"before": {"first": "a", "then": "b"}},
    "after": {"after": {"each": "a", "must": "b"}},
    "last": {"last": {"of": "a", "is": "b"}},
    "between": {"between": {"from": "a", "to": "b", "never": "c"}},
    "between-end": {"between": {"from": "a", "never": "c"}},
    "same": {
        "same": {
            "a": {"of": "a", "field": "message", "re": "[A-Z]"},
            "b": {"of": "b", "field": "message", "re": "[A-Z]"},
        }
    },
}


def book_of(*names: str) -> RuleBook:
    mistakes: list[object] = []
    book = read_rules(LET, [{"id": name} | OPERATORS[name] for name in names], None, mistakes)
    assert not mistakes
    return book


BOOK = book_of(*OPERATORS)
LETTERS = tuple(frozenset(word) for word in ("", "a", "b", "c", "ab", "ac", "bc"))
VALUED = tuple(frozenset(word) for word in ("aX", "aY", "bX", "bY", "abX", "a"))


def lines_of(trace: Trace) -> list[dict[str, object]]:
    events = [(turn, event) for turn, instant in enumerate(trace, 1) for event in instant]
    return [
        {"seq": seq, "turn": turn, "event": "note", "message": "".join(sorted(event))}
        for seq, (turn, event) in enumerate(events)
    ]


def grouped(events: tuple[Event, ...], joined: tuple[bool, ...]) -> Trace:
    """Events in instants: each either tied to the one before or after it."""
    trace: list[list[Event]] = []
    for event, tied in zip(events, joined, strict=True):
        if tied and trace:
            trace[-1].append(event)
        else:
            trace.append([event])
    return trace


def all_traces(letters: tuple[Event, ...], longest: int) -> Iterator[Trace]:
    for length in range(1, longest + 1):
        for events in itertools.product(letters, repeat=length):
            for joined in itertools.product((False, True), repeat=length - 1):
                yield grouped(events, (False, *joined))


def agree(trace: Trace, names: tuple[str, ...], book: RuleBook) -> None:
    verdicts = check(book, lines_of(trace), finished=True).all
    for name, verdict in zip(names, verdicts, strict=True):
        assert (verdict.result == "pass") == holds(name, trace), (name, trace, verdict)


def test_every_operator_agrees_with_temporal_logic_on_all_short_traces() -> None:
    names = tuple(name for name in OPERATORS if name != "same")
    book = book_of(*names)
    for trace in itertools.chain(all_traces(LETTERS, 3), all_traces(LETTERS[:5], 4)):
        agree(trace, names, book)


def test_same_agrees_with_its_definition_on_all_short_traces() -> None:
    book = book_of("same")
    for trace in all_traces(VALUED, 4):
        agree(trace, ("same",), book)


traces = st.lists(st.tuples(st.sampled_from(LETTERS + VALUED), st.booleans()), min_size=1, max_size=30).map(
    lambda pairs: grouped(tuple(event for event, _ in pairs), tuple(tied for _, tied in pairs))
)


@given(traces)
def test_every_operator_agrees_on_long_traces(trace: Trace) -> None:
    agree(trace, tuple(OPERATORS), BOOK)


@given(traces)
def test_the_offending_event_of_a_safety_rule_ends_the_shortest_prefix_that_breaks_it(trace: Trace) -> None:
    lines = lines_of(trace)
    for name, verdict in zip(SAFETY, check(book_of(*SAFETY), lines, finished=True).all, strict=True):
        if verdict.result == "fail":
            at = verdict.seq
            assert at is not None
            assert not holds(name, prefix(trace, at + 1))
            assert at == 0 or holds(name, prefix(trace, at))


def prefix(trace: Trace, length: int) -> Trace:
    kept: list[list[Event]] = []
    for instant in trace:
        taken = list(instant[: length - sum(map(len, kept))])
        if taken:
            kept.append(taken)
    return kept


@given(traces, traces)
def test_what_is_violated_stays_violated_whatever_comes(trace: Trace, more: Trace) -> None:
    book = BOOK
    states = list(book.start)
    longer = [*trace, *more]
    for event in happenings(lines_of(longer), {"note"}):
        before = [rule.so_far(state) for rule, state in zip(book.rules, states, strict=True)]
        book.advance(states, event)
        after = [rule.so_far(state) for rule, state in zip(book.rules, states, strict=True)]
        assert all(new == "violated" for old, new in zip(before, after, strict=True) if old == "violated")
    for rule, state in zip(book.rules, states, strict=True):
        assert (rule.so_far(state) == "satisfied") == holds(rule.id, longer)


@given(traces)
def test_liveness_rules_are_never_lost_before_the_end(trace: Trace) -> None:
    book = book_of("after", "last", "same")
    states = list(book.start)
    for event in happenings(lines_of(trace), {"note"}):
        book.advance(states, event)
    assert "violated" not in {rule.so_far(state) for rule, state in zip(book.rules, states, strict=True)}


@given(traces)
def test_a_state_has_a_fixed_size(trace: Trace) -> None:
    states = list(BOOK.start)
    for event in happenings(lines_of(trace), {"note"}):
        BOOK.advance(states, event)
        assert all(len(repr(state)) < 100 for state in states)


def verdict_of(name: str, *turns: tuple[int, str]) -> tuple[str, int | None, str]:
    lines = [{"seq": seq, "turn": turn, "event": "note", "message": word} for seq, (turn, word) in enumerate(turns)]
    verdict = check(book_of(name), lines, finished=True).all[0]
    return verdict.result, verdict.seq, verdict.reason


def test_a_tie_is_no_order() -> None:
    assert verdict_of("before", (1, "a"), (1, "b"))[:2] == ("fail", 1)
    assert verdict_of("before", (1, "a"), (2, "b"))[0] == "pass"
    assert verdict_of("after", (1, "a"), (1, "b"))[:2] == ("fail", 0)
    assert verdict_of("between", (1, "a"), (1, "c"))[0] == "pass"
    assert verdict_of("between", (1, "a"), (2, "b"), (2, "c"))[:2] == ("fail", 2)


def test_what_no_model_turn_caused_is_ordered_as_it_stands() -> None:
    assert verdict_of("before", (0, "a"), (0, "b"))[0] == "pass"
    assert verdict_of("after", (3, "a"), (0, "b"))[0] == "pass"


def test_of_several_last_ones_in_one_turn_all_count() -> None:
    assert verdict_of("last", (1, "ab"), (2, "a"), (2, "ab"))[:2] == ("fail", 1)
    assert verdict_of("last", (1, "a"), (2, "ab"), (2, "ab"))[0] == "pass"


def test_a_last_one_that_is_missing_is_a_failure_and_no_pass() -> None:
    assert verdict_of("last", (1, "b")) == ("fail", None, "there was none")


@pytest.mark.parametrize(
    ("turns", "result", "seq"),
    [
        ([(1, "c")], "not_evaluable", None),
        ([(1, "aX")], "fail", 0),
        ([(1, "aX"), (2, "bY")], "fail", 1),
        ([(1, "aX"), (2, "bY"), (3, "bX")], "pass", None),
        ([(1, "aX"), (1, "aY"), (2, "bY")], "fail", 1),
        ([(1, "a"), (2, "bY")], "fail", 1),
    ],
)
def test_same_compares_what_was_said_last(turns: list[tuple[int, str]], result: str, seq: int | None) -> None:
    assert verdict_of("same", *turns)[:2] == (result, seq)


def test_happenings_of_other_kinds_change_nothing() -> None:
    assert BOOK.steps.keys() == {"note"}
    states = list(BOOK.start)
    BOOK.advance(states, Happening(0, 0, "file_write", {"path": "a"}))
    assert states == BOOK.start
