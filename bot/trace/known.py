"""What the first event of many traces has in common: spelled once, and looked at for secrets once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bot.base.canonical import canonical
from bot.base.redact import Redactor

_ENCODER = msgspec.json.Encoder()


class Known(msgspec.Struct, frozen=True):
    """Fields of an event, with how they are spelled."""

    values: Mapping[str, Any]
    line: Mapping[str, msgspec.Raw]
    """As they stand in a line."""
    hashed: Mapping[str, msgspec.Raw]
    """As they stand in the canonical JSON that is hashed."""

    def held_by(self, fields: Mapping[str, Any]) -> bool:
        """Whether an event has these very objects in its fields."""
        return all(fields.get(name) is value for name, value in self.values.items())

    def rest_of(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The other fields."""
        return {name: value for name, value in fields.items() if name not in self.values}


def known(values: Mapping[str, Any], redactor: Redactor) -> Known | None:
    """These values, spelled; None where there may be a secret in them."""
    if redactor.suspicious(_ENCODER.encode(values)):
        return None
    return Known(
        values,
        {name: msgspec.Raw(_ENCODER.encode(value)) for name, value in values.items()},
        {name: msgspec.Raw(canonical(value)) for name, value in values.items()},
    )
