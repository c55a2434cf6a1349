"""Keys and tokens leave what other processes can read of this one, before anything else happens.

The arguments of a process are readable by every process of the same machine (`ps`, `/proc/PID/cmdline`), the
environment it was started with by every process of the same user (`/proc/PID/environ`, whatever was unset since), and
both by the agent's commands where there is no sandbox. So we start ourselves again without them: the new process
image gets them through a pipe that it reads once.
"""

from __future__ import annotations

import json
import os
import sys

from bot.base.errors import UsageError
from bot.base.secret_names import SECRET_NAMES

_FD_VARIABLE = "FLEET_BOT_SECRETS_FD"
_RUN_CODE = frozenset({"action", "demo", "propose", "run", "trace", "tunnel"})
"""Commands that execute what lies in a repository."""
_PIPE = 65_536
_given: str | None = None


def take_secrets_from_argv(words: list[str]) -> list[str]:
    """The words without `--api-key`; its value is kept for `given_key`. Replaces the process when it was there.

    The process is replaced too when a command that runs a repository's code was started with keys or tokens in its
    environment. Words given by a caller and not by the operating system (tests, other code) are only stripped.
    Raises `UsageError` when `--api-key` has no value.
    """
    global _given
    if os.environ.get(_FD_VARIABLE):
        _given = _take_over()
        return words
    rest, key = _split(words)
    if words == sys.argv[1:]:
        command = next((word for word in rest if not word.startswith("-")), "")
        names = [name for name in SECRET_NAMES if os.environ.get(name)] if command in _RUN_CODE else []
        if names or key is not None:
            _start_again(rest, key, names)
    _given = key
    return rest


def given_key() -> str | None:
    """The key from the command line, or None."""
    return _given


def _split(words: list[str]) -> tuple[list[str], str | None]:
    rest: list[str] = []
    key: str | None = None
    end = words.index("--") if "--" in words else len(words)
    remaining = iter(words[:end])
    for word in remaining:
        if word == "--api-key":
            key = next(remaining, "")
            if not key or key.startswith("-"):
                raise _no_key()
        elif word.startswith("--api-key="):
            key = word.partition("=")[2]
            if not key:
                raise _no_key()
        else:
            rest.append(word)
    return rest + words[end:], key


def _no_key() -> UsageError:
    return UsageError("--api-key needs a key.", "Write --api-key KEY, or leave it out: the README says where else.")


def _start_again(rest: list[str], key: str | None, names: list[str]) -> None:
    data = json.dumps([key, {name: os.environ[name] for name in names}]).encode()
    if len(data) > _PIPE:
        raise UsageError("A key or token is too long to be one.", f"Look at --api-key, {', '.join(names)}.")
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)  # noqa: FBT003 (the standard library's signature)
    os.write(write_end, data)
    os.close(write_end)
    environ = {name: value for name, value in os.environ.items() if name not in names}
    # -P: a folder `bot/` in the current folder must not be imported instead of this one.
    command = [sys.executable, "-P", "-m", "bot", *rest]
    os.execve(sys.executable, command, environ | {_FD_VARIABLE: str(read_end)})


def _take_over() -> str | None:
    with os.fdopen(int(os.environ.pop(_FD_VARIABLE)), encoding="utf-8") as pipe:
        key, found = json.load(pipe)
    # What is set now is in this process's memory only; `bot.settings.forget_secrets` keeps it from our children.
    os.environ.update(found)
    return None if key is None else str(key)
