"""What a run may spend. Every limit fails closed: what is not known counts as the upper estimate."""

from __future__ import annotations

import json
import threading
from typing import Literal

import msgspec

from bot.base.clock import Clock
from bot.base.messages import Reply, Request
from bot.base.values import Limits, Usage

LimitName = Literal["steps", "minutes", "tokens", "cost_usd", "stuck", "nudges", "interrupted"]

UPPER_INPUT_USD = 10e-6
UPPER_OUTPUT_USD = 60e-6
"""US dollars a token, above every price known in November 2026: what a token costs whose price we do not know."""
BYTES_PER_TOKEN = 2
"""Fewer than any text needs on average, so that counting this way never gives too little."""
UNSEEN_THOUGHTS = 8_192
"""Tokens of thinking that a reply without usage is taken to have had."""


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that stands in the way."""

    limit: LimitName
    allowed: float
    used: float
    message: str


class Purse:
    """A campaign's money and tokens, shared by its tasks; safe to use from several threads."""

    def __init__(self, *, cost_usd: float | None = None, tokens: int | None = None) -> None:
        """None means no limit."""
        self._cost, self._tokens = cost_usd, tokens
        self._spent = Usage()
        self._lock = threading.Lock()

    def charge(self, usage: Usage) -> None:
        """Take it out."""
        with self._lock:
            self._spent += usage

    def reached(self) -> Reached | None:
        """The limit of the campaign that is used up, if one is."""
        with self._lock:
            spent = self._spent
        if self._cost is not None and spent.cost_usd >= self._cost:
            return _reached("cost_usd", self._cost, spent.cost_usd, f"The campaign's ${self._cost:g} are spent.")
        if self._tokens is not None and spent.total >= self._tokens:
            return _reached("tokens", self._tokens, spent.total, f"The campaign's {self._tokens:,} tokens are spent.")
        return None


class Budget:
    """One run's account."""

    def __init__(self, limits: Limits, clock: Clock, *, began: float, purse: Purse | None = None) -> None:
        """`began` is when the task began, on the clock's monotonic scale: set-up and waiting count too."""
        self._limits, self._clock, self._purse = limits, clock, purse
        self._began = began
        self.deadline = began + limits.minutes * 60
        self.steps = 0
        self.usage = Usage()
        self._tokens_used = 0

    def pause(self, seconds: float) -> None:
        """Time that a person took is not the task's."""
        self._began += seconds
        self.deadline += seconds

    def left(self) -> float:
        """Seconds until the deadline, not below zero."""
        return max(self.deadline - self._clock.monotonic(), 0.0)

    def charge(self, usage: Usage) -> None:
        """Count one reply."""
        self.steps += 1
        self.usage += usage
        self._tokens_used = self.usage.total
        if self._purse is not None:
            self._purse.charge(usage)

    def before_call(self) -> Reached | None:
        """Why there must be no further model call, or None."""
        if self.steps >= self._limits.steps:
            return _reached(
                "steps", self._limits.steps, self.steps, f"No answer after {self.steps} turns, the limit for this task."
            )
        if self._tokens_used >= self._limits.tokens:
            return self._tokens()
        if self.usage.cost_usd >= self._limits.cost_usd:
            return self._cost()
        return self.now()

    def now(self) -> Reached | None:
        """Why nothing must go on at all, or None: looked at after each reply and before each tool."""
        if self._clock.monotonic() >= self.deadline:
            minutes = (self._clock.monotonic() - self._began) / 60
            allowed = self._limits.minutes
            return _reached("minutes", allowed, minutes, f"No end after {allowed:g} minutes, the limit for this task.")
        if self._tokens_used > self._limits.tokens:
            return self._tokens()
        if self.usage.cost_usd > self._limits.cost_usd:
            return self._cost()
        return self._purse.reached() if self._purse is not None else None

    def _tokens(self) -> Reached:
        allowed, used = self._limits.tokens, self._tokens_used
        return _reached("tokens", allowed, used, f"{used:,} tokens used, {allowed:,} are the limit for this task.")

    def _cost(self) -> Reached:
        allowed, used = self._limits.cost_usd, self.usage.cost_usd
        about = "up to " if self.usage.estimated else ""
        return _reached(
            "cost_usd", allowed, used, f"{about}${used:.4f} spent, ${allowed:g} are the limit for this task."
        )


def charged(request: Request, reply: Reply) -> Usage:
    """What a reply is counted as: its usage, or the upper estimate where neither provider nor adapter told one."""
    usage = reply.usage
    if reply.usage_missing and usage.total == 0:
        usage = upper_estimate(_size(request), _size(reply.turn))
    return usage if usage.calls else msgspec.structs.replace(usage, calls=1)


def upper_estimate(sent: int, received: int) -> Usage:
    """The most that a call can plausibly have cost, from the bytes that went out and came back."""
    prompt, output = sent // BYTES_PER_TOKEN + 1, received // BYTES_PER_TOKEN + 1
    cost = prompt * UPPER_INPUT_USD + (output + UNSEEN_THOUGHTS) * UPPER_OUTPUT_USD
    return Usage(prompt=prompt, output=output, thoughts=UNSEEN_THOUGHTS, cost_usd=cost, estimated=True)


def _size(value: object) -> int:
    return len(json.dumps(msgspec.to_builtins(value)))


def _reached(limit: LimitName, allowed: float, used: float, message: str) -> Reached:
    return Reached(limit=limit, allowed=allowed, used=round(used, 6), message=message)
