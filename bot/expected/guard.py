"""The runtime rules that need no trace: which paths a run may change."""

from __future__ import annotations

from bot.expected.paths import why_not
from bot.ports import Action, Effect, Refusal


class PathGuard:
    """Refuses changes outside of the allowed paths and to protected files, declared ones before and seen ones after."""

    def __init__(
        self, *, allowed: tuple[str, ...] = (), protected: tuple[str, ...] = (), opens: tuple[str, ...] = ()
    ) -> None:
        """Globs. `allowed` empty means everything; `protected` comes besides the built-in ones; `opens` lifts them."""
        self._allowed, self._protected, self._opens = allowed, protected, opens

    def before(self, action: Action) -> Refusal | None:
        """Look at what the tool says it will change."""
        return self._judge(action.declared)

    def after(self, action: Action, effects: tuple[Effect, ...]) -> Refusal | None:
        """Look at what was really changed."""
        return self._judge(effects)

    def _judge(self, effects: tuple[Effect, ...]) -> Refusal | None:
        for effect in effects:
            reason = why_not(effect.path, allowed=self._allowed, protected=self._protected, opens=self._opens)
            if reason is not None:
                return Refusal(by="policy", rule="paths", message=reason)
        return None
