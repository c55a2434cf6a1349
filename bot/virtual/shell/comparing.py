"""Commands that compare files: diff and cmp."""

from __future__ import annotations

import difflib

from bot.virtual.shell.call import Call, Done, Unmodelled, inputs, raw, split
from bot.virtual.shell.reading import lines


def diff(call: Call) -> Done:
    """`diff [-u] [-q] [-r] A B` of two files; times are left out of the unified heads."""
    chosen = split(call.words, "uqNa", "U", {"unified": "u", "brief": "q"})
    if len(chosen.operands) != 2:
        return call.fails("missing operand", 2)
    (one, old, why), (other, new, why_new) = inputs(call, chosen.operands)
    if old is None or new is None:
        if "Is a directory" in {why, why_new}:
            raise Unmodelled("diff of folders")
        return call.fails(f"{one if old is None else other}: No such file or directory", 2)
    if old == new:
        return Done()
    if chosen.has("q"):
        return Done(1, f"Files {one} and {other} differ\n")
    if not chosen.has("uU"):
        raise Unmodelled("diff without -u")
    return Done(1, unified(old, new, one, other, int(chosen.last("U") or 3)))


def unified(old: str, new: str, one: str, other: str, context: int = 3) -> str:
    """A unified diff with the mark for a missing last newline."""
    out = []
    for line in difflib.unified_diff(lines(old), lines(new), one, other, n=context):
        out.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(out)


def cmp(call: Call) -> Done:
    """`cmp [-s] A B`."""
    chosen = split(call.words, "sb")
    if len(chosen.operands) != 2:
        return call.fails("missing operand", 2)
    (one, old, _), (other, new, _) = inputs(call, chosen.operands)
    if old is None or new is None:
        return call.fails(f"{one if old is None else other}: No such file or directory", 2)
    if old == new:
        return Done()
    if chosen.has("s"):
        return Done(1)
    first, second = raw(old), raw(new)
    at = next((at for at, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        raise Unmodelled("cmp of a file and its beginning")
    line = first.count(b"\n", 0, at) + 1
    return Done(1, f"{one} {other} differ: byte {at + 1}, line {line}\n")
