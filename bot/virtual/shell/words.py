"""Shell lines that are one simple command, and what a command is behind its wrappers."""

from __future__ import annotations

import functools
import re
import shlex

import msgspec

_PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+=\- ]+")
_QUOTED = re.compile(r"""(?:[A-Za-z0-9_./:,@%+=\- ]|'[^']*'|"[^"$`\\!]*")+""")
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_RUNNERS = {"uv": "run", "poetry": "run", "pipenv": "run", "pdm": "run", "hatch": "run", "rye": "run", "pnpm": "exec"}
_WITH_VALUE = {"--with", "--python", "-p", "--extra", "--group", "--env-file", "--package", "--directory", "-W", "-X"}
_INTERPRETER = {"-P", "-u", "-B", "-I", "-E", "-s", "-S", "-O", "-OO", "-b", "-bb", "-q", "-v"}
_FOLDERS = ("/bin/", "/usr/bin/", "/usr/local/bin/", ".venv/bin/", "venv/bin/", "./.venv/bin/", "./venv/bin/")


@functools.lru_cache(maxsize=4096)
def simple(line: str) -> tuple[str, ...] | None:
    """The words of a line that is one simple command without expansions, or None for every other line."""
    line = line.strip()
    if not _QUOTED.fullmatch(line):
        return None
    words = split_words(line)
    return None if not words or "=" in words[0] else words


def split_words(text: str) -> tuple[str, ...]:
    """As `shlex.split`, which is slow where there is nothing to unquote."""
    if not text or _PLAIN.fullmatch(text):
        return tuple(text.split())
    return tuple(shlex.split(text))


class Unwrapped(msgspec.Struct, frozen=True):
    """A command without what was around it."""

    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    """Variables set for it."""
    module: bool = False
    """It is a Python module (`python -m NAME`), so no command of the shell has that name."""
    limit: float | None = None
    """Seconds that `timeout` gives it."""


@functools.lru_cache(maxsize=4096)
def unwrapped(words: tuple[str, ...]) -> Unwrapped:
    """Takes off `env A=1`, `uv run`, `poetry run`, `npx`, `timeout 60`, `python -m` and the like, all of them."""
    env: list[tuple[str, str]] = []
    limit: float | None = None
    left = list(words)
    while left:
        name = left[0]
        rest = left[1:]
        if name.startswith(_FOLDERS):
            left[0] = name.rpartition("/")[2]
        elif name == "env" and rest and not rest[0].startswith("-"):
            while rest and "=" in rest[0]:
                key, _, value = rest.pop(0).partition("=")
                env.append((key, value))
            if not rest:
                break
            left = rest
        elif name in _RUNNERS and rest and rest[0] == _RUNNERS[name]:
            left = _after_options(rest[1:])
        elif name in {"npx", "bunx", "uvx", "time", "nice", "command", "exec", "stdbuf", "nohup"} and rest:
            left = _after_options(rest)
        elif name == "timeout" and len(rest) >= 2:
            rest = [word for word in rest if word not in {"-v", "--foreground"}]
            seconds = _seconds(rest[0])
            if seconds is None:
                break
            limit, left = seconds, rest[1:]
        elif _PYTHON.fullmatch(name) and (module := _module(rest)):
            return Unwrapped(tuple(module), tuple(env), module=True, limit=limit)
        else:
            break
    return Unwrapped(tuple(left), tuple(env), limit=limit)


def _after_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option == "--":
            break
        if option in _WITH_VALUE and words:
            words.pop(0)
    return words


def _module(words: list[str]) -> list[str]:
    """The words from the module's name on, for the arguments of an interpreter that has `-m`."""
    while words and (words[0] in _INTERPRETER or words[0] in {"-W", "-X"}):
        words = words[2:] if words[0] in {"-W", "-X"} else words[1:]
    return words[1:] if words[:1] == ["-m"] else []


def _seconds(word: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", word)
    if found is None:
        return None
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]
