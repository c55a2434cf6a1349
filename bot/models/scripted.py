"""A model that says what a script says, for tests, attacks and the wind tunnel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bot.base.errors import TaskFailed
from bot.base.messages import Reply, Request
from bot.ports import AttemptListener, ModelId


class ScriptedModel:
    """Answers with replies from a list, one after the other, or with what a function makes of the request.

    `requests` has all requests so far, oldest first.
    """

    def __init__(
        self, replies: Iterable[Reply | Exception] | Callable[[Request], Reply], name: str = "scripted"
    ) -> None:
        """An exception in the list is raised in its turn. When the list is used up the model fails, loudly."""
        self._answer: Callable[[Request], Reply] | None = replies if callable(replies) else None
        self._replies: Iterator[Reply | Exception] = iter(()) if callable(replies) else iter(replies)
        self._identity = ModelId(adapter="scripted", name=name)
        self.requests: list[Request] = []

    @property
    def identity(self) -> ModelId:
        """Who answers."""
        return self._identity

    def reply(self, request: Request, *, deadline: float, on_attempt: AttemptListener) -> Reply:
        """The next line of the script. Raises `TaskFailed` when there is none."""
        self.requests.append(request)
        if self._answer is not None:
            return self._answer(request)
        said = next(self._replies, None)
        if said is None:
            msg = f"The scripted model {self._identity.name} has no line after {len(self.requests) - 1} turns."
            raise TaskFailed(msg)
        if isinstance(said, Exception):
            raise said
        return said
