"""The process inside a sandbox: confines itself, then serves one client over an inherited socket until that is closed.

    keeper (Landlock and no confinement only; in a PID namespace the kernel does its work)
    └── worker ── serves read, write, delete, entries, run
        └── sh -c … ── one command at a time; all of it is dead before the answer goes out

The keeper outlives a worker that was killed, so that nothing the worker started survives it. With Landlock each floor
is a nested domain and can signal only those below it.
"""

from __future__ import annotations

import os
import resource
import signal
import sys

from bot.sandbox.inside import commands, ending, files, kernel, wire
from bot.sandbox.inside.filters import assembled, program
from bot.sandbox.inside.totals import Totals

_OPEN_FILES = 8192
_PREFERRED_VICTIM = "500"
"""When memory runs out, the kernel ends what runs in here before anything outside."""
_LINUX = sys.platform == "linux"


class Unconfined(Exception):
    """The confinement did not take hold, so nothing may run."""


def main() -> None:
    """Entry: the channel's descriptor is the last argument, the first request says how to confine."""
    channel = int(sys.argv[-1])
    os.set_inheritable(channel, False)  # noqa: FBT003
    config = wire.receive(channel)
    if config is None:
        return
    try:
        kennel = _confine(config)
        if config["level"] != "bubblewrap":
            _keep(channel, kennel)
        if config["level"] == "landlock":
            kernel.confine_signals()
            _prove_scope()
    except (OSError, Unconfined, ending.StillAlive) as error:
        wire.send(channel, wire.reply({"error": "confine", "message": str(error)}))
        return
    wire.send(channel, wire.reply({"ok": None}))
    _serve(channel, config, kennel)


def _confine(config: wire.Request) -> commands.Kennel:
    """What holds for the rest of this process's life and for all it starts."""
    os.umask(0o022)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not _LINUX:
        return commands.Kennel(enter=_nothing, end=ending.all_descendants)
    _limit(config["processes"])
    level = config["level"]
    if level == "bubblewrap":
        if os.getpid() != 1:
            msg = "the worker is not the first process of a PID namespace"
            raise Unconfined(msg)
        if kernel.landlock_abi() >= kernel.SCOPED_ABI:
            kernel.no_new_privileges()
            kernel.confine_signals()
    else:
        kernel.adopt_orphans()
    kernel.no_new_privileges()
    if level == "none":
        return commands.Kennel(enter=_nothing, end=ending.all_descendants)
    kernel.drop_capabilities()
    if level == "landlock":
        kernel.confine_files(config["readable"], config["writable"], network=bool(config["families"]))
        _prove_scope()
    kernel.filter_calls(assembled(program(tuple(config["families"]), ipc=level == "bubblewrap")))
    kernel.hide_memory()
    enter = kernel.confine_signals if level == "landlock" else _nothing
    return commands.Kennel(enter=enter, end=ending.all_in_reach)


def _limit(processes: int) -> None:
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(_PREFERRED_VICTIM)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_FSIZE: files.LARGEST,
        resource.RLIMIT_DATA: max(memory // 2, 2 << 30),
        resource.RLIMIT_NPROC: processes,
    }
    for which, value in wanted.items():
        _, hard = resource.getrlimit(which)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (least, least))


def _prove_scope() -> None:
    # kill(-1) may be used only when this holds: the parent, same user, is out of our reach.
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return
    msg = "signals are not confined"
    raise Unconfined(msg)


def _keep(channel: int, kennel: commands.Kennel) -> None:
    """Fork; return in the child, which is the worker. The parent waits for it, ends what it left, and exits."""
    worker = os.fork()
    if worker == 0:
        if _LINUX:
            kernel.adopt_orphans()
        return
    os.close(channel)
    # The client's way to end a worker that hangs. Once the worker is gone, nothing may keep us from the rest.
    signal.signal(signal.SIGTERM, lambda _number, _frame: ending.kill(worker, signal.SIGKILL))
    os.waitpid(worker, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    kennel.end()
    os._exit(0)


def _serve(channel: int, config: wire.Request, kennel: commands.Kennel) -> None:
    while (request := wire.receive(channel)) is not None:
        try:
            answer = {"ok": _answer(request, config, kennel, channel)}
        except commands.Gone:
            return
        except files.Refused as refused:
            answer = {"error": "refused", "message": str(refused)}
        except ending.StillAlive:
            answer = {"error": "broken", "message": "a process of the command could not be ended"}
        except OSError as error:
            answer = {"error": "os", "number": error.errno or 0, "message": error.strerror or type(error).__name__}
            if isinstance(error, IsADirectoryError):
                answer["error"] = "directory"
        wire.send(channel, wire.reply(answer))


def _answer(request: wire.Request, config: wire.Request, kennel: commands.Kennel, channel: int) -> object:
    workspace = config["workspace"]
    match request["op"]:
        case "read":
            return files.read(workspace, request["path"], request["limit"])
        case "write":
            files.write(workspace, request["path"], request["data"])
            return None
        case "delete":
            files.delete(workspace, request["path"])
            return None
        case "entries":
            return files.entries(workspace, request["path"], request["limit"])
        case "run":
            folder = os.path.join(workspace, files.relative(workspace, request["cwd"]))  # noqa: PTH118
            env = config["env"] | request["env"]
            totals = Totals.of(workspace) if _LINUX else None
            command = commands.Command(request["command"], folder, env, request["timeout"], totals)
            return commands.run(command, kennel, channel)
    msg = f"unknown request {request['op']}"
    raise AssertionError(msg)


def _nothing() -> None:
    """A command needs no confinement beyond what it inherits."""
