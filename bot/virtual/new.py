"""A new virtual plugin to start from: a shipped one of the wanted kind, under another name."""

from __future__ import annotations

import contextlib
import keyword
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bot.base.errors import UsageError, WorldError
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
_TAKEN = sys.stdlib_module_names | {
    *("conftest", "iniconfig", "packaging", "pluggy", "py", "pygments", "pytest", "setuptools", "test", "tests"),
    *("false", "no", "null", "off", "on", "true", "yes"),
}
"""What the tests of a plugin would import instead of it, or get instead of what they import; words of YAML."""
_LEFT = "__pycache__"


@contextlib.contextmanager
def new_folder(name: str, fleet: Path) -> Iterator[Path]:
    """`fleet/<name>/`, empty; gone again when what is made there fails.

    Raises `UsageError` for a name that is no word, that means something else or that is taken, `WorldError` where no
    folder can be made.
    """
    if _NAME.fullmatch(name) is None:
        msg = f"{name} is no name for a virtual plugin."
        raise UsageError(msg, "Use small letters, digits and underscores: its package is called like it.")
    if keyword.iskeyword(name) or name in _TAKEN:
        msg = f"{name} is no name for a virtual plugin: Python, pytest or YAML mean something else by it."
        raise UsageError(msg, f"Choose another, for example my_{name}: its package is called like it.")
    target = fleet / name
    try:
        target.mkdir(parents=True)
    except FileExistsError as error:
        msg = f"{error.filename} is there already."
        raise UsageError(msg, "Choose another name or another --dir, or change what is there.") from error
    except OSError as error:
        msg = f"{target} cannot be written: {error.strerror}."
        raise WorldError(msg, "Choose another --dir.") from error
    try:
        yield target
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def start(name: str, template: str, fleet: Path) -> Path:
    """Make `fleet/<name>/` from a template; every file in which the template's own name stands gets the new one.

    Raises as `new_folder`.
    """
    model = TEMPLATES[template]
    source = find_virtual_fleet() / model
    with new_folder(name, fleet) as target:
        for file in sorted(source.rglob("*")):
            if file.is_file() and _LEFT not in file.parts and "drafts" not in file.parts:
                place = target / file.relative_to(source).as_posix().replace(model, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file.read_bytes().replace(model.encode(), name.encode()))
    return target
