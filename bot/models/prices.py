"""What tokens cost. US dollars per million, standard tier, text, as Google's price page had them on `AS_OF`.

A price that is announced to rise stands here as it will be, so that no date makes us count too little. A model that is
not in the table costs the upper estimate of `bot.agent.limits`.
"""

from __future__ import annotations

import re

import msgspec

from bot.agent.limits import UPPER_INPUT_USD, UPPER_OUTPUT_USD
from bot.base.values import Usage

AS_OF = "2026-11-12"
LONG_PROMPT = 200_000
"""Prompt tokens above which some models cost more, for all of the call."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars per million tokens. Thoughts cost what output costs."""

    input: float
    output: float
    cached: float | None = None
    """Of the prompt tokens that came from the cache; None when unknown: then they cost what others do."""
    long_input: float | None = None
    long_output: float | None = None


PRICES: dict[str, Price] = {
    "gemini-4-argon": Price(input=4.0, output=20.0, cached=0.2),
    "gemini-4-carbon": Price(input=4.0, output=20.0, cached=0.2),
    "gemini-4-neon": Price(input=3.0, output=15.0, cached=0.15),
    "gemini-4-hydrogen": Price(input=1.5, output=7.5, cached=0.075),
    "gemini-3.8-flash": Price(input=1.5, output=7.5),
    "gemini-3.7-flash": Price(input=1.5, output=7.5),
    "gemini-3.6-flash": Price(input=1.5, output=7.5),
    "gemini-3.5-flash": Price(input=1.5, output=9.0),
    "gemini-3.5-flash-lite": Price(input=0.3, output=2.5),
    "gemini-3.1-pro": Price(input=2.0, output=12.0, long_input=4.0, long_output=18.0),
    "gemini-3.1-flash-lite": Price(input=0.25, output=1.5),
    "gemini-3-pro": Price(input=2.0, output=12.0, long_input=4.0, long_output=18.0),
    "gemini-3-flash": Price(input=0.5, output=3.0, cached=0.05),
    "gemini-2.5-pro": Price(input=1.25, output=10.0, long_input=2.5, long_output=15.0),
    "gemini-2.5-flash": Price(input=0.3, output=2.5),
    "gemini-2.5-flash-lite": Price(input=0.1, output=0.4),
}
"""By the model's name without version and stage: `gemini-2.5-pro-preview-06-05` is found as `gemini-2.5-pro`."""

_STAGE = re.compile(r"(?:-(?:preview|exp|latest|customtools|\d+))*")


def cost(model: str, usage: Usage) -> tuple[float, bool]:
    """What a call cost in US dollars, and whether that is only an upper estimate."""
    price = price_of(model)
    if price is None:
        return usage.prompt * UPPER_INPUT_USD + (usage.output + usage.thoughts) * UPPER_OUTPUT_USD, True
    long = usage.prompt > LONG_PROMPT
    per_input = price.long_input if long and price.long_input is not None else price.input
    per_output = price.long_output if long and price.long_output is not None else price.output
    per_cached = per_input if price.cached is None else price.cached
    cached = min(usage.cached, usage.prompt)
    dollars = (usage.prompt - cached) * per_input + cached * per_cached + (usage.output + usage.thoughts) * per_output
    return dollars / 1e6, False


def price_of(model: str) -> Price | None:
    """The price of a model by its name, with or without `models/` and the like before it; None when not known."""
    name = model.rsplit("/", 1)[-1]
    for known in sorted(PRICES, key=len, reverse=True):
        if name.startswith(known) and _STAGE.fullmatch(name[len(known) :]):
            return PRICES[known]
    return None
