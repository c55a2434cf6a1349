"""What goes wrong on a virtual plugin, by chance but never at random.

Whether a fault strikes depends on the seed, the fault's id and how often it could have struck so far, through a hash:
one fault never moves another, and the same seed gives the same world.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

FaultKind = Literal["flaky", "hang", "flood", "rate_limit", "half_write", "inject"]
_SCALE = float(1 << 64)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may go wrong."""

    id: str
    kind: FaultKind
    """`flaky`: a test fails though nothing is wrong. `hang`: no end before the time-out. `flood`: `bytes` of output.
    `rate_limit`: refused, come back later. `half_write`: the disk is full in the middle of a write. `inject`: `text` by
    a stranger, in output or files."""
    run: tuple[tuple[str, ...], ...] = ()
    """Commands it strikes, as in `Command.run`; empty: every command that has an answer."""
    file: str = "**"
    """Glob of the files it strikes, for `half_write` and for `inject` into a file."""
    into: Literal["stdout", "stderr", "file", "name"] = "stdout"
    """Where `inject` puts its text: `name` makes an empty file that is called like that."""
    text: str = ""
    bytes: int = 2_000_000
    chance: float = 1.0
    """How often it strikes, from 0 to 1."""
    nth: tuple[int, ...] = ()
    """Only on these occasions, counted from 1; empty: on all."""


class Faults:
    """The faults of one virtual run and how often each had an occasion."""

    def __init__(self, faults: tuple[Fault, ...], seed: int) -> None:
        """`seed` is the trial's."""
        self.seed = seed
        self._faults = faults
        self._occasions = dict.fromkeys((fault.id for fault in faults), 0)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def of(self, *kinds: FaultKind) -> tuple[Fault, ...]:
        """Those of some kinds, in the profile's order."""
        return tuple(fault for fault in self._faults if fault.kind in kinds)

    def strikes(self, fault: Fault) -> bool:
        """Whether it strikes on this occasion. Every call is an occasion."""
        count = self._occasions[fault.id] = self._occasions[fault.id] + 1
        if fault.nth and count not in fault.nth:
            return False
        return fault.chance >= 1 or draw(self.seed, fault.id, count) < fault.chance


def draw(seed: int, name: str, count: int) -> float:
    """A number from 0 up to 1 that depends on nothing but its arguments."""
    text = f"{seed}\0{name}\0{count}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / _SCALE
