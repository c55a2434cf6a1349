"""The attacks once more as a user without any rights, for those who run the tests as root."""

from __future__ import annotations

from pathlib import Path

import pytest
from without_rights import without_rights

FILES = sorted(file.name for file in Path(__file__).parent.glob("test_*.py") if file.name != "test_unprivileged.py")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("file", FILES)
def test_the_attacks_hold_for_a_user_without_rights(project: Path, file: str) -> None:
    said = without_rights(project, f"tests/attacks/{file}")
    assert " passed" in said
    assert "failed" not in said
