"""What goes out to a model, as one hash, so that a replay can tell whether it would send the same."""

from __future__ import annotations

import hashlib
import operator

import msgspec

from bot.base.messages import Request

_ENCODER = msgspec.json.Encoder()


class Sent:
    """Hashes the requests of one conversation; what it knows of the one before costs next to nothing."""

    def __init__(self) -> None:
        """Nothing sent yet."""
        self._before: Request | None = None
        self._hash = hashlib.sha256()

    def digest(self, request: Request) -> str:
        """Over system prompt, tools and all turns; empty where the text is none that JSON can hold."""
        encode, sha = _ENCODER.encode, hashlib.sha256
        before, self._before = self._before, None  # until all of it is hashed
        try:
            if before is None or not _goes_on(before, request):
                self._hash = sha(encode((request.system, request.tools, request.force_call)))
                new = request.turns
            else:
                new = request.turns[len(before.turns) :]
            for turn in new:
                self._hash.update(sha(encode(turn)).digest())
        except (UnicodeEncodeError, OverflowError):
            return ""
        self._before = request
        return self._hash.hexdigest()


def _goes_on(before: Request, request: Request) -> bool:
    """Whether it is the same conversation, some turns later."""
    return (
        request.system is before.system
        and request.tools is before.tools
        and request.force_call is before.force_call
        and len(request.turns) >= len(before.turns)
        and all(map(operator.is_, before.turns, request.turns))
    )
