"""The runtime rules that need no trace: which paths a run may change."""

from __future__ import annotations

from bot.expected.paths import Scope
from bot.ports import Action, Effect, Refusal


class PathGuard:
    """Refuses changes outside of the scope: declared ones before the tool runs, seen ones afterwards."""

    def __init__(self, scope: Scope) -> None:
        """`scope` is the task's."""
        self._scope = scope

    def before(self, action: Action) -> Refusal | None:
        """Look at what the tool says it will change."""
        return self._judge(action.declared)

    def after(self, action: Action, effects: tuple[Effect, ...]) -> Refusal | None:
        """Look at what was really changed."""
        return self._judge(effects)

    def _judge(self, effects: tuple[Effect, ...]) -> Refusal | None:
        for effect in effects:
            reason = self._scope.why_not(effect.path)
            if reason is not None:
                return Refusal(by="policy", rule="paths", message=reason)
        return None
