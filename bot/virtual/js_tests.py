"""The tests of a JavaScript file, found without running it: `test("…", …)` and `it("…", …)`, as node has them."""

from __future__ import annotations

import functools
import re

from bot.virtual.tree import Node

FILES = (".mjs", ".js", ".cjs")
_TEST = re.compile(
    r"""(?mx) ^[ \t]* (?:test|it) (\.(?:skip|todo|only))? \(\s*
    (["'`]) ((?:\\.|(?!\2).)*) \2       # its name
    (\s*,\s*\{[^}]*\b(?:skip|todo)\b)?  # options that leave it out"""
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_BEFORE_REGEX = "(,=:[!&|?{};+\n"
_SKIPPED = re.compile(r"""//[^\n]*|/\*[\s\S]*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""")
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")


@functools.lru_cache(maxsize=512)
def found(node: Node) -> tuple[tuple[str, str, bool], ...] | None:
    """Name, source and whether it is skipped, of each test in their order; None when the brackets do not close."""
    text = node.data.decode("utf-8", "surrogateescape")
    if not closes(text):
        return None
    starts = list(_TEST.finditer(text))
    ends = [*(match.start() for match in starts), len(text)][1:]
    return tuple(
        (match[3], text[match.start() : end], match[1] in {".skip", ".todo"} or match[4] is not None)
        for match, end in zip(starts, ends, strict=True)
    )


def closes(text: str) -> bool:
    """Whether every bracket and every text closes: the mistakes of syntax that edits make."""
    waiting: list[str] = []
    before, at = "\n", 0
    while at < len(text):
        char = text[at]
        match = _SKIPPED.match(text, at)
        if match is None and char == "/" and before in _BEFORE_REGEX:
            match = _REGEX.match(text, at)
        if match is not None:
            at = match.end()
            before = "x" if char in "\"'`" else before
            continue
        if char in "\"'`":
            return False
        if char in "([{":
            waiting.append(char)
        elif char in _PAIRS and (not waiting or waiting.pop() != _PAIRS[char]):
            return False
        if not char.isspace() or char == "\n":
            before = char
        at += 1
    return not waiting
