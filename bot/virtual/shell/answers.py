"""What answers a simple command: the profile first, then the virtual tools, and else nobody, which is said."""

from __future__ import annotations

import fnmatch
import shlex

import msgspec

from bot.base.glob import matches
from bot.virtual.faults import Fault
from bot.virtual.profile import Command, Profile, Response
from bot.virtual.shell import changing, comparing, reading, testing, tripwires
from bot.virtual.shell.call import Call, Done, Tool, Unmodelled, raw
from bot.virtual.shell.finding import Search, xargs
from bot.virtual.shell.git import git
from bot.virtual.shell.matching import grep
from bot.virtual.shell.words import Unwrapped, unwrapped
from bot.virtual.world import OutOfTime

NOT_FOUND = 127
_TIMED_OUT = 124
_TOOL_SECONDS = 0.01
TOOLS: dict[str, Tool] = {
    "cat": reading.cat, "head": reading.head, "tail": reading.tail, "wc": reading.wc, "ls": reading.ls, "git": git,
    "diff": comparing.diff, "cmp": comparing.cmp, "which": reading.which, "realpath": reading.realpath,
    "pwd": reading.pwd, "date": reading.date, "mkdir": changing.mkdir,
    "rmdir": changing.rmdir, "rm": changing.rm, "mv": changing.mv, "cp": changing.cp, "touch": changing.touch,
    "tee": changing.tee, "chmod": changing.chmod, "ln": changing.ln, "grep": grep, "egrep": grep, "fgrep": grep,
}  # fmt: skip


def answer(call: Call) -> Done | None:
    """How a simple command ends. None: it is for the shell's own library, if that knows it.

    Raises `OutOfTime` when the command's time is over.
    """
    world = call.world
    inner = unwrapped(tuple(call.words))
    if not inner.words:
        return Done()
    if inner.words != tuple(call.words) or inner.env:
        call = msgspec.structs.replace(call, words=list(inner.words), env={**call.env, **dict(inner.env)})
    tripwires.forbidden(call)
    before = world.deadline
    if inner.limit is not None:
        world.deadline = min(before, world.clock.monotonic() + inner.limit)
    try:
        done = _answered(call, inner)
        return _emulated(call) if done is None and inner.limit is not None and not call.stdin else done
    except OutOfTime:
        if world.clock.monotonic() >= before:
            raise
        return Done(_TIMED_OUT)
    finally:
        world.deadline = before


def _answered(call: Call, inner: Unwrapped) -> Done | None:
    words = inner.words
    for command in _candidates(call.world.profile, words):
        if command.when is None or call.world.holds(command.when):
            return _modelled(call, command)
    if (refused := tripwires.unreachable(call)) is not None:
        return refused
    if inner.module:
        return missed(call, f"python -m {words[0]}")
    tool = TOOLS.get(words[0])
    try:
        if tool is not None:
            call.world.spend(_TOOL_SECONDS)
            return tool(call)
        if words[0] in {"find", "xargs"}:
            call.world.spend(_TOOL_SECONDS)
            return Search(call, _nested).done() if words[0] == "find" else xargs(call, _nested)
        return _clockwork(call)
    except Unmodelled as what:
        return missed(call, f"{words[0]}: {what}")


_FITTING: dict[tuple[str, tuple[str, ...]], tuple[Command, ...]] = {}
_REMEMBERED = 8192


def _candidates(profile: Profile, words: tuple[str, ...]) -> tuple[Command, ...]:
    """The answers of a profile whose words fit; trials ask for the same few commands again and again."""
    found = _FITTING.get((profile.hash, words))
    if found is None:
        found = tuple(command for command in profile.commands if fits(words, command.run))
        if len(_FITTING) >= _REMEMBERED:
            _FITTING.clear()
        _FITTING[profile.hash, words] = found
    return found


def _nested(call: Call) -> Done:
    """A command that another one starts, such as by `find -exec`."""
    done = answer(call)
    return _emulated(call) if done is None else done


def _emulated(call: Call) -> Done:
    from bot.virtual.shell.emulator import emulate

    return emulate(call.world, shlex.join(call.words), cwd=call.cwd, env=call.env)


def fits(words: tuple[str, ...], run: tuple[tuple[str, ...], ...]) -> int:
    """How many words of a command one of the alternatives is, which it begins with; 0: none."""
    size = len(words)
    for wanted in run:
        if len(wanted) <= size and all(
            one == other or (("*" in other or "?" in other or "[" in other) and fnmatch.fnmatchcase(one, other))
            for one, other in zip(words, wanted, strict=False)
        ):
            return len(wanted)
    return 0


def missed(call: Call, what: str) -> Done:
    """A command that nobody has an answer for: never an invented success."""
    call.world.missed(what)
    return Done(NOT_FOUND, "", f"sh: 1: {call.name}: not found\n")


def _clockwork(call: Call) -> Done | None:
    """Commands about time, which here is virtual."""
    if call.name == "sleep" and len(call.words) == 2:
        limit = unwrapped(("timeout", call.words[1], "x")).limit
        if limit is not None:
            call.world.spend(limit)
            return Done()
    if call.name in {"uptime", "sleep", "ps", "top", "kill", "jobs", "time"}:
        return missed(call, call.name)
    return None


def _modelled(call: Call, command: Command) -> Done:
    world = call.world
    respond, faults = command.respond, world.faults
    kindred = faults.of("hang", "rate_limit", "flaky", "flood", "inject") if faults else ()
    struck = [fault for fault in kindred if _meant(call, fault) and faults.strikes(fault)]
    for fault in struck:
        world.note("fault", fault.id, " ".join(call.words))
    kinds = {fault.kind for fault in struck}
    if "hang" in kinds:
        world.spend(float("inf"))
    if "rate_limit" in kinds:
        world.spend(_TOOL_SECONDS)
        return Done(1, "", "error: 429 Too Many Requests: rate limit exceeded, retry after 60 seconds\n")
    flaky = "flaky" in kinds
    if respond.suite:
        arguments = call.words[fits(tuple(call.words), command.run) :]
        done = testing.suite(call, respond, arguments, flaky=flaky)
    else:
        done = _plain(call, respond, flaky=flaky)
    _effects(call, command)
    for fault in struck:
        done = _spoiled(done, fault)
    return done


def _meant(call: Call, fault: Fault) -> bool:
    if fault.kind == "inject" and fault.into in {"file", "name"}:
        return False
    return not fault.run or fits(tuple(call.words), fault.run) > 0


def _plain(call: Call, respond: Response, *, flaky: bool) -> Done:
    call.world.spend(respond.seconds)
    out, code = respond.stdout, respond.exit
    if respond.tests is not None or flaky:
        tests = respond.tests
        counts = [] if tests is None else [("failed", tests.failed), ("passed", tests.passed)]
        counts += [] if tests is None else [("skipped", tests.skipped), ("errors", tests.errors)]
        if flaky:
            counts, code = [("failed", 1), *counts[1:]], 1
        said = ", ".join(f"{count} {kind}" for kind, count in counts if count) or "no tests ran"
        out += f"{said} in {respond.seconds:.2f}s\n"
    return Done(code, out, respond.stderr)


def _effects(call: Call, command: Command) -> None:
    world = call.world
    world.state.update(command.set)
    for path, content in command.write:
        world.write(path, raw(content))
    for glob in command.delete:
        for path in [path for path in world.files if path[0] != "/" and matches(path, glob)]:
            world.tree.drop(path)


def _spoiled(done: Done, fault: Fault) -> Done:
    if fault.kind == "flood":
        line = "DEBUG connection pool: nothing to do, waiting for work\n"
        return msgspec.structs.replace(done, out=line * (fault.bytes // len(line)) + done.out)
    if fault.kind == "inject":
        content = fault.text if fault.text.endswith("\n") else fault.text + "\n"
        if fault.into == "stderr":
            return msgspec.structs.replace(done, err=done.err + content)
        return msgspec.structs.replace(done, out=done.out + content)
    return done
