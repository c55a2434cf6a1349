"""`grep`, with its patterns put into Python's words."""

from __future__ import annotations

import fnmatch
import functools
import re

from bot.virtual.shell.call import Call, Done, Parsed, Unmodelled, inputs, split, text
from bot.virtual.tree import joined

_LONG = {
    "ignore-case": "i", "line-number": "n", "invert-match": "v", "count": "c", "files-with-matches": "l", "quiet": "q",
    "files-without-match": "L", "no-messages": "s", "recursive": "r", "extended-regexp": "E", "fixed-strings": "F",
    "perl-regexp": "P", "only-matching": "o", "word-regexp": "w", "line-regexp": "x", "after-context": "A",
    "before-context": "B", "context": "C", "regexp": "e", "no-filename": "h", "with-filename": "H", "max-count": "m",
    "include": "1", "exclude": "2", "exclude-dir": "3", "color": "0", "colour": "0", "text": "a",
}  # fmt: skip
_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "space": r"\s", "upper": "A-Z", "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9a-fA-F", "blank": r" \t", "word": r"\w",
}  # fmt: skip


def grep(call: Call) -> Done:
    """`grep`, `egrep`, `fgrep` with the options that people use."""
    words = [word if word not in {"--color", "--colour"} else "--color=auto" for word in call.words]
    chosen = split(words, "invclLqsrREFPGowxhHaI0", "ABCem123", _LONG)
    operands = list(chosen.operands)
    patterns = chosen.options.get("e") or operands[:1]
    if not patterns:
        return Done(2, "", "Usage: grep [OPTION]... PATTERNS [FILE]...\n")
    if "e" not in chosen.options:
        operands = operands[1:]
    kind = "F" if chosen.has("F") or call.name == "fgrep" else "E" if chosen.has("E") or call.name == "egrep" else "G"
    try:
        wanted = compiled(tuple(patterns), "P" if chosen.has("P") else kind, *(chosen.has(x) for x in "iwx"))
    except re.error as error:
        return Done(2, "", f"grep: {error}\n")
    return _search(call, chosen, wanted, operands)


def _search(call: Call, chosen: Parsed, wanted: re.Pattern[str], operands: list[str]) -> Done:
    recursive = chosen.has("rR")
    names = operands or (["."] if recursive else [])
    several = ((len(names) > 1 or recursive) and not chosen.has("h")) or chosen.has("H")
    out: list[str] = []
    err: list[str] = []
    found = False
    inverted, without = chosen.has("v"), chosen.has("L")
    most = int(chosen.last("m")) if chosen.has("m") else None
    for name, content, why in _sources(call, chosen, names, recursive=recursive, bare=not operands):
        if content is None:
            if not chosen.has("s"):
                err.append(f"grep: {name}: {why}\n")
            continue
        lines = content.split("\n")
        lines = lines[:-1] if lines[-1] == "" else lines
        hits = [at for at, line in enumerate(lines) if (wanted.search(line) is None) == inverted][:most]
        found = found or bool(hits) != without
        out.append(_shown(chosen, wanted, "(standard input)" if name == "-" else name, lines, hits, several=several))
        if found and chosen.has("q"):
            return Done(0)
    return Done(0 if found and not err else 2 if err else 1, "" if chosen.has("q") else "".join(out), "".join(err))


def _sources(
    call: Call, chosen: Parsed, names: list[str], *, recursive: bool, bare: bool
) -> list[tuple[str, str | None, str]]:
    if not recursive:
        return list(inputs(call, names))
    found: list[tuple[str, str | None, str]] = []
    for name in names:
        place = call.world.real(call.place(name))
        if not call.world.tree.is_folder(place):
            found += inputs(call, [name])
            continue
        size = len(place) + 1 if place else 0
        for path in sorted(call.world.tree.below(place)):
            inner = path[size:]
            node = call.world.tree.files[path]
            if node.link is None and _included(inner, chosen) and b"\0" not in node.data[:8000]:
                shown = inner if bare else f"{name.rstrip('/')}/{inner}" if name != "/" else path
                found.append((shown, text(node.data), ""))
    return found


def _included(path: str, chosen: Parsed) -> bool:
    *folders, name = path.split("/")
    globs = {letter: chosen.options.get(letter, []) for letter in "123"}
    if globs["1"] and not any(fnmatch.fnmatchcase(name, glob) for glob in globs["1"]):
        return False
    if any(fnmatch.fnmatchcase(name, glob) for glob in globs["2"]):
        return False
    return not any(fnmatch.fnmatchcase(folder, glob) for folder in folders for glob in globs["3"])


def _shown(
    chosen: Parsed, wanted: re.Pattern[str], name: str, lines: list[str], hits: list[int], *, several: bool
) -> str:
    if chosen.has("lL"):
        return f"{name}\n" if bool(hits) != chosen.has("L") else ""
    prefix = f"{name}:" if several else ""
    if chosen.has("c"):
        return f"{prefix}{len(hits)}\n"
    if chosen.has("o"):
        parts = ((at, match) for at in hits for match in wanted.finditer(lines[at]) if match.group())
        return "".join(f"{prefix}{f'{at + 1}:' if chosen.has('n') else ''}{match.group()}\n" for at, match in parts)
    if not hits:
        return ""
    before = int(chosen.last("B") or chosen.last("C") or 0)
    after = int(chosen.last("A") or chosen.last("C") or 0)
    rows: list[str] = []
    last = -1
    around = sorted({at for hit in hits for at in range(max(0, hit - before), min(len(lines), hit + after + 1))})
    matched = set(hits)
    numbered = chosen.has("n")
    for at in around:
        if (before or after) and rows and at != last + 1:
            rows.append("--\n")
        mark = ":" if at in matched else "-"
        number = f"{at + 1}{mark}" if numbered else ""
        rows.append(f"{name + mark if several else ''}{number}{lines[at]}\n")
        last = at
    return "".join(rows)


@functools.lru_cache(maxsize=512)
def compiled(patterns: tuple[str, ...], kind: str, ignore: bool, words: bool, lines: bool) -> re.Pattern[str]:
    """Alternatives as one Python expression. Raises `re.error`, and `Unmodelled` where the two languages differ."""
    parts = []
    for pattern in "\n".join(patterns).split("\n"):
        part = re.escape(pattern) if kind == "F" else pattern
        if kind in "EG":
            part = translated(pattern, extended=kind == "E")
        part = f"(?:{part})"
        parts.append(rf"\b{part}\b" if words else rf"^{part}$" if lines else part)
    return re.compile("|".join(parts), re.IGNORECASE if ignore else 0)


def translated(pattern: str, *, extended: bool) -> str:
    """A POSIX expression, basic or extended, in Python's syntax."""
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            following = pattern[at + 1 : at + 2]
            at += 2
            if not following:
                msg = "Trailing backslash"
                raise re.error(msg)
            out.append(_escaped(following, extended=extended))
            continue
        if char == "[":
            end = _set_end(pattern, at)
            out.append(_set(pattern[at:end]))
            at = end
            continue
        special = char in "(){}|+?" and not extended
        star = char == "*" and (not out or out[-1] in {"(", "|", "^"})
        out.append("\\" + char if special or star else char)
        at += 1
    return "".join(out)


def _escaped(char: str, *, extended: bool) -> str:
    if char in "<>":
        return r"\b"
    if char in "(){}|+?" and not extended:
        return char
    if char in "wWsSbB" or char.isdigit():
        return "\\" + char
    return re.escape(char)


def _set_end(pattern: str, at: int) -> int:
    start = at + 1 + (pattern[at + 1 : at + 2] == "^")
    end = pattern.find("]", start + 1)
    while end > 0 and pattern.count("[:", at, end) > pattern.count(":]", at, end + 1):
        end = pattern.find("]", end + 1)
    while end > 0 and pattern[end - 1 : end + 1] == ":]" and pattern.find("]", end + 1) > 0:
        end = pattern.find("]", end + 1)
    if end < 0:
        msg = "Unmatched [ or [^"
        raise re.error(msg)
    return end + 1


def _set(source: str) -> str:
    inner = source[1:-1]
    negated = inner.startswith("^")
    inner = inner.removeprefix("^").replace("\\", "\\\\")
    for name, chars in _CLASSES.items():
        inner = inner.replace(f"[:{name}:]", chars)
    if "[:" in inner:
        raise Unmodelled(source)
    first, rest = inner[:1], inner[1:]
    inner = ("\\" + first if first == "]" else first) + rest.replace("[", "\\[")
    return f"[{'^' if negated else ''}{inner}]"


def below(call: Call, name: str) -> list[tuple[str, str, bool]]:
    """As shown, key, whether it is a folder: everything at and below a path, a folder before what is in it."""
    tree = call.world.tree
    top = call.world.real(call.place(name))
    if tree.get(top) is not None:
        return [(name, top, False)]
    if not tree.is_folder(top):
        return []
    found = [(name, top, True)]
    for child in tree.children(top):
        place = joined(top, child)
        label = f"{name.rstrip('/')}/{child}" if name != "/" else f"/{child}"
        if tree.is_folder(place):
            found += below(call, label)
        else:
            found.append((label, place, False))
    return found
