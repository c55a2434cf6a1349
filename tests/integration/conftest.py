"""A world of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A virtual GitHub and a virtual Gemini, running."""
    with World(tmp_path) as running:
        yield running
