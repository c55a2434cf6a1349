"""What the tests of the virtual Gemini share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

KEY = "virtual-key"
Post = Callable[..., tuple[int, dict[str, Any]]]


def write(script: Path, text: str) -> None:
    """Make it the script that is played."""
    script.write_text(text, encoding="utf-8")
