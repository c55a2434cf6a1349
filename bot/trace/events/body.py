"""What every event is, and what outputs in them are."""

from __future__ import annotations

import msgspec


class EventBody(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=False):
    """What all events have in common: nothing but being one."""


class Clipped(msgspec.Struct, frozen=True, kw_only=True):
    """A text of which the trace holds head and tail; the whole lies in `blobs/<sha256>` when `blob` is set."""

    text: str
    """The whole text, or head, a line `… N bytes left out …`, and tail."""
    bytes: int
    """Size of the whole."""
    truncated: bool = False
    """Whether something was left out."""
    blob: str | None = None
    """SHA-256 of the whole in `blobs/`."""
