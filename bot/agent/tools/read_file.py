"""Read a file, whole or by lines."""

from __future__ import annotations

from typing import Annotated

from bot.agent.tools.context import Context
from bot.agent.tools.outputs import page
from bot.agent.tools.texts import decode
from bot.agent.tools.tool import ToolError, tool

_LIMIT = 8 << 20


@tool()
def read_file(
    context: Context,
    path: Annotated[str, "Path of the file."],
    start_line: Annotated[int, "First line, from 1."] = 1,
    end_line: Annotated[int | None, "Last line, included."] = None,
) -> str:
    """Read a text file. Long files come in pages: the first line of the answer says which lines are shown."""
    inside = context.inside(path)
    content = context.sandbox.read(inside, limit=_LIMIT)
    text = decode(content.data)
    if text is None:
        return f"[{path}: a binary file, {content.size:,} bytes]"
    if start_line < 1 or (end_line is not None and end_line < start_line):
        msg = "start_line is at least 1, and end_line not before it"
        raise ToolError("bad_arguments", msg)
    shown, first, last, total = page(text.text.replace("\r\n", "\n"), start_line, end_line)
    if content.size == 0:
        context.seen.wrote(inside, content.sha256)
        return f"[{path}: an empty file]"
    if not shown:
        msg = f"{path} has {total} lines, there is none from {start_line} on"
        raise ToolError("not_found", msg)
    cut = content.size > len(content.data)
    if not cut:
        context.seen.shown(inside, content.sha256, first, last)
    notes = [] if text.encoding == "utf-8" else [f"not UTF-8, shown as {text.encoding}"]
    if cut:
        notes.append(f"only the first {len(content.data):,} of {content.size:,} bytes can be read")
    if first == 1 and last == total and not notes:
        return shown
    head = f"[{path}: lines {first} to {last} of {total}" + "".join(f", {note}" for note in notes)
    more = f"; read_file with start_line={last + 1} shows more" if last < total and end_line is None else ""
    return f"{head}{more}]\n{shown}"
