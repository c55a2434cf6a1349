"""List the files of a folder."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from bot.agent.tools.context import Context
from bot.agent.tools.tool import ToolError, tool
from bot.base.glob import matches, trouble
from bot.ports import Entry

_SHOWN = 400
_LOOKED_AT = 20_000
_SIGNS = {"directory": "/", "symlink": "@", "other": "?", "file": ""}


@tool()
def list_files(
    context: Context,
    path: Annotated[str, "Folder to list."] = ".",
    pattern: Annotated[str | None, "Glob such as *.py or src/**/*.py; without / it fits names in any folder."] = None,
) -> str:
    """List files below a folder, recursively. A / marks folders, @ symbolic links (never followed)."""
    folder = context.inside(path)
    entries = context.sandbox.entries(folder, limit=_LOOKED_AT)
    if not entries:
        return f"[{path}: nothing there]"
    start = 0 if folder == "." else len(folder) + 1
    named = [(entry.path[start:], entry) for entry in entries]
    if pattern:
        if (why := trouble(pattern)) is not None:
            # The model's own pattern is matched by us and not in the sandbox: it must not be one that takes for ever.
            msg = f"pattern {why}"
            raise ToolError("bad_arguments", msg)
        glob = pattern if "/" in pattern else f"**/{pattern}"
        named = [(name, entry) for name, entry in named if entry.kind != "directory" and matches(name, glob)]
        if not named:
            return f"[no file below {path} fits {pattern}]"
    lines = [_line(context, entry) for _, entry in named]
    if len(lines) > _SHOWN:
        lines = lines[:_SHOWN] if pattern else _summary(context, named)
        more = f"[{len(named):,} entries below {path}, not all are shown: name a folder or a pattern]"
        lines = [more, *lines[:_SHOWN]]
    if len(entries) >= _LOOKED_AT:
        lines.insert(0, f"[only the first {_LOOKED_AT:,} entries were looked at]")
    return "\n".join(lines)


def _line(context: Context, entry: Entry) -> str:
    return context.shown(entry.path) + _SIGNS[entry.kind]


def _summary(context: Context, named: list[tuple[str, Entry]]) -> list[str]:
    inner = Counter(name.split("/")[0] for name, _ in named if "/" in name)
    return [
        _line(context, entry) + (f" ({inner[name]:,} entries)" if inner[name] else "")
        for name, entry in named
        if "/" not in name
    ]
