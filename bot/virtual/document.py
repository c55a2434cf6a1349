"""YAML documents of the virtual fleet as values: strict, and with the line of what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from bot.base import documents
from bot.base.errors import ConfigurationError, Problem

T = TypeVar("T")
_PLACE = re.compile(r" - at `(?:key in )?\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_CURE = "see virtual_fleet/README.md"


def read_document(file: Path, kind: type[T]) -> T:
    """The document as a value. Raises `ConfigurationError` with file and line; unknown keys are errors too."""
    document = documents.read_document(file)
    if document.problems:
        raise _wrong(document.problems)
    try:
        return msgspec.convert(document.value, kind)
    except msgspec.ValidationError as error:
        said = str(error)
        place = _PLACE.search(said)
        path = tuple(name or int(index) for name, index in _STEP.findall(place.group(1) if place else ""))
        raise _wrong((document.problem(path, said, _CURE),)) from None


def _wrong(problems: tuple[Problem, ...]) -> ConfigurationError:
    return ConfigurationError(str(problems[0]), problems=problems)
