"""Search in files."""

from __future__ import annotations

import re
import shlex
from typing import Annotated

from bot.agent.tools.context import Context
from bot.agent.tools.tool import Output, ToolError, tool

_SECONDS = 60
_SHOWN = 200
_WIDTH = 300
_NOTHING, _TROUBLE = 1, 2  # exit codes of grep


@tool()
def search_files(
    context: Context,
    pattern: Annotated[str, "Extended regular expression (grep -E), matched line by line."],
    path: Annotated[str, "Folder or file to search."] = ".",
    glob: Annotated[str | None, "Only files whose name fits, such as *.py."] = None,
) -> str | Output:
    """Search text files for a regular expression. Answers with file:line:text, at most 200 lines."""
    if not pattern or "\n" in pattern:
        msg = "pattern is one line, and not empty"
        raise ToolError("bad_arguments", msg)
    inside = context.inside(path)
    # By grep in the sandbox, not by us: a regular expression can be made to run for ever, and there it is stopped.
    command = ["grep", "-rnIE", "--exclude-dir=.git", "-e", re.sub(r"\\d", "[0-9]", pattern)]
    if glob:
        command.append(f"--include={glob}")
    command += ["--", inside if inside != "." else "."]
    result = context.sandbox.run(shlex.join(command), timeout=_SECONDS)
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    if result.timed_out:
        msg = f"no end after {_SECONDS} s; search a folder, or with a simpler pattern"
        raise ToolError("limit", msg)
    if result.exit_code >= _TROUBLE and not lines:
        said = result.stderr.decode("utf-8", "replace").strip()[:500]
        raise ToolError("not_found" if "No such file" in said else "bad_arguments", said or "grep failed")
    if not lines:
        return f"[nothing below {path} fits]"
    # grep answers in the order of the folder on disk; sorted, the same question has the same answer everywhere.
    found = sorted((_clean(context, line) for line in lines), key=lambda line: line.partition(":")[0])
    if len(found) > _SHOWN:
        found = [*found[:_SHOWN], f"[{len(found) - _SHOWN:,} more; search a folder, or with a narrower pattern]"]
    return "\n".join(found)


def _clean(context: Context, line: str) -> str:
    name, colon, rest = line.removeprefix("./").partition(":")
    text = context.shown(name) + colon + rest
    return text if len(text) <= _WIDTH else text[:_WIDTH] + " …"
