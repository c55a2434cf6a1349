"""What goes out to a model, as one hash, so that a replay can tell whether it would send the same."""

from __future__ import annotations

import hashlib
import operator

import msgspec

from bot.base.messages import Request, Turn

_ENCODER = msgspec.json.Encoder()


class Sent:
    """Hashes the requests of one conversation; turns that it knows already cost next to nothing."""

    def __init__(self) -> None:
        """Nothing sent yet."""
        self._known: list[tuple[Turn, bytes]] = []
        self._head: tuple[object, ...] = ()
        self._hashed = hashlib.sha256()

    def digest(self, request: Request) -> str:
        """Over system prompt, tools and all turns; empty where the text is none that JSON can hold."""
        try:
            head = (request.system, request.tools, request.force_call)
            if len(self._head) != len(head) or any(map(operator.is_not, head, self._head)):
                self._head, self._hashed = head, hashlib.sha256(_ENCODER.encode(head))
            whole = self._hashed.copy()
            for number, turn in enumerate(request.turns):
                if number == len(self._known) or self._known[number][0] is not turn:
                    self._known[number:] = [(turn, hashlib.sha256(_ENCODER.encode(turn)).digest())]
            whole.update(b"".join([digest for _, digest in self._known[: len(request.turns)]]))
        except (UnicodeEncodeError, OverflowError):
            return ""
        return whole.hexdigest()
