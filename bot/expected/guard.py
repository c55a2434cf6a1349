"""The guards of a run: which paths it may change, and what the playbook's rules forbid."""

from __future__ import annotations

from bot.base.values import Task
from bot.expected.document import rules_of
from bot.expected.paths import Scope, scope_of
from bot.expected.rule_guard import RuleGuard, WatchedTrace
from bot.ports import Action, Effect, Guard, Refusal, TraceSink
from bot.trace.events import EventBody


class PathGuard:
    """Refuses changes outside of the scope: declared ones before the tool runs, seen ones afterwards."""

    def __init__(self, scope: Scope) -> None:
        """`scope` is the task's."""
        self._scope = scope

    def before(self, action: Action) -> Refusal | None:
        """Look at what the tool says it will change."""
        return self._judge(action.declared)

    def after(self, action: Action, effects: tuple[Effect, ...], meant: tuple[EventBody, ...] = ()) -> Refusal | None:
        """Look at what was really changed."""
        return self._judge(effects)

    def _judge(self, effects: tuple[Effect, ...]) -> Refusal | None:
        for effect in effects:
            reason = self._scope.why_not(effect.path)
            if reason is not None:
                return Refusal(by="policy", rule="paths", message=reason)
        return None


class AllGuards:
    """Several guards as one: the first refusal counts."""

    def __init__(self, *guards: Guard) -> None:
        """Asked in this order."""
        self.guards = guards

    def before(self, action: Action) -> Refusal | None:
        """Ask each."""
        return next((no for guard in self.guards if (no := guard.before(action)) is not None), None)

    def after(self, action: Action, effects: tuple[Effect, ...], meant: tuple[EventBody, ...] = ()) -> Refusal | None:
        """Ask each."""
        return next((no for guard in self.guards if (no := guard.after(action, effects, meant)) is not None), None)


def guard_of(task: Task, protected: tuple[str, ...] = ()) -> Guard:
    """All guards of a task; `protected` are the fleet's own additions. Raises `ConfigurationError` for wrong rules.

    The rules have to see the trace: give the sink of the run through `watched`.
    """
    paths = PathGuard(scope_of(task, protected))
    book = rules_of(task.playbook, task.variables)
    return AllGuards(paths, RuleGuard(book)) if book.rules else paths


def watched(sink: TraceSink, guard: Guard) -> TraceSink:
    """The trace as the run has to write it, so that the rules in `guard` see what happens."""
    for part in guard.guards if isinstance(guard, AllGuards) else (guard,):
        if isinstance(part, RuleGuard):
            sink = WatchedTrace(sink, part)
    return sink
