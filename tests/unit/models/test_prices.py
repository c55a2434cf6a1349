"""What tokens cost."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.limits import UPPER_INPUT_USD, UPPER_OUTPUT_USD
from bot.base.values import Usage
from bot.models.prices import AS_OF, LONG_PROMPT, PRICES, cost, price_of


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("gemini-2.5-pro", "gemini-2.5-pro"),
        ("gemini-2.5-pro-preview-06-05", "gemini-2.5-pro"),
        ("models/gemini-2.5-flash-lite-001", "gemini-2.5-flash-lite"),
        ("projects/p/locations/l/publishers/google/models/gemini-3-pro-preview", "gemini-3-pro"),
        ("gemini-3.1-pro-preview-customtools", "gemini-3.1-pro"),
        ("gemini-2.5-flash-image", None),
        ("gemini-2.5-professional", None),
        ("gemini-flash-latest", None),
        ("virtual", None),
    ],
)
def test_a_model_is_found_by_name_without_version_and_stage(name: str, known: str | None) -> None:
    assert price_of(name) == (PRICES[known] if known else None)


def test_cached_tokens_cost_less_where_that_is_known() -> None:
    usage = Usage(prompt=1_000_000, cached=1_000_000)
    assert cost("gemini-4-argon", Usage(prompt=100_000, cached=50_000)) == (pytest.approx(0.05 * 4 + 0.05 * 0.2), False)
    assert cost("gemini-3.5-flash", usage) == (pytest.approx(1.5), False)


def test_a_long_prompt_makes_all_of_the_call_dearer() -> None:
    short, _ = cost("gemini-2.5-pro", Usage(prompt=LONG_PROMPT, output=1000))
    long, _ = cost("gemini-2.5-pro", Usage(prompt=LONG_PROMPT + 1, output=1000))
    assert long == pytest.approx(short * 2, rel=0.05)


def test_thoughts_cost_what_output_costs() -> None:
    assert cost("gemini-2.5-pro", Usage(thoughts=7)) == cost("gemini-2.5-pro", Usage(output=7))


@given(prompt=st.integers(0, 10**6), output=st.integers(0, 10**6), name=st.sampled_from(sorted(PRICES)))
def test_no_known_price_is_above_the_upper_estimate(prompt: int, output: int, name: str) -> None:
    usage = Usage(prompt=prompt, output=output)
    upper, estimated = cost("unknown", usage)
    assert estimated
    assert cost(name, usage)[0] <= upper + 1e-9
    assert upper == pytest.approx(prompt * UPPER_INPUT_USD + output * UPPER_OUTPUT_USD)


def test_the_table_says_how_old_it_is() -> None:
    assert datetime.date.fromisoformat(AS_OF)
