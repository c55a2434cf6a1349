"""YAML documents of the virtual fleet: strict, and with the line of what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from bot.base.errors import ConfigurationError, Problem

T = TypeVar("T")
_PLACE = re.compile(r" - at `(?:key in )?\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def read_document(file: Path, kind: type[T]) -> T:
    """The document as a value. Raises `ConfigurationError` with file and line; unknown keys are errors too."""
    try:
        text = file.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except OSError as error:
        raise _wrong(file, 1, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise _wrong(file, 1, "is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _wrong(file, line, f"is not YAML: {error.problem}") from None
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        said = str(error)
        place = _PLACE.search(said)
        line = _line(text, place.group(1) if place else "")
        raise _wrong(file, line, said) from None


def _wrong(file: Path, line: int, what: str) -> ConfigurationError:
    problem = Problem(file=str(file), line=line, what=what, cure="see virtual_fleet/README.md")
    return ConfigurationError(str(problem), problems=(problem,))


def _line(text: str, place: str) -> int:
    """Where in the document something stands that msgspec names like `.scenarios[0].expect`."""
    node: Any = yaml.compose(text)
    line = 1
    for key, index in _STEP.findall(place):
        found = None
        if isinstance(node, yaml.MappingNode) and key:
            found = next((pair for pair in node.value if pair[0].value == key), None)
        elif isinstance(node, yaml.SequenceNode) and index.isdigit() and int(index) < len(node.value):
            found = (node.value[int(index)],) * 2
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
