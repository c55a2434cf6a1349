"""Shell lines as agents write them, on a virtual tree: `run_line`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.virtual.shell.answers import answer
from bot.virtual.shell.call import Call, Done
from bot.virtual.shell.words import simple
from bot.virtual.world import World

HOME = "/home/agent"
_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8", "TERM": "dumb", "USER": "agent"}


def run_line(world: World, line: str, *, cwd: str, env: Mapping[str, str]) -> Done:
    """Run a line as `sh -c` would; `cwd` is a folder's key. Raises `OutOfTime` when its time is over.

    One simple command is answered at once; everything else goes through the shell library.
    """
    variables = {**_ENV, **world.profile.env, **env}
    words = simple(line)
    if words is not None:
        done = answer(Call(world, list(words), cwd, variables))
        if done is not None:
            return done
    from bot.virtual.shell.emulator import emulate

    return emulate(world, line, cwd=cwd, env=variables)
