"""A new virtual plugin to start from: a shipped one of the wanted kind, under another name."""

from __future__ import annotations

import re
from pathlib import Path

from bot.base.errors import UsageError
from bot.virtual.plugin import find_virtual_fleet

TEMPLATES = {
    "bug": "slugger",
    "version": "tally",
    "dependency": "kiosk",
    "description": "greeter",
    "nothing": "steady",
    "hostile": "courier",
}
"""What one can start from → the shipped virtual plugin that it is."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LEFT = "__pycache__"


def start(name: str, template: str, fleet: Path) -> Path:
    """Make `fleet/<name>/` from a template; every file in which the template's own name stands gets the new one.

    Raises `UsageError` for a name that is no word of Python (packages are called like it) or that is taken.
    """
    if _NAME.fullmatch(name) is None:
        msg = f"{name} is no name for a virtual plugin."
        raise UsageError(msg, "Use small letters, digits and underscores: its package is called like it.")
    target = fleet / name
    if target.exists():
        msg = f"{target} is there already."
        raise UsageError(msg, "Choose another name, or change what is there.")
    model = TEMPLATES[template]
    source = find_virtual_fleet() / model
    for file in sorted(source.rglob("*")):
        if file.is_file() and _LEFT not in file.parts and "drafts" not in file.parts:
            place = target / file.relative_to(source).as_posix().replace(model, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes().replace(model.encode(), name.encode()))
    return target
