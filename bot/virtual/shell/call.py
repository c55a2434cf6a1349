"""What every command of the virtual shell takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from bot.virtual.tree import joined
from bot.virtual.world import World, said


class Done(msgspec.Struct, frozen=True):
    """How a command ended. Text keeps bytes that are no UTF-8 as surrogates."""

    exit: int = 0
    out: str = ""
    err: str = ""


class Call(msgspec.Struct, frozen=True):
    """A command about to run."""

    world: World
    words: list[str]
    """The command's name and its arguments."""
    cwd: str
    """The folder it runs in, as a key of the tree."""
    env: Mapping[str, str]
    stdin: str = ""

    @property
    def name(self) -> str:
        """The command's name."""
        return self.words[0]

    def place(self, path: str) -> str:
        """The key of a path as an argument has it."""
        return joined(self.cwd, path)

    def fails(self, message: str, exit_code: int = 1) -> Done:
        """An error of the command itself."""
        return Done(exit_code, "", f"{self.name}: {message}\n")


Tool = Callable[[Call], Done]


class Unmodelled(Exception):
    """The virtual command does not know this use of it, named by these words: a coverage miss, never a guess."""

    def __str__(self) -> str:
        return " ".join(map(str, self.args))


def text(data: bytes) -> str:
    """Bytes of a file as the shell's text."""
    return data.decode("utf-8", "surrogateescape")


def raw(value: str) -> bytes:
    """The shell's text as bytes."""
    return value.encode("utf-8", "surrogateescape")


def split(words: list[str], flags: str, values: str = "", long: Mapping[str, str] | None = None) -> Parsed:
    """Options and operands as `getopt` reads them. Raises `Unmodelled` for an option that is none of these.

    `flags` are letters without a value, `values` letters with one; `long` maps long names to a letter.
    """
    chosen: dict[str, list[str]] = {}
    operands: list[str] = []
    waiting = iter(words[1:])
    for word in waiting:
        if word == "--":
            operands += waiting
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            letter = (long or {}).get(name)
            if letter is None:
                raise Unmodelled(word)
            if letter in values and not equals:
                value = next(waiting, "")
            chosen.setdefault(letter, []).append(value)
        elif word.startswith("-") and word != "-":
            _letters(word, flags, values, chosen, waiting)
        else:
            operands.append(word)
    return Parsed(chosen, operands)


def _letters(word: str, flags: str, values: str, chosen: dict[str, list[str]], waiting: Iterator[str]) -> None:
    for at, letter in enumerate(word[1:], start=1):
        if letter in values:
            value = word[at + 1 :] or next(waiting, "")
            chosen.setdefault(letter, []).append(value)
            return
        if letter not in flags:
            raise Unmodelled(word)
        chosen.setdefault(letter, []).append("")


class Parsed(msgspec.Struct, frozen=True):
    """Options by letter, with all their values, and operands."""

    options: dict[str, list[str]]
    operands: list[str]

    def has(self, letters: str) -> bool:
        """Whether one of these options is given."""
        return not self.options.keys().isdisjoint(letters)

    def last(self, letter: str, default: str = "") -> str:
        """The last value of an option."""
        return self.options.get(letter, [default])[-1]


def inputs(call: Call, names: list[str]) -> Iterator[tuple[str, str | None, str]]:
    """Name, text (None: it cannot be read) and why, of each file; standard input for `-` or without any name."""
    for name in names or ["-"]:
        if name == "-":
            yield "-", call.stdin, ""
            continue
        found = call.world.look(call.place(name))
        if found is not None:
            yield name, text(found.data), ""
        elif call.world.real(call.place(name)) == "/dev/null":
            yield name, "", ""
        else:
            folder = call.world.tree.is_folder(call.world.real(call.place(name)))
            yield name, None, "Is a directory" if folder else "No such file or directory"


def write(call: Call, name: str, data: str) -> str:
    """Write a file; returns why not, or empty text."""
    place = call.world.real(call.place(name))
    parent = place.rpartition("/")[0]
    if not call.world.tree.is_folder(parent) and place != "/dev/null":
        return "No such file or directory"
    try:
        call.world.write(place, raw(data))
    except OSError as error:
        return said(error)
    return ""
