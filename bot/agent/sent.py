"""What goes out to a model, as one hash, so that a replay can tell whether it would send the same."""

from __future__ import annotations

import hashlib
import operator

import msgspec

from bot.base.messages import Request, Turn

_ENCODER = msgspec.json.Encoder()


def _same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return bool(others) and all(map(operator.is_, some, others))


class Sent:
    """Hashes the requests of one conversation; what it knows of the one before costs next to nothing."""

    def __init__(self) -> None:
        """Nothing sent yet."""
        self._head: tuple[object, ...] = ()
        self._turns: tuple[Turn, ...] = ()
        self._hash = hashlib.sha256()

    def digest(self, request: Request) -> str:
        """Over system prompt, tools and all turns; empty where the text is none that JSON can hold."""
        head, known = (request.system, request.tools, request.force_call), len(self._turns)
        try:
            if len(request.turns) < known or not _same(head, self._head) or not _same(self._turns, request.turns):
                self._head, known = head, 0
                self._hash = hashlib.sha256(_ENCODER.encode(head))
            self._turns = ()  # until all of them are hashed
            for turn in request.turns[known:]:
                self._hash.update(hashlib.sha256(_ENCODER.encode(turn)).digest())
            self._turns = request.turns
        except (UnicodeEncodeError, OverflowError):
            self._head = ()
            return ""
        return self._hash.hexdigest()
