"""YAML's events, put together to values with lines; see `bot.base.documents` for the dialect."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from bot.base.errors import Problem

KeyPath = tuple[str | int, ...]
_NODE_LIMIT = 1_000_000
_DEPTH_LIMIT = 60
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)


class _Frame:
    """A mapping or sequence that is being read."""

    def __init__(self, kind: type, path: KeyPath, line: int, anchor: str | None, began: int) -> None:
        self.container: Any = kind()
        self.path, self.line, self.anchor, self.began = path, line, anchor, began
        self.key: str | None = None
        self.expects_key = kind is dict
        self.lost = False
        self.merges: list[tuple[int, Any]] = []
        self.key_lines: dict[str, int] = {}


class _Stop(Exception):
    """Nothing after this can be read."""


class YamlReader:
    """Builds the value from YAML's events, without recursion, so that depth and size are ours to limit.

    `value`, `lines` and `problems` are what `bot.base.documents.Document` has.
    """

    def __init__(self, name: str, first_line: int) -> None:
        """`name` is the file's name in problems, `first_line` where the text begins in it."""
        self.name, self.offset = name, first_line
        self.value: Any = None
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._documents = 0

    def read(self, text: str) -> None:
        """Read the whole text. Never raises for what is in it."""
        try:
            for event in self._events(text):
                self._take(event)
        except _Stop:
            self.value = None

    def _events(self, text: str) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what, cure = _explain(error, text)
            self._wrong(mark.line + self.offset if mark else self.offset, what, cure)
            raise _Stop from None
        except (yaml.YAMLError, UnicodeError) as error:
            self._wrong(self.offset, f"is no YAML: {str(error).splitlines()[0]}", "")
            raise _Stop from None

    def _wrong(self, line: int, what: str, cure: str) -> None:
        self.problems.append(Problem(file=self.name, line=line, what=what, cure=cure))

    def _take(self, event: yaml.Event) -> None:
        line = (event.start_mark.line if event.start_mark else 0) + self.offset
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._wrong(line, "a second document begins here", "delete the line `---` and what follows it")
                    raise _Stop
            case yaml.ScalarEvent():
                self._tag(event, line)
                self._count(line)
                plain = bool(event.implicit[0])
                self._put(_resolve(event.value) if plain else event.value, line, event.value, plain=plain)
                if event.anchor:
                    self._anchors[event.anchor] = (_resolve(event.value) if plain else event.value, 1)
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    self._wrong(line, f"`*{event.anchor}` refers to nothing", f"write `&{event.anchor}` further up")
                    self._put(None, line, None)
                    return
                value, weight = self._anchors[event.anchor]
                self._count(line, weight)
                self._put(value, line, value if isinstance(value, str) else None)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> None:
        self._tag(event, line)
        self._count(line)
        if len(self._stack) >= _DEPTH_LIMIT:
            self._wrong(line, f"is nested more than {_DEPTH_LIMIT} deep", "")
            raise _Stop
        kind = dict if isinstance(event, yaml.MappingStartEvent) else list
        self._stack.append(_Frame(kind, self._path(line), line, event.anchor, self._nodes))

    def _path(self, line: int) -> KeyPath:
        """Where the value that comes next stands."""
        if not self._stack:
            self.lines.setdefault((), line)
            return ()
        top = self._stack[-1]
        if isinstance(top.container, list):
            path = (*top.path, len(top.container))
            self.lines.setdefault(path, line)
            return path
        return (*top.path, top.key) if top.key is not None else top.path

    def _close(self) -> None:
        frame = self._stack.pop()
        for line, value in frame.merges:
            parts = value if isinstance(value, list) else [value]
            if all(isinstance(part, dict) for part in parts):
                for part in parts:
                    frame.container = {**part, **frame.container}
            else:
                self._wrong(
                    line, "`<<` merges something that is no mapping", "merge an alias of a mapping: `<<: *name`"
                )
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.container, self._nodes - frame.began + 1)
        self._put(frame.container, frame.line, None)

    def _put(self, value: object, line: int, text: str | None, *, plain: bool = False) -> None:
        if not self._stack:
            self.lines.setdefault((), line)
            self.value = value
            return
        top = self._stack[-1]
        if isinstance(top.container, list):
            self.lines.setdefault((*top.path, len(top.container)), line)
            top.container.append(value)
        elif top.expects_key:
            self._key(top, value, line, text)
        else:
            if top.key == "<<":
                top.merges.append((line, value))
            elif top.key is not None and not top.lost:
                top.container[top.key] = value
            top.expects_key, top.key, top.lost = True, None, False

    def _key(self, top: _Frame, value: object, line: int, text: str | None) -> None:
        top.expects_key, top.key, top.lost = False, text, text is None
        if text is None:
            self._wrong(line, "a key is no text", "write `name: value`")
            return
        if text == "<<":
            return
        if not isinstance(value, str):
            self._wrong(line, f"the key `{text}` is no text", f'write "{text}" in quotes')
        if text in top.key_lines:
            self._wrong(line, f"`{text}` is written twice", f"keep one; the first is in line {top.key_lines[text]}")
            top.lost = True
            return
        top.key_lines[text] = line
        self.lines[*top.path, text] = line

    def _count(self, line: int, weight: int = 1) -> None:
        self._nodes += weight
        if self._nodes > _NODE_LIMIT:
            self._wrong(line, f"has more than {_NODE_LIMIT:,} values once its aliases are written out", "")
            raise _Stop

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int) -> None:
        if event.tag is not None and event.tag not in {"!", "tag:yaml.org,2002:str"}:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._wrong(line, f"has a YAML tag, `{tag}`", "write the value without it")


def _resolve(text: str) -> str | int | float | bool | None:
    """What a plain scalar means in YAML 1.2; octal and hexadecimal numbers stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _explain(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    problem = str(error.problem or error.context or "cannot be read")
    mark = error.problem_mark or error.context_mark
    lines = text.split("\n")
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or "tab" in problem or "'\\t'" in problem:
        return "is no YAML: a tab indents this line", "indent with spaces"
    if "mapping values are not allowed" in problem:
        return "is no YAML: a second `: ` in this line", 'put the value in quotes: key: "a: b"'
    if line.lstrip().partition(": ")[2][:1] in {"@", "`", "%"}:
        return f"is no YAML: {problem}", "put the value in quotes"
    if "expected <block end>" in problem or "did not find expected key" in problem:
        return f"is no YAML: {problem}", "indent this line as its neighbours are"
    if "end of stream" in problem:
        return f"is no YAML: {problem}", "close the quote or bracket that was opened before"
    return f"is no YAML: {problem}", "see the line before too"
