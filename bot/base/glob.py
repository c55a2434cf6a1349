"""Path globs as .gitignore and Actions people expect them: `*` stays in a folder, `**` crosses folders."""

from __future__ import annotations

import functools
import re

_LENGTH, _CROSSINGS, _STARS = 300, 4, 10


def matches(path: str, glob: str) -> bool:
    """Whether a POSIX path, relative and without `./`, fits a glob.

    `*` and `?` do not match `/`; `**/` matches any number of folders, none included; `/**` at the end matches
    everything below; `[abc]` and `[!abc]` are sets, `{a,b}` alternatives.
    """
    return _compiled(glob).fullmatch(path) is not None


def any_matches(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a path fits at least one of the globs."""
    return any(matches(path, glob) for glob in globs)


def trouble(glob: str) -> str | None:
    """Why a glob cannot be used, or None. For globs that strangers wrote: some take for ever to match."""
    if len(glob) > _LENGTH or glob.count("**") > _CROSSINGS or glob.count("*") > _STARS:
        return f"has more than {_LENGTH} characters, {_CROSSINGS} times ** or {_STARS} times *"
    try:
        _compiled(glob)
    except re.error as error:
        return f"is no glob: {error}"
    return None


@functools.lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(_translate(glob.removeprefix("./")), re.DOTALL)


def _translate(glob: str) -> str:
    out, position, depth = [], 0, 0
    while position < len(glob):
        rest = glob[position:]
        char = rest[0]
        step = 1
        if rest.startswith("**/"):
            out.append("(?:[^/]+/)*")
            step = 3
        elif rest.startswith("**"):
            out.append(".*")
            step = 2
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := rest.find("]", 2)) > 0:
            body = rest[1:end].replace("\\", "\\\\").replace("[", "\\[")
            out.append("[^/" + body[1:] + "]" if body[0] in "!^" else f"[{body}]")
            step = end + 1
        elif char == "{" and "}" in rest:
            out.append("(?:")
            depth += 1
        elif char == "}" and depth:
            out.append(")")
            depth -= 1
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(char))
        position += step
    return "".join(out)
