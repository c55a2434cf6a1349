"""A small virtual plugin to try things on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from planted_profiles import CALC, RULES, plant

from bot.virtual.profile import Profile
from bot.virtual.profile_reader import read_profile
from bot.virtual.sandbox import VirtualSandbox


@pytest.fixture
def calc(tmp_path: Path) -> Profile:
    """`add` subtracts, and a test shows it."""
    return read_profile(plant(tmp_path / "calc", RULES))


@pytest.fixture
def sandbox(calc: Profile) -> VirtualSandbox:
    """`calc`, fresh."""
    return VirtualSandbox(calc, seed=1)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., VirtualSandbox]:
    """Makes a sandbox of `calc` with more lines in its profile; the same lines give the same virtual plugin."""
    profiles: dict[object, Profile] = {}

    def make(
        more: str = "", *, seed: int = 1, files: dict[str, str] | None = None, rules: str = RULES
    ) -> VirtualSandbox:
        key = (rules + more, tuple(sorted((CALC if files is None else files).items())))
        if key not in profiles:
            profiles[key] = read_profile(plant(tmp_path / f"made{len(profiles)}", rules + more, files))
        return VirtualSandbox(profiles[key], seed=seed)

    return make
