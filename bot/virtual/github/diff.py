"""A patch as rows that a page can show."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
MOST_LINES = 4000


class Row(msgspec.Struct, frozen=True):
    """One line of a file's difference, with its numbers before and after."""

    kind: Literal["hunk", "same", "added", "removed", "note"]
    before: int | None
    after: int | None
    text: str


class FileDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in one file."""

    path: str
    rows: list[Row]
    added: int
    removed: int
    note: str = ""
    """new file, deleted file, mode change, binary."""


def files(patch: str) -> list[FileDiff]:
    """The files of a patch that git made, at most `MOST_LINES` lines together."""
    found, left = [], MOST_LINES
    for part in re.split(r"^diff --git ", patch, flags=re.MULTILINE)[1:]:
        lines = part.split("\n")
        made = _file(lines, left)
        left -= len(made.rows)
        found.append(made)
    return found


def _file(lines: list[str], left: int) -> FileDiff:
    path, notes, rows = lines[0].rpartition(" b/")[2].rstrip('"'), [], []
    before = after = 0
    inside = False
    for line in lines[1:-1] if lines[-1] == "" else lines[1:]:
        if match := _HUNK.match(line):
            before, after, inside = int(match[1]), int(match[2]), True
            rows.append(Row("hunk", None, None, line))
        elif not inside:
            notes += [line] if line.startswith(("new file", "deleted file", "new mode", "Binary")) else []
        elif line.startswith("+"):
            rows.append(Row("added", None, after, line[1:]))
            after += 1
        elif line.startswith("-"):
            rows.append(Row("removed", before, None, line[1:]))
            before += 1
        elif line.startswith("\\"):
            rows.append(Row("note", None, None, line[2:]))
        else:
            rows.append(Row("same", before, after, line[1:]))
            before, after = before + 1, after + 1
    added = sum(row.kind == "added" for row in rows)
    removed = sum(row.kind == "removed" for row in rows)
    if len(rows) > left:
        notes.append("too long to be shown whole")
    return FileDiff(path=path, rows=rows[: max(left, 0)], added=added, removed=removed, note=", ".join(notes))
