"""A key given as `--api-key KEY` leaves this process's arguments before anything else happens.

The arguments of a process are readable by every process of the same machine (`ps`, `/proc/PID/cmdline`), and by the
agent's commands where the sandbox has no PID namespace. So we start ourselves again without it: the new process image
gets the key through a pipe that it reads once.
"""

from __future__ import annotations

import os
import sys

_FD_VARIABLE = "FLEET_BOT_KEY_FD"
_given: str | None = None


def take_secrets_from_argv(words: list[str]) -> list[str]:
    """The words without `--api-key`; its value is kept for `given_key`. Replaces the process when it was there.

    Words given by a caller and not by the operating system (tests, other code) are only stripped.
    """
    global _given
    if (fd := os.environ.pop(_FD_VARIABLE, None)) is not None:
        with os.fdopen(int(fd), encoding="utf-8") as pipe:
            _given = pipe.read()
    rest, key = _split(words)
    if key is None:
        return words
    if words == sys.argv[1:]:
        _start_again(rest, key)
    _given = key
    return rest


def given_key() -> str | None:
    """The key from the command line, or None."""
    return _given


def _split(words: list[str]) -> tuple[list[str], str | None]:
    rest: list[str] = []
    key: str | None = None
    remaining = iter(words)
    for word in remaining:
        if word == "--api-key":
            key = next(remaining, "")
        elif word.startswith("--api-key="):
            key = word.partition("=")[2]
        else:
            rest.append(word)
    return rest, key


def _start_again(rest: list[str], key: str) -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)  # noqa: FBT003 (the standard library's signature)
    os.write(write_end, key.encode())  # a key is far below the pipe's 64 KiB
    os.close(write_end)
    os.environ[_FD_VARIABLE] = str(read_end)
    # -P: a folder `bot/` in the current folder must not be imported instead of this one.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "bot", *rest])
