"""The confinement suite once more as a user without any rights, for those who run the tests as root."""

from __future__ import annotations

from pathlib import Path

import pytest
from without_rights import without_rights


@pytest.mark.timeout(300)
@pytest.mark.parametrize("file", ["test_confinement.py", "test_port.py", "test_real_projects.py"])
def test_every_level_holds_for_a_user_without_rights(project: Path, file: str) -> None:
    assert " passed" in without_rights(project, f"tests/contract/sandbox/{file}")
