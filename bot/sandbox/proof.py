"""The self-test: tries, from inside a fresh sandbox, what must not be possible."""

from __future__ import annotations

import shlex
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.base.errors import SandboxError
from bot.base.git import GitDir
from bot.base.values import Network
from bot.ports import Sandbox
from bot.sandbox import places
from bot.sandbox.room import Room

_PROBE = r"""
import os, socket, sys
canary, port, network = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def can(what, attempt):
    try:
        if attempt() is not False:
            print(what)
    except OSError:
        pass
def reach(port):
    with socket.create_connection(("127.0.0.1", port), 2):
        pass
def serve():
    with socket.create_server(("127.0.0.1", 0)) as server:
        reach(server.getsockname()[1])
def status(name, value):
    with open("/proc/self/status") as file:
        return not any(line.split() == [name + ":", value] for line in file)
can("read a file outside of the workspace", lambda: open(canary).close())
try:
    open(canary + ".new", "w").close()
except OSError:
    pass
can("gain privileges", lambda: status("NoNewPrivs", "1"))
can("make any system call", lambda: status("Seccomp", "2"))
can("use a capability", lambda: status("CapEff", "0" * 16))
if network != "full":
    can("reach the machine's own network", lambda: reach(port))
if network == "none":
    can("make a network socket", lambda: socket.socket().close())
if network == "loopback":
    try:
        serve()
    except OSError as error:
        print("not use its own loopback (%s)" % error)
"""


def prove(open_room: Callable[[Room], Sandbox], network: Network) -> None:
    """Raises `SandboxError` that names what was possible though it must not be."""
    with tempfile.TemporaryDirectory(prefix="fleet-bot-proof-") as name, socket.create_server(("127.0.0.1", 0)) as ear:
        folder = Path(name)
        canary = folder / "canary"
        canary.write_text("a file that must not be seen", encoding="ascii")
        for part in ("workspace", "private"):
            (folder / part).mkdir()
        room = Room(
            workspace=folder / "workspace", history=GitDir(folder / "git"), private=folder / "private", network=network
        )
        sandbox = open_room(room)
        try:
            program = [places.interpreter(), "-I", "-S", "-c", _PROBE, str(canary), str(ear.getsockname()[1]), network]
            result = sandbox.run(f"exec {shlex.join(program)}", timeout=30)
        finally:
            sandbox.close()
        # Looked at from outside: the place may exist inside as one of the sandbox's own temporary files.
        wrote = "write a file outside of the workspace" if Path(f"{canary}.new").exists() else ""
    said = (wrote + (result.stdout + result.stderr).decode("utf-8", "replace")).strip()
    if result.exit_code or said:
        could = "; ".join(said.splitlines()[:5]) or f"the self-test ended with {result.exit_code}"
        msg = f"the self-test could {could}"
        raise SandboxError(msg)
