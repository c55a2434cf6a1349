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
_LONG = frozenset({"--login", "--norc", "--noprofile", "--posix"})
_SETTINGS = frozenset({"pipefail", "errexit", "nounset"})
_LONGEST_SEQ = 100_000
"""The library stops there and says nothing."""
_NUMBERED = re.compile(r"s([/|,#@:])(?:\\\\.|(?!\1).)*\1(?:\\\\.|(?!\1).)*\1[a-zA-Z]*\d")

_CHANGING_GROUP = re.compile(r"\s*/.*\{(?:.*[;\n])?\s*[syncgGNDx].*[;\n].*\}\s*", re.DOTALL)
"""The library looks at a group's address again before each of its commands, so after a change to the line."""


def adapted(call: Call) -> list[str]:
    """Arguments as the library's command takes them; what it leaves undone is done here.

    Raises `Unmodelled` for a command, or a use of one, that the library does not have or gets wrong.
    """
    known = call.name in _FROM_LIBRARY or (call.name == "awk" and _program(call.words[1:]) is not None)
    if not known or _gets_wrong(call):
        raise Unmodelled(*call.words)
    words = call.words[1:]
    if call.name in {"bash", "sh"}:
        return _shell_words(words, call.stdin)
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


def _shell_words(words: list[str], stdin: str) -> list[str]:
    """Options of a shell as the library reads them: one `-c`, and what the others set in front of the script, which may
    come from standard input.

    Raises `Unmodelled` for options that would be passed over.
    """
    settings: list[str] = []
    script, waiting = False, list(words)
    while waiting and (waiting[0] in _LONG or re.fullmatch("-[a-z]+", waiting[0])):
        word = waiting.pop(0)
        for letter in word[1:] if word not in _LONG else "":
            if letter == "o" and waiting and waiting[0] in _SETTINGS:
                settings.append(f"set -o {waiting.pop(0)}")
            elif letter in "eu":
                settings.append(f"set -{letter}")
            elif letter not in "cls":
                raise Unmodelled("bash", *words)
            script |= letter == "c"
    if not waiting and not script:
        waiting, script = [stdin], True
    if script and waiting:
        return ["-c", "\n".join([*settings, waiting[0]]), *waiting[1:]]
    if settings or (waiting[:1] and waiting[0][:1] in {"-", "+"}):
        raise Unmodelled("bash", *words)
    return words


def sed_commands(script: str) -> list[str]:
    """The commands of a `sed` script. A `;` within an expression, or in the text of `a`, `i` and `c`, parts none."""
    parts, start, at, depth, begins = [], 0, 0, 0, True
    while at < len(script):
        char = script[at]
        if begins and char == "/":
            at = _past(script, at + 1, char)
            continue
        if begins and char in "sy":
            begins, at = False, _past(script, _past(script, at + 2, script[at + 1 : at + 2]), script[at + 1 : at + 2])
            continue
        if begins and char in "aic":
            begins, at = False, _past(script, at + 1, "\n") - 1
            continue
        if char in "{}":
            depth += 1 if char == "{" else -1
            begins = True
        elif char in ";\n":
            begins = True
            if depth == 0:
                parts.append(script[start:at])
                start = at + 1
        elif char.isalpha():
            begins = False
        at += 1
    return [*parts, script[start:]]


def _past(script: str, at: int, end: str) -> int:
    """Where a part that ends with this character is over."""
    while at < len(script) and script[at] != end:
        at += 2 if script[at] == "\\" else 1
    return at + 1


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
    if call.name != "sed":
        return False
    parts = [part for word in words for part in sed_commands(word)]
    return any(_NUMBERED.search(part) or _CHANGING_GROUP.fullmatch(part) for part in parts)
