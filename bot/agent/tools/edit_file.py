"""Replace an exact piece of a file."""

from __future__ import annotations

import functools
from typing import Annotated

from bot.agent.tools.changing import Change, change, diff, effect, existing
from bot.agent.tools.context import Context
from bot.agent.tools.texts import FileText, decode, occurrences, placeholder, replaced
from bot.agent.tools.tool import ToolError, tool
from bot.ports import Effect

_LISTED = 8


def _planned(context: Context, path: str, old: str, new: str, count: int = 1) -> Change:
    inside = context.inside(path)
    now = existing(context, inside)
    if now is None:
        msg = f"There is no file {path}. Use list_files to find it, or write_file to create it."
        raise ToolError("not_found", msg)
    return change(inside, now, _edited(now.data, path, old, new, count))


@functools.lru_cache(maxsize=4)
def _edited(before: bytes, path: str, old: str, new: str, count: int) -> bytes:
    """The file's new content; asked for when an edit is declared, shown to a person and done. Raises `ToolError`."""
    text = decode(before)
    if text is None:
        msg = f"{path} is a binary file"
        raise ToolError("conflict", msg)
    if not old or count < 1:
        msg = "old has to be a piece of the file as it stands there, and count at least 1"
        raise ToolError("bad_arguments", msg)
    if old == new:
        msg = "old and new are the same: nothing would change"
        raise ToolError("bad_arguments", msg)
    spans = occurrences(text.text, old)
    if len(spans) != count:
        raise ToolError("not_found" if not spans else "conflict", _why(path, text, old, spans))
    if (line := placeholder(new, text.text)) is not None:
        msg = f"The line {line!r} stands for something left out. Give the whole new text."
        raise ToolError("conflict", msg)
    try:
        return text.encode(replaced(text, spans, new))
    except UnicodeEncodeError as error:
        msg = f"{path} is not UTF-8 but {text.encoding}, which has no {error.object[error.start]!r}"
        raise ToolError("conflict", msg) from None


def _why(path: str, text: FileText, old: str, spans: list[tuple[int, int]]) -> str:
    if spans:
        lines = ", ".join(str(text.text.count("\n", 0, start) + 1) for start, _ in spans[:_LISTED])
        return (
            f"old stands {len(spans)} times in {path}, at lines {lines}. "
            f"Give more of the lines around the right one, or count={len(spans)} to replace all."
        )
    first = next((line.strip() for line in old.splitlines() if line.strip()), "")
    near = [str(n) for n, line in enumerate(text.text.splitlines(), 1) if first and first in line]
    hint = f" Its first line stands at line {', '.join(near[:_LISTED])}; white space may differ." if near else ""
    return f"old does not stand in {path} like that.{hint} Read the file again and copy the piece exactly."


def _declared(context: Context, path: str, old: str, new: str, count: int = 1) -> tuple[Effect, ...]:
    return effect(_planned(context, path, old, new, count))


def _preview(context: Context, path: str, old: str, new: str, count: int = 1) -> str:
    return diff(_planned(context, path, old, new, count))


@tool(changes=True, declared=_declared, preview=_preview)
def edit_file(
    context: Context,
    path: Annotated[str, "Path of the file."],
    old: Annotated[str, "The exact text to replace, white space included, with enough around it to be unique."],
    new: Annotated[str, "What stands there afterwards."],
    count: Annotated[int, "How often old stands in the file; all of them are replaced."] = 1,
) -> str:
    """Replace an exact piece of a file. Refuses when old does not stand there exactly count times. Line ends and
    encoding of the file are kept.
    """
    planned = _planned(context, path, old, new, count)
    seen_all = planned.before is not None and context.seen.whole(
        planned.path, planned.before.sha256, len(_lines(planned.before.data))
    )
    context.sandbox.write(planned.path, planned.after)
    if seen_all:
        context.seen.wrote(planned.path, planned.hash_after)
    return f"edited {path}: {count} {'place' if count == 1 else 'places'}\n{_excerpt(diff(planned))}"


def _lines(data: bytes) -> list[str]:
    text = decode(data)
    return text.text.splitlines() if text else []


def _excerpt(text: str, limit: int = 2000) -> str:
    return text if len(text) <= limit else text[:limit] + "\n…"
