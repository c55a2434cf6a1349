"""Commands that show files: cat, head, tail, wc, ls, diff and what belongs to them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from bot.virtual.shell.call import Call, Done, Unmodelled, inputs, raw, split
from bot.virtual.tree import joined, shown

if TYPE_CHECKING:
    from bot.virtual.tree import Node


_EXISTING = "python python3 pytest git make grep find sed sort cat ls head tail wc diff sh bash echo"
_DATES = "FYmdHMSsTbBaAjeIpyDRu%"


def cat(call: Call) -> Done:
    """`cat [-nbsA] [FILE…]`."""
    chosen = split(call.words, "nAeETuv")
    out, err = [], []
    for name, content, why in inputs(call, chosen.operands):
        if content is None:
            err.append(f"cat: {name}: {why}\n")
        else:
            out.append(content)
    whole = "".join(out)
    if chosen.has("ATeEv"):
        whole = whole.replace("\t", "^I") if chosen.has("AT") else whole
        whole = whole.replace("\n", "$\n") if chosen.has("AeE") else whole
    if chosen.has("n"):
        whole = "".join(f"{number:6}\t{line}" for number, line in enumerate(whole.splitlines(keepends=True), 1))
    return Done(int(bool(err)), whole, "".join(err))


def head(call: Call) -> Done:
    """`head [-n N | -c N | -N] [FILE…]`."""
    return _ends(call, from_start=True)


def tail(call: Call) -> Done:
    """`tail [-n N | -n +N | -c N | -N] [FILE…]`."""
    return _ends(call, from_start=False)


def _ends(call: Call, *, from_start: bool) -> Done:
    short = {at for at, word in enumerate(call.words) if word[:1] == "-" and word[1:].isdigit()}
    short -= {at for at in short if call.words[at - 1] in {"-n", "-c"}}
    words = [f"-n{word[1:]}" if at in short else word for at, word in enumerate(call.words)]
    chosen = split(words, "qv", "nc", {"lines": "n", "bytes": "c", "quiet": "q"})
    by_bytes = chosen.has("c")
    amount = chosen.last("c" if by_bytes else "n", "10")
    if not amount.lstrip("+-").isdigit():
        return call.fails(f"invalid number of {'bytes' if by_bytes else 'lines'}: '{amount}'")
    out: list[str] = []
    err: list[str] = []
    several = (len(chosen.operands) > 1 and not chosen.has("q")) or chosen.has("v")
    for name, content, why in inputs(call, chosen.operands):
        if content is None:
            err.append(f"{call.name}: cannot open '{name}' for reading: {why}\n")
            continue
        if several:
            out.append(f"{chr(10) if out else ''}==> {'standard input' if name == '-' else name} <==\n")
        out.append(_part(content, amount, by_bytes=by_bytes, from_start=from_start))
    return Done(int(bool(err)), "".join(out), "".join(err))


def _part(content: str, amount: str, *, by_bytes: bool, from_start: bool) -> str:
    count = abs(int(amount))
    if by_bytes:
        data = raw(content)
        cut = data[:count] if from_start else data[max(0, count - 1) :] if amount[0] == "+" else data[-count:]
        return (cut if count or amount[0] == "+" else b"").decode("utf-8", "surrogateescape")
    rows = lines(content)
    if from_start:
        return "".join(rows[: len(rows) - count] if amount[0] == "-" else rows[:count])
    return "".join(rows[max(0, count - 1) :] if amount[0] == "+" else rows[max(0, len(rows) - count) :])


def lines(content: str) -> list[str]:
    """Lines that end with a newline and nothing else."""
    parts = content.split("\n")
    return [part + "\n" for part in parts[:-1]] + [part for part in parts[-1:] if part]


def wc(call: Call) -> Done:
    """`wc [-lwcm] [FILE…]`."""
    chosen = split(call.words, "lwcm", long={"lines": "l", "words": "w", "bytes": "c", "chars": "m"})
    wanted = [letter for letter in "lwmc" if letter in chosen.options] or list("lwc")
    rows: list[tuple[list[int], str]] = []
    err, total = [], 0
    for name, content, why in inputs(call, chosen.operands):
        if content is None:
            err.append(f"wc: {name}: {why}\n")
            continue
        total += len(raw(content))
        sizes = {"l": content.count("\n"), "w": len(content.split()), "c": len(raw(content)), "m": len(content)}
        rows.append(([sizes[letter] for letter in wanted], "" if name == "-" and not chosen.operands else name))
    if len(chosen.operands) > 1:
        rows.append(([sum(column) for column in zip(*(row for row, _ in rows), strict=True)], "total"))
    width = len(str(total)) if chosen.operands else 7
    if len(rows) == 1 and len(wanted) == 1:
        width = 1
    lines = [
        " ".join(f"{number:{width}}" for number in numbers) + (f" {name}" if name else "") for numbers, name in rows
    ]
    return Done(int(bool(err)), "".join(f"{line}\n" for line in lines), "".join(err))


def ls(call: Call) -> Done:
    """`ls [-1aAlRdFph] [PATH…]`."""
    chosen = split(call.words, "1aAlRdFphtrSGgoLi", long={"all": "a", "almost-all": "A", "recursive": "R"})
    if chosen.has("tSi"):
        raise Unmodelled("ls by time, size or inode")
    files, folders, err = [], [], []
    for name in sorted(chosen.operands or ["."], key=raw):
        place = call.world.real(call.place(name))
        if call.world.tree.is_folder(place) and not chosen.has("d"):
            folders.append(name)
        elif call.world.tree.is_folder(place) or call.world.tree.get(call.place(name)):
            files.append(name)
        else:
            err.append(f"ls: cannot access '{name}': No such file or directory\n")
    blocks = [_rows(call, files, "", chosen.options, total=False)] if files else []
    several = len(chosen.operands) > 1 or chosen.has("R")
    while folders:
        name = folders.pop(0)
        place = call.world.real(call.place(name))
        names = call.world.tree.children(place)
        hidden = [".", "..", *names] if chosen.has("a") else names
        kept = [entry for entry in hidden if chosen.has("aA") or not entry.startswith(".")]
        kept = kept[::-1] if chosen.has("r") else kept
        head_line = f"{name}:\n" if several else ""
        blocks.append(head_line + _rows(call, kept, name, chosen.options, total=True))
        if chosen.has("R"):
            below = [
                entry for entry in kept if entry not in {".", ".."} and call.world.tree.is_folder(joined(place, entry))
            ]
            folders[:0] = [f"{name.rstrip('/')}/{entry}" for entry in below]
    return Done(2 if err else 0, "\n".join(blocks), "".join(err))


def _rows(call: Call, names: list[str], folder: str, options: dict[str, list[str]], *, total: bool) -> str:
    tree = call.world.tree
    start = call.world.real(call.place(folder)) if folder else call.cwd
    rows, blocks = [], 0
    for name in names:
        plain = folder and name not in {".", ".."}
        place = (f"{start}/{name}" if start else name) if plain else joined(start, name)
        found = tree.get(place)
        mark = _mark(found, folder=tree.is_folder(place), options=options)
        if "l" not in options:
            rows.append(f"{name}{mark}\n")
            continue
        size = len(found.data) if found else 4096
        blocks += -(-size // 4096) * 4 if not (found and found.link) else 0
        rows.append(_long(call, found, f"{name}{mark}", size))
    listing = "".join(rows)
    return f"total {blocks}\n{listing}" if "l" in options and total else listing


def _mark(found: Node | None, *, folder: bool, options: dict[str, list[str]]) -> str:
    if folder:
        return "/" if options.keys() & set("Fp") else ""
    if found is None or "F" not in options:
        return ""
    return "@" if found.link else "*" if found.executable else ""


def _long(call: Call, found: Node | None, name: str, size: int) -> str:
    mode = "drwxr-xr-x" if found is None else "-rwxr-xr-x" if found.executable else "-rw-r--r--"
    if found is not None and found.link is not None:
        mode, name = "lrwxrwxrwx", f"{name} -> {found.link}"
    when = time.strftime("%b %e %H:%M", time.gmtime(call.world.now() - call.world.clock.monotonic()))
    return f"{mode} 1 agent agent {size:5} {when} {name}\n"


def date(call: Call) -> Done:
    """`date [-u] [+FORMAT]` by the virtual clock, in UTC."""
    words = [word for word in call.words[1:] if word not in {"-u", "--utc"}]
    template = words[0] if words else "+%a %b %e %H:%M:%S UTC %Y"
    known = set(re.findall("%.", template)) <= {f"%{letter}" for letter in _DATES}
    if len(words) > 1 or not template.startswith("+") or not known:
        raise Unmodelled(*call.words)
    now = call.world.now()
    return Done(0, time.strftime(template[1:].replace("%s", str(int(now))), time.gmtime(now)) + "\n")


def realpath(call: Call) -> Done:
    """`realpath PATH…`."""
    chosen = split(call.words, "emsq")
    return Done(0, "".join(f"{shown(call.world.real(call.place(name)))}\n" for name in chosen.operands))


def which(call: Call) -> Done:
    """`which NAME…`: what the profile answers, and what every machine has."""
    known = set(_EXISTING.split()) | {wanted[0] for command in call.world.profile.commands for wanted in command.run}
    found = [f"/usr/bin/{name}\n" for name in call.words[1:] if name in known]
    return Done(int(len(found) < len(call.words) - 1), "".join(found))


def pwd(call: Call) -> Done:
    """`pwd`."""
    return Done(0, shown(call.cwd) + "\n")
