"""Create a file, or replace all of one that the model has seen."""

from __future__ import annotations

from typing import Annotated

from bot.agent.tools.changing import Change, change, diff, effect, existing
from bot.agent.tools.context import Context
from bot.agent.tools.texts import decode, placeholder, rewritten
from bot.agent.tools.tool import ToolError, tool
from bot.ports import Effect


def _planned(context: Context, path: str, content: str) -> Change:
    inside = context.inside(path)
    now = existing(context, inside)
    if now is None:
        text, data = None, content.encode("utf-8", "replace")
    else:
        text = decode(now.data)
        lines = len(text.text.splitlines()) if text else 0
        if not context.seen.whole(inside, now.sha256, lines):
            msg = f"{path} exists, and you have not seen all of it as it is now. Use read_file first, or edit_file."
            raise ToolError("conflict", msg)
        if text is None:
            data = content.encode("utf-8", "replace")
        else:
            try:
                data = rewritten(text, content)
            except UnicodeEncodeError as error:
                msg = f"{path} is not UTF-8 but {text.encoding}, which has no {content[error.start]!r}"
                raise ToolError("conflict", msg) from None
    if (line := placeholder(content, text.text if text else "")) is not None:
        msg = f"The line {line!r} stands for something left out. Write the whole file, or use edit_file."
        raise ToolError("conflict", msg)
    return change(inside, now, data)


def _declared(context: Context, path: str, content: str) -> tuple[Effect, ...]:
    return effect(_planned(context, path, content))


def _preview(context: Context, path: str, content: str) -> str:
    return diff(_planned(context, path, content))


@tool(changes=True, declared=_declared, preview=_preview)
def write_file(
    context: Context,
    path: Annotated[str, "Path of the file; folders are made as needed."],
    content: Annotated[str, "All of the new content."],
) -> str:
    """Create a file, or replace one. Replacing needs that you have read all of it as it is now; to change parts of a
    file use edit_file. Never leave parts out.
    """
    planned = _planned(context, path, content)
    context.sandbox.write(planned.path, planned.after)
    context.seen.wrote(planned.path, planned.hash_after)
    what = "replaced" if planned.before else "created"
    return f"{what} {path}: {len(planned.after):,} bytes, {len(content.splitlines())} lines"
