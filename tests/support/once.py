"""What is costly to make and only looked at afterwards is made by one worker of a test run, for all of them."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """What `make` returned (plain JSON), called with an empty folder by the first worker that asks."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = root / f"{name}.json"
        if not made.exists():
            folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
            made.write_text(json.dumps(make(folder)), encoding="utf-8")
    found: dict[str, Any] = json.loads(made.read_text(encoding="utf-8"))
    return found
