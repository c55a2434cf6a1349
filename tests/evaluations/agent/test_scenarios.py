"""The same scenarios with a live model. Opt-in, since it costs money:

`FLEET_BOT_EVALUATE=gemini-3.8-flash GEMINI_API_KEY=… pytest tests/evaluations/agent`
"""

from __future__ import annotations

import os

import pytest
from evaluations import evaluate, scenarios

from bot.base.clock import SystemClock
from bot.models.gemini import GeminiModel
from bot.ports import ModelId
from bot.windtunnel.pilots import LivePilot

MODEL, KEY = os.environ.get("FLEET_BOT_EVALUATE", ""), os.environ.get("GEMINI_API_KEY", "")
SCENARIOS = scenarios(scripted=False)
pytestmark = [
    pytest.mark.skipif(not (MODEL and KEY), reason="needs FLEET_BOT_EVALUATE=<model> and GEMINI_API_KEY"),
    pytest.mark.timeout(1800),
]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_model_flies(name: str) -> None:
    clock = SystemClock()
    base = os.environ.get("GOOGLE_GEMINI_BASE_URL") or None
    pilot = LivePilot(
        lambda task: GeminiModel(key=KEY, name=MODEL, base_url=base, clock=clock),
        ModelId(adapter="gemini", name=MODEL, endpoint=base or ""),
        clock,
    )
    evaluate(SCENARIOS[name], pilot)
