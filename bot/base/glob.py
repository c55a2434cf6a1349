"""Path globs as .gitignore and Actions people expect them: `*` stays in a folder, `**` crosses folders.

Globs come from strangers too, from a model or a repository's own settings, and are matched here and not in a sandbox.
So a glob becomes a regular expression that never goes back on what a wildcard took, unless it is the last of its kind
(atomic groups, as `fnmatch` has them): matching takes time in proportion to the path, whatever the glob.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

_LENGTH, _CROSSINGS, _STARS, _ALTERNATIVES = 300, 4, 10, 256


def matches(path: str, glob: str) -> bool:
    """Whether a POSIX path, relative and without `./`, fits a glob.

    `*` and `?` do not match `/`; `**/` matches any number of folders, none included; `/**` at the end matches
    everything below; `[abc]` and `[!abc]` are sets, `{a,b}` alternatives.
    """
    return _compiled(glob).fullmatch(path) is not None


@functools.lru_cache(maxsize=4096)
def any_matches(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a path fits at least one of the globs."""
    return any(matches(path, glob) for glob in globs)


def trouble(glob: str) -> str | None:
    """Why a glob cannot be used, or None. To be asked before a glob that strangers wrote is matched."""
    if len(glob) > _LENGTH or glob.count("**") > _CROSSINGS or glob.count("*") > _STARS:
        return f"has more than {_LENGTH} characters, {_CROSSINGS} times ** or {_STARS} times *"
    try:
        _compiled(glob)
    except (re.error, ValueError) as error:
        return f"is no glob: {error}"
    return None


@functools.lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    plain = glob.removeprefix("./")
    return re.compile("|".join(_whole(list(_pieces(one))) for one in _alternatives(plain)), re.DOTALL)


def _alternatives(glob: str) -> list[str]:
    """The globs without braces that a glob stands for. Raises `ValueError` when they are too many."""
    done, waiting = [], [glob]
    while waiting:
        one = waiting.pop()
        span = _innermost(one)
        if span is None:
            done.append(one)
        else:
            begin, end = span
            words = one[begin + 1 : end].split(",")
            waiting += [one[:begin] + word + one[end + 1 :] for word in reversed(words)]
        if len(waiting) + len(done) > _ALTERNATIVES:
            msg = f"its braces stand for more than {_ALTERNATIVES} globs"
            raise ValueError(msg)
    return done


def _innermost(glob: str) -> tuple[int, int] | None:
    """Where the first pair of braces with no other inside begins and ends; sets and lone braces are no pair."""
    begin, at = None, 0
    while at < len(glob):
        if glob[at] == "[" and (end := glob.find("]", at + 2)) > 0:
            at = end
        elif glob[at] == "{":
            begin = at
        elif glob[at] == "}" and begin is not None:
            return begin, at
        at += 1
    return None


def _pieces(glob: str) -> Iterator[tuple[str, str]]:
    """The parts: `cross` for `**/` where a folder begins, `any` for another `**`, `star`, and `fixed` characters."""
    at = 0
    while at < len(glob):
        if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/"):
            yield "cross", ""
            at += 3
        elif glob.startswith("**", at):
            yield "any", ""
            at += 2
        elif glob[at] == "*":
            yield "star", ""
            at += 1
        elif glob[at] == "?":
            yield "fixed", "[^/]"
            at += 1
        elif glob[at] == "[" and (end := glob.find("]", at + 2)) > 0:
            body = glob[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            yield "fixed", "[^/" + body[1:] + "]" if body[0] in "!^" else f"[{body}]"
            at = end + 1
        else:
            yield "fixed", re.escape(glob[at])
            at += 1


def _whole(pieces: list[tuple[str, str]]) -> str:
    """Chunks between crossings: each but the last is taken where it fits first, and for good."""
    chunks: list[list[tuple[str, str]]] = [[]]
    for piece in pieces:
        if piece[0] == "cross":
            chunks.append([])
        else:
            chunks[-1].append(piece)
    first, *rest = map(_chunk, chunks)
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>(?:[^/]+/)*?{chunk})" for chunk in middle if chunk) + "(?:[^/]+/)*" + last


def _chunk(pieces: list[tuple[str, str]]) -> str:
    """A chunk: what lies between two `**` inside of it is taken where it fits first as well."""
    parts: list[list[tuple[str, str]]] = [[]]
    for piece in pieces:
        if piece[0] == "any":
            parts.append([])
        else:
            parts[-1].append(piece)
    first, *rest = map(_folders, parts)
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>.*?{part})" for part in middle if part) + ".*" + last


def _folders(pieces: list[tuple[str, str]]) -> str:
    """Names with stars in them, folder by folder."""
    names: list[list[tuple[str, str]]] = [[]]
    for piece in pieces:
        if piece == ("fixed", "/"):
            names.append([])
        else:
            names[-1].append(piece)
    return "/".join(map(_name, names))


def _name(pieces: list[tuple[str, str]]) -> str:
    runs = [""]
    for kind, text in pieces:
        if kind == "star":
            runs.append("")
        else:
            runs[-1] += text
    first, *rest = runs
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>[^/]*?{run})" for run in middle if run) + "[^/]*" + last
