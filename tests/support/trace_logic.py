"""An independent reading of the eight operators: linear temporal logic over finite traces, evaluated by its definition.

A trace is a list of instants, an instant the list of events that are tied, an event a set of letters. Nothing here
knows of monitors, ranks or states, and nothing is fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Event = frozenset[str]
Trace = Sequence[Sequence[Event]]
Formula = Callable[[Trace, int], bool]
"""Whether it holds at an instant of a trace."""


def some(test: Callable[[Event], bool]) -> Formula:
    return lambda trace, at: any(test(event) for event in trace[at])


def atom(letter: str) -> Formula:
    return some(lambda event: letter in event)


def no(inner: Formula) -> Formula:
    return lambda trace, at: not inner(trace, at)


def both(one: Formula, two: Formula) -> Formula:
    return lambda trace, at: one(trace, at) and two(trace, at)


def either(one: Formula, two: Formula) -> Formula:
    return lambda trace, at: one(trace, at) or two(trace, at)


def following(inner: Formula) -> Formula:
    """Strong next: there is a next instant, and it holds there."""
    return lambda trace, at: at + 1 < len(trace) and inner(trace, at + 1)


def eventually(inner: Formula) -> Formula:
    return lambda trace, at: any(inner(trace, later) for later in range(at, len(trace)))


def always(inner: Formula) -> Formula:
    return no(eventually(no(inner)))


def until(hold: Formula, goal: Formula) -> Formula:
    return lambda trace, at: any(
        goal(trace, end) and all(hold(trace, middle) for middle in range(at, end)) for end in range(at, len(trace))
    )


def weak_until(hold: Formula, goal: Formula) -> Formula:
    return either(until(hold, goal), always(hold))


def implies(one: Formula, two: Formula) -> Formula:
    return either(no(one), two)


A, B, C = atom("a"), atom("b"), atom("c")
A_NOT_B = some(lambda event: "a" in event and "b" not in event)

FORMULAS: dict[str, Formula] = {
    "never": always(no(A)),
    "only": always(no(A_NOT_B)),
    "before": weak_until(no(B), both(A, no(B))),
    "after": always(implies(A, following(eventually(B)))),
    "last": both(eventually(A), always(implies(both(A, no(following(eventually(A)))), no(A_NOT_B)))),
    # Weak next: where nothing follows, nothing is forbidden.
    "between": always(implies(A, no(following(no(weak_until(no(C), both(B, no(C)))))))),
    "between-end": always(implies(A, no(following(eventually(C))))),
}


def holds(name: str, trace: Trace) -> bool:
    """Whether a trace fulfils the rule of this name; what no temporal logic says is counted."""
    events = [event for instant in trace for event in instant]
    if name == "count":
        return 1 <= sum("a" in event for event in events) <= 2
    if name == "at-most":
        return sum("a" in event for event in events) <= 1
    if name == "same":
        ends = [_final(trace, side) for side in ("a", "b")]
        return all(ends) and len(ends[0] | ends[1]) == 1
    return FORMULAS[name](trace, 0) if trace else name not in {"last"}


def _final(trace: Trace, side: str) -> set[str]:
    """The values (capital letters) that `side` shows in the last instant in which it shows any."""
    for instant in reversed(trace):
        values = {value for event in instant if side in event for value in event if value.isupper()}
        if values:
            return values
    return set()
