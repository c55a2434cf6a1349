"""What a command was and what its tests said: argv, counts from a runner's summary, results from JUnit XML.

A summary is believed only if it closes the output, if it comes from the runner that the command names (or is the only
one there is), and if the exit code agrees: a runner's output quoted inside a test failure, or printed by the code under
test, must not count.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator

import msgspec

from bot.trace.events import TestCounts
from bot.trace.junit import junit as junit
from bot.trace.runners import RUNNERS, Runner

_TAIL = 64 << 10
"""How much of an output's end is looked at; a summary is a few lines."""
_REMEMBERED = 4 << 10
"""Bytes of output up to which a command's counts are remembered: trials run the same thing again and again."""
_KILLED = 124
"""Exit codes from here on are the shell's own, or a signal's."""
_NO_TESTS = 5
"""pytest's and unittest's exit code when there was no test."""
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[@-~]")
_OPERATORS = frozenset({"&&", "||", ";", "|", "&", "|&", ";;"})
_GROUPING = re.compile(r"[(){}`]|\$\(|<<|^(?:if|for|while|until|case|function)\b")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*(?:\.exe)?")
_LAUNCHERS: dict[tuple[str, ...], frozenset[str]] = {
    ("uv", "run"): frozenset(
        {"--with", "--extra", "--group", "--python", "-p", "--project", "--directory", "--package"}
    ),
    ("uvx",): frozenset({"--from", "--with", "--python", "-p"}),
    ("pipx", "run"): frozenset({"--spec", "--python"}),
    ("poetry", "run"): frozenset(),
    ("pdm", "run"): frozenset(),
    ("hatch", "run"): frozenset(),
    ("rye", "run"): frozenset(),
    ("pipenv", "run"): frozenset(),
    ("bundle", "exec"): frozenset(),
    ("npx",): frozenset({"-p", "--package"}),
    ("bunx",): frozenset(),
    ("pnpm", "exec"): frozenset(),
    ("yarn", "exec"): frozenset(),
    ("npm", "exec"): frozenset(),
    ("xvfb-run",): frozenset({"-s", "-n"}),
    ("coverage", "run"): frozenset({"--source", "--rcfile", "--include", "--omit", "--data-file"}),
    ("sudo",): frozenset({"-u", "-g"}),
    ("time",): frozenset({"-f", "-o"}),
    ("nice",): frozenset({"-n"}),
    ("nohup",): frozenset(),
    ("exec",): frozenset(),
    ("command",): frozenset(),
    ("timeout",): frozenset({"-k", "-s", "--signal", "--kill-after"}),
    ("stdbuf",): frozenset({"-o", "-e", "-i"}),
    ("env",): frozenset({"-u", "-C"}),
}
"""Programs that run the program after them → their options that take a word."""


def counts(command: str, exit_code: int, stdout: bytes, stderr: bytes) -> TestCounts | None:
    """How many tests passed, failed, were skipped, or broke, by the summary; None where that is not beyond doubt.

    None too when the exit code contradicts the summary, and when a signal or a time-out ended the command.
    """
    if len(stdout) + len(stderr) <= _REMEMBERED:
        return _short_counts(command, exit_code, stdout, stderr)
    return _counts(command, exit_code, stdout, stderr)


def _counts(command: str, exit_code: int, stdout: bytes, stderr: bytes) -> TestCounts | None:
    if exit_code >= _KILLED:
        return None
    found = [pair for stream in (stdout, stderr) for pair in _summaries(_text(stream))]
    flat = " ".join(words(command)) or command
    named = [pair for pair in found if pair[0].command.search(flat)]
    seen = {msgspec.json.encode(tally): tally for _, tally in named or found}
    if len(seen) != 1:
        return None
    (tally,) = seen.values()
    nothing = exit_code == _NO_TESTS and not tally.passed
    return tally if (tally.failed + tally.errors == 0) == (exit_code == 0 or nothing) else None


_short_counts = functools.lru_cache(maxsize=512)(_counts)


@functools.lru_cache(maxsize=1024)
def words(command: str) -> tuple[str, ...]:
    """The words of the last simple command, without assignments, redirections and launchers (`uv run`, `python -m`).

    Of `cd x && pytest` that is `pytest`, and of a pipe its first command: the rest looks at its output. Empty when the
    command is not simple (a loop, a subshell, an unclosed quote) or there is nothing in it.
    """
    if _GROUPING.search(_unquoted(command)):
        return ()
    try:
        line = command.strip().replace("\\\n", " ")
        line = line.replace("\n", ";") if "\n" in _unquoted(line) else line
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split, lexer.commenters = True, ""
        tokens = list(lexer)
    except ValueError:
        return ()
    simple = [part for part in _simple_commands(tokens) if part]
    return tuple(_unwrapped(simple[-1])) if simple else ()


def _simple_commands(tokens: list[str]) -> Iterator[list[str]]:
    current: list[str] = []
    piped = skip = False
    for token in tokens:
        if skip:
            skip = False
        elif token in _OPERATORS:
            if not piped:
                yield current
            piped = token in {"|", "|&"}
            current = []
        elif token and set(token) <= set("<>&|"):
            skip = True
            if current and current[-1].isdigit():
                current.pop()
        else:
            current.append(token)
    if not piped:
        yield current


def _unquoted(command: str) -> str:
    return re.sub(r"'[^']*'|\"(?:\\.|[^\"\\`$])*\"|\\.", "", command).strip()


def _unwrapped(argv: list[str]) -> list[str]:
    while argv:
        if _ASSIGNMENT.match(argv[0]):
            argv = argv[1:]
            continue
        name = argv[0].rpartition("/")[2]
        if _PYTHON.fullmatch(name):
            module = _module(argv)
            return module or [name, *argv[1:]]
        launcher = next((key for key in _LAUNCHERS if (name, *argv[1 : len(key)]) == key), None)
        if launcher is None:
            return [name, *argv[1:]]
        inner = _past_options(argv[len(launcher) :], _LAUNCHERS[launcher], number=launcher == ("timeout",))
        if inner and launcher == ("coverage", "run"):
            inner = inner[1:] if inner[0] == "-m" else ["python", *inner]
        if not inner:
            return [name, *argv[1:]]
        argv = inner
    return argv


def _module(argv: list[str]) -> list[str]:
    """`python -X dev -m pytest -q` → `pytest -q`; empty when no module is run."""
    at = 1
    while at < len(argv) and argv[at].startswith("-"):
        if argv[at] == "-m":
            return _unwrapped(argv[at + 1 :]) if argv[at + 1 : at + 2] == ["coverage"] else argv[at + 1 :]
        if argv[at] == "-c":
            return []
        at += 2 if argv[at] in {"-X", "-W"} else 1
    return []


def _past_options(argv: list[str], with_value: frozenset[str], *, number: bool) -> list[str]:
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "-m":
        if argv[at] == "--":
            at += 1
            break
        at += 2 if argv[at] in with_value else 1
    if number and at < len(argv):
        at += 1  # timeout's own duration
    return argv[at:]


def _text(stream: bytes) -> str:
    return _COLOURS.sub("", stream[-_TAIL:].decode("utf-8", "replace")).replace("\r\n", "\n")


def _summaries(text: str) -> Iterator[tuple[Runner, TestCounts]]:
    """Each runner's closing summary, where it really closes the output."""
    for runner in RUNNERS:
        matches = list(runner.summary.finditer(text))
        if not matches or len(text[matches[-1].end() :].strip().splitlines()) > runner.after:
            continue
        tally = runner.read(matches, text)
        if tally is not None:
            yield runner, tally
