"""Where words go: people's output to stderr, one JSON document to stdout when it was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from rich.console import Console


def emit_json(document: object) -> None:
    """Print one JSON document on stdout, indented; nothing else ever goes there with `--json`."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.write(text.decode() + "\n")
    sys.stdout.flush()


def people() -> Console:
    """The console for people, on stderr. Honours NO_COLOR; rich loads late."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)
