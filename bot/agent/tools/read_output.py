"""Page through an output that was cut."""

from __future__ import annotations

from typing import Annotated

from bot.agent.tools.context import Context
from bot.agent.tools.outputs import page
from bot.agent.tools.tool import ToolError, tool


@tool()
def read_output(
    context: Context,
    id: Annotated[str, "The id that the note in the cut output names."],  # noqa: A002 - the model's word for it
    start_line: Annotated[int, "First line, from 1."] = 1,
    end_line: Annotated[int | None, "Last line, included."] = None,
) -> str:
    """Read more of an output that was cut in the middle, by lines."""
    text = context.outputs.get(id)
    if text is None:
        there = ", ".join(context.outputs.names[-10:]) or "none"
        msg = f"There is no cut output {id[:40]!r}. There are: {there}."
        raise ToolError("not_found", msg)
    shown, first, last, total = page(text, start_line, end_line)
    if not shown:
        msg = f"The output has {total} lines, there is none from {start_line} on."
        raise ToolError("not_found", msg)
    return f"[output {id}: lines {first} to {last} of {total}]\n{shown}"
