"""YAML that people write, read so that every mistake can be named with its line.

The dialect is what editors check: YAML 1.2's plain values (`on`, `no` and `2026-01-01` are text), text as keys, one
document, aliases and `<<` merges, no tags. Files may have a byte order mark and any line ending.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from bot.base.errors import Problem
from bot.base.yaml_reader import KeyPath as KeyPath
from bot.base.yaml_reader import YamlReader

_SIZE_LIMIT = 16 << 20
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A file's value, where each part of it stands, and what is wrong with it as YAML."""

    file: str
    value: Any
    """Dicts, lists, text, numbers, booleans and None; None when the file is empty or no YAML."""
    lines: dict[KeyPath, int]
    """Key path → line, counted from 1. For a key of a mapping the line of the key."""
    problems: tuple[Problem, ...] = ()

    def line(self, path: KeyPath) -> int:
        """Where `path` stands, or the nearest thing around it that has a line."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: KeyPath, what: str, cure: str = "") -> Problem:
        """A mistake at `path`."""
        return Problem(file=self.file, line=self.line(path), what=what, cure=cure)


def read_text(path: Path, shown: str | None = None) -> tuple[str, tuple[Problem, ...]]:
    """A text file without its byte order mark and with line feeds only, or empty text and why it cannot be had.

    `shown` is the file's name in problems. A file that is not there is a problem too.
    """
    name = shown or str(path)
    try:
        # Not `Path.is_file` first: a pipe is a fine place for a manifest.
        with path.open("rb") as stream:
            data = stream.read(_SIZE_LIMIT + 1)
    except FileNotFoundError:
        return "", (Problem(file=name, line=1, what="there is no such file"),)
    except OSError as error:
        return "", (Problem(file=name, line=1, what=f"cannot be read: {error.strerror}"),)
    return decode(data, name)


def decode(data: bytes, name: str) -> tuple[str, tuple[Problem, ...]]:
    """Bytes of a text file as `read_text` gives them."""
    if len(data) > _SIZE_LIMIT:
        return "", (Problem(file=name, line=1, what=f"is larger than {_SIZE_LIMIT >> 20} MiB"),)
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "", (Problem(file=name, line=1, what="is UTF-16", cure="save it as UTF-8"),)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return "", (Problem(file=name, line=line, what="has bytes that are no UTF-8", cure="save it as UTF-8"),)
    return text.replace("\r\n", "\n").replace("\r", "\n"), ()


def read_document(path: Path, shown: str | None = None) -> Document:
    """Read and parse a YAML file. Never raises for what is in it: see `Document.problems`."""
    text, problems = read_text(path, shown)
    name = shown or str(path)
    return Document(file=name, value=None, lines={}, problems=problems) if problems else parse(text, name)


def parse(text: str, name: str, *, first_line: int = 1) -> Document:
    """Parse YAML. `first_line` is where the text begins in its file. Never raises for what is in it."""
    reader = YamlReader(name, first_line)
    for found in _CONTROL.finditer(text):
        line = text.count("\n", 0, found.start()) + first_line
        reader.problems.append(
            Problem(
                file=name, line=line, what=f"has a control character (U+{ord(found.group()):04X})", cure="delete it"
            )
        )
    if not reader.problems:
        reader.read(text)
    return Document(file=name, value=reader.value, lines=reader.lines, problems=tuple(reader.problems))
