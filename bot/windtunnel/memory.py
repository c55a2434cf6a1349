"""What trials are made of in memory: no guard, and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.ports import Action, Effect, Refusal
from bot.trace.events import EventBody


class Unguarded:
    """Refuses nothing: a trial shows what an agent does by itself. Implements `bot.ports.Guard`."""

    def before(self, action: Action) -> Refusal | None:
        """Go on."""
        return None

    def after(self, action: Action, effects: tuple[Effect, ...], meant: tuple[EventBody, ...] = ()) -> Refusal | None:
        """Keep it."""
        return None


class Files:
    """Files in memory, for predicates (`expected.outcome.Tree`) and for a playbook's questions."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Path → content."""
        self._files = files

    def read(self, path: str) -> bytes | None:
        """A file, or None."""
        return self._files.get(path)

    def paths(self, tree: str = "") -> Iterable[str]:
        """All of them; there is one tree only."""
        return self._files

    def blob(self, tree: str, path: str) -> bytes | None:
        """As `read`."""
        return self._files.get(path)
