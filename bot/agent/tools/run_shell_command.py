"""Run a shell command."""

from __future__ import annotations

from typing import Annotated

from bot.agent.tools.context import Context
from bot.agent.tools.tool import Output, ToolError, tool
from bot.ports import CommandResult


def _preview(context: Context, command: str) -> str:
    return f"$ {command}"


@tool(changes=True, preview=_preview)
def run_shell_command(
    context: Context,
    command: Annotated[str, "The command, run by sh in the plugin's folder."],
) -> Output:
    """Run a shell command and wait for its end. Answers with exit code and output; long output is cut in the middle.
    Nothing it starts lives on afterwards.
    """
    if not command.strip() or "\0" in command:
        msg = "command is a shell command, not empty and without NUL"
        raise ToolError("bad_arguments", msg)
    seconds = context.seconds()
    result = context.sandbox.run(command, timeout=seconds, cwd=context.task.plugin.directory)
    whole = _told(result, seconds)
    cut = context.outputs.cut(context.call, whole)
    return Output(text=cut.text, whole=whole if cut.cut else None, command=result)


def _told(result: CommandResult, seconds: float) -> str:
    # No duration: it would make equal results look different to the loop detector, and to the provider's cache.
    head = f"exit code {result.exit_code}"
    if result.timed_out:
        head = f"stopped after {seconds:g} s, it did not end by itself; exit code {result.exit_code}"
    parts = [head]
    for name, data, size in (
        ("stdout", result.stdout, result.stdout_size),
        ("stderr", result.stderr, result.stderr_size),
    ):
        if data:
            text = data.decode("utf-8", "replace")
            left = f" ({size:,} bytes, the middle was not kept)" if size > len(data) else ""
            parts.append(f"{name}{left}:\n{text.rstrip(chr(10))}")
    if len(parts) == 1:
        parts.append("no output")
    return "\n".join(parts)
