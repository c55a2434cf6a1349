"""What of the shell library's own commands is used, and how: only what gives what the real command gives."""

from __future__ import annotations

import re

from bot.virtual.shell.call import Call, Unmodelled, raw, text

_FROM_LIBRARY = frozenset({
    "sed", "sort", "uniq", "cut", "tr", "seq", "nl", "tac", "rev", "paste", "comm", "fold", "basename", "dirname",
    "printf", "echo", "env", "printenv", "expr", "md5sum", "sha256sum", "base64", "read", "bash", "sh", "true", "false",
    "readlink",
})  # fmt: skip
"""Commands of the library that our tests hold against the real ones; the others that it has are not used."""
_AWK_VALUE = r'(?:\$(?:\d+|NF)|NR|NF|"[^"\\]*")'
_PLAIN_AWK = re.compile(
    rf"\s*(?:(?:{_AWK_VALUE}\s*(?:==|!=|<=|>=|<|>|!?~)\s*)?(?:/(?:[^/\\]|\\.)+/|\d+|{_AWK_VALUE}))?\s*"
    rf"(?:\{{\s*print(?:\s+{_AWK_VALUE}(?:\s*,\s*{_AWK_VALUE})*)?\s*;?\s*\}})?\s*"
)
_LONGEST_SEQ = 100_000
"""The library stops there and says nothing."""
_NUMBERED = re.compile(r"s([/|,#@:])(?:\\\\.|(?!\1).)*\1(?:\\\\.|(?!\1).)*\1[a-zA-Z]*\d")


def adapted(call: Call) -> list[str]:
    """Arguments as the library's command takes them; what it leaves undone is done here.

    Raises `Unmodelled` for a command, or a use of one, that the library does not have or gets wrong.
    """
    known = call.name in _FROM_LIBRARY or (call.name == "awk" and _program(call.words[1:]) is not None)
    if not known or _gets_wrong(call):
        raise Unmodelled(*call.words)
    words = call.words[1:]
    if call.name == "awk" and (at := _program(words)) is not None and "{" not in words[at]:
        # The library takes a condition without an action for no program at all.
        return [*words[:at], words[at] + " {print}", *words[at + 1 :]]
    if call.name != "sed":
        return words
    for at, word in enumerate(words):
        suffix = word.removeprefix("--in-place=") if word.startswith("--in-place=") else word[2:]
        if word.startswith(("-i.", "-i~", "--in-place=")) and suffix:
            for name in words[at + 1 :]:
                found = call.world.tree.get(call.world.real(call.place(name)))
                if found is not None:
                    call.world.write(call.place(name + suffix), raw(text(found.data)))
            return [*words[:at], "-i", *words[at + 1 :]]
    return words


def _program(words: list[str]) -> int | None:
    """Where the program of an `awk` stands that only selects lines and prints fields, or None.

    Of more than that the library's `awk` makes something else.
    """
    at = 0
    while at < len(words) and words[at].startswith("-F"):
        at += 1 if len(words[at]) > 2 else 2
    return at if at < len(words) and _PLAIN_AWK.fullmatch(words[at]) else None


def _gets_wrong(call: Call) -> bool:
    """Uses of its commands that the library answers with something else, found by comparing."""
    words = call.words[1:]
    if call.name == "seq":
        return any(word.lstrip("-").isdigit() and abs(int(word)) > _LONGEST_SEQ for word in words)
    if call.name == "sort":
        keyed = any(word.startswith("-k") for word in words)
        return keyed and any(re.fullmatch("-[bfhnrV]+", word) for word in words)
    if call.name == "paste":
        return any(word.startswith("-") and word[1:2] == "s" for word in words)
    if call.name == "expr":
        return ":" in words
    return call.name == "sed" and any(_NUMBERED.search(word) for word in words)
