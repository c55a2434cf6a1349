"""What goes out to a model, as one hash, so that a replay can tell whether it would send the same."""

from __future__ import annotations

import hashlib
import operator
from typing import Any

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
                self._hash = _head(request)
                new = request.turns
            else:
                new = request.turns[len(before.turns) :]
            for turn in new:
                self._hash.update(sha(encode(turn)).digest())
        except (UnicodeEncodeError, OverflowError):
            return ""
        self._before = request
        return self._hash.hexdigest()


_heads: list[tuple[Request, Any]] = []
"""The request whose head was hashed last, with the hash; all trials of a scenario have the same."""


def _head(request: Request) -> Any:
    """The hash of what comes before the turns, to be gone on with."""
    for known, found in tuple(_heads):  # other threads may put another there at any time
        if _same_head(known, request):
            return found.copy()
    found = hashlib.sha256(_ENCODER.encode((request.system, request.tools, request.force_call)))
    _heads[:] = [(msgspec.structs.replace(request, turns=()), found)]
    return found.copy()


def _same_head(one: Request, other: Request) -> bool:
    return one.system is other.system and one.tools is other.tools and one.force_call is other.force_call


def _goes_on(before: Request, request: Request) -> bool:
    """Whether it is the same conversation, some turns later."""
    return (
        _same_head(before, request)
        and len(request.turns) >= len(before.turns)
        and all(map(operator.is_, before.turns, request.turns))
    )
