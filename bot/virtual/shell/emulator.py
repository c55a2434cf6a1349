"""Compound shell lines by the library `just-bash`: its grammar and interpreter, our file system and our commands.

Why this one, and what is not taken from it: `docs/decisions/0020-shell-lines-by-a-library.md`.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from bot.base.errors import ConfigurationError
from bot.virtual.shell.answers import NOT_FOUND, answer, missed
from bot.virtual.shell.call import Call, Done, Unmodelled
from bot.virtual.shell.library import adapted, sed_commands
from bot.virtual.shell.virtual_fs import VirtualFs
from bot.virtual.shell.words import unwrapped
from bot.virtual.tree import key, shown
from bot.virtual.world import OutOfTime, World

if TYPE_CHECKING:
    from just_bash.types import CommandContext, ExecResult

_UNSTEADY = frozenset({"RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "EPOCHREALTIME", "BASHPID", "PPID", "$", "!"})
_UNFAITHFUL_TESTS = frozenset({"-x", "-nt", "-ot", "-ef"})
_NOT_UNDERSTOOD = ("sed: unterminated", "sed: unknown command", "sed: invalid")
_LIMITS = {"max_call_depth": 50, "max_command_count": 5_000, "max_loop_iterations": 2_000, "max_sed_iterations": 5_000}


class Script(msgspec.Struct, frozen=True):
    """A line as the library has parsed it."""

    tree: Any
    wrong: str = ""
    """Why it is no shell line."""
    unsteady: str = ""
    """What in it a virtual run cannot answer in the same way each time."""


def emulate(world: World, line: str, *, cwd: str, env: Mapping[str, str]) -> Done:
    """Run any shell line. Raises `OutOfTime`, and `ConfigurationError` when the library is not installed."""
    script = parsed(line)
    if script.wrong:
        return Done(2, "", f"sh: 1: Syntax error: {script.wrong}\n")
    if script.unsteady:
        world.missed(script.unsteady)
        return Done(NOT_FOUND, "", f"sh: 1: {script.unsteady} is not there in a virtual plugin\n")
    from just_bash.interpreter.errors import ExecutionLimitError, InterpreterError

    try:
        result = _drive(_shell(world, cwd, env).execute_script(script.tree))
    except ExecutionLimitError:
        # An endless loop in reality; here it would only be endless work.
        world.clock.sleep(max(0.0, min(world.deadline, 1e9) - world.clock.monotonic()))
        raise OutOfTime from None
    except InterpreterError as error:
        return Done(getattr(error, "exit_code", 1), error.stdout, error.stderr)
    except (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        world.missed(f"the shell library does not get along with this line: {type(error).__name__}")
        return Done(NOT_FOUND, "", "sh: 1: this line is not understood in a virtual plugin\n")
    return Done(result.exit_code, result.stdout, result.stderr)


@functools.lru_cache(maxsize=2048)
def parsed(line: str) -> Script:
    """The parsed line; the same few lines come again and again."""
    try:
        from just_bash.parser import ParseException, parse
    except ModuleNotFoundError:
        msg = "Compound shell lines on virtual plugins need the library just-bash."
        raise ConfigurationError(msg, "Install it: pip install 'fleet-bot[tunnel]'.") from None
    try:
        tree = parse(line)
    except (ParseException, RecursionError) as error:
        return Script(None, wrong=str(error).splitlines()[0] if str(error) else "unreadable")
    return Script(tree, unsteady=next(_unsteady(tree), ""))


def _unsteady(part: object) -> Iterator[str]:
    """Background jobs, and variables that are a clock or chance."""
    if isinstance(part, tuple | list):
        for inner in part:
            yield from _unsteady(inner)
        return
    if not hasattr(part, "__dataclass_fields__"):
        return
    if getattr(part, "background", False):
        yield "a background job"
    if type(part).__name__ == "SimpleCommandNode":
        yield from _unfaithful(part)
    if getattr(part, "operator", "") in _UNFAITHFUL_TESTS:
        yield f"a test with {getattr(part, 'operator', '')}"
    if getattr(part, "parameter", "") in _UNSTEADY:
        yield f"${getattr(part, 'parameter', '')}"
    for name in part.__dataclass_fields__:
        yield from _unsteady(getattr(part, name))


def _unfaithful(command: Any) -> Iterator[str]:
    """What the library takes without doing it."""
    words = [_literal(word) for word in (command.name, *command.args) if word is not None]
    if words[:1] in (["trap"], ["ulimit"], ["umask"]):
        yield words[0]
    if words[:1] in (["test"], ["["]):
        for word in words[1:]:
            if word in _UNFAITHFUL_TESTS:
                yield f"a test with {word}"


def _literal(word: Any) -> str:
    return "".join(str(getattr(part, "value", "")) for part in word.parts)


def _drive(coroutine: Any) -> ExecResult:
    """Run a coroutine that never really waits: everything it awaits is in memory."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: ExecResult = stop.value
        return result
    coroutine.close()
    msg = "the library waits for something outside"
    raise ValueError(msg)


def _shell(world: World, cwd: str, env: Mapping[str, str]) -> Any:
    from just_bash.interpreter.types import InterpreterState, VariableStore
    from just_bash.types import ExecutionLimits

    start = {**env, "PWD": shown(cwd), "?": "0", "OPTIND": "1", "SHLVL": "1", "0": "sh"}
    variables = VariableStore(start)  # type: ignore[no-untyped-call]
    for name in env:
        variables.set_attribute(name, "x")
    state = InterpreterState(env=variables, cwd=shown(cwd), random_generator=random.Random(world.faults.seed))  # noqa: S311
    registry = _Registry(world)
    shell = _interpreter()(fs=VirtualFs(world), commands=registry, limits=ExecutionLimits(**_LIMITS), state=state)
    shell.heard = world.heard
    return shell


@functools.cache
def _interpreter() -> Any:
    from just_bash.interpreter import Interpreter

    class Shell(Interpreter):
        """The library's, with the standard error of all commands of a pipeline and not only of its last.

        It also lets be known what was said so far: `heard`.
        """

        heard: list[tuple[str, str]]
        _said: list[str] | None = None
        _depth = 0

        async def execute_command(self, command: Any, stdin: str) -> ExecResult:
            said, self._said = self._said, None
            result = await super().execute_command(command, stdin)
            self._said = said
            if said is not None:
                said.append(result.stderr)
            return result

        async def execute_pipeline(self, node: Any) -> ExecResult:
            outer, self._said = self._said, []
            self._depth += 1
            result = await super().execute_pipeline(node)
            self._depth -= 1
            said, self._said = self._said or [], outer
            merged = node.pipe_amp or ()
            lost = [err for at, err in enumerate(said[:-1]) if not (at < len(merged) and merged[at])]
            if lost:
                result.stderr = "".join(lost) + result.stderr
            if not self._depth:
                self.heard.append((result.stdout, result.stderr))
            return result

        async def _process_output_redirections(self, redirections: Any, result: Any) -> ExecResult:
            files: Any = self._fs
            files.refused = False
            done: ExecResult = await super()._process_output_redirections(redirections, result)
            if files.refused:
                files.refused = False
                done.stdout = ""
            return done

    return Shell


class _Registry(dict[str, "_Bridge"]):
    """All names are commands here, except paths of files: those the library runs as scripts."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def __contains__(self, name: object) -> bool:
        return not (isinstance(name, str) and "/" in name and self._is_script(name))

    def __missing__(self, name: str) -> _Bridge:
        found = self[name] = _Bridge(name, self._world)
        return found

    def _is_script(self, name: str) -> bool:
        place = name.removeprefix("./").lstrip("/")
        files = self._world.files
        found = (
            files.get(key(name))
            or files.get(place)
            or next((files[path] for path in files if path.endswith("/" + place)), None)
        )
        first = found.data.split(b"\n", 1)[0] if found is not None else b""
        return found is not None and (not first.startswith(b"#!") or first.rstrip().endswith(b"sh"))


class _Bridge:
    """One of our commands as the library calls them."""

    def __init__(self, name: str, world: World) -> None:
        self.name, self._world = name, world

    async def execute(self, args: list[str], ctx: CommandContext) -> ExecResult:
        from just_bash.types import ExecResult

        call = Call(self._world, [self.name, *args], key(ctx.cwd), ctx.env, ctx.stdin or "")
        done = answer(call)
        if done is None:
            inner = unwrapped(tuple(call.words))
            if inner.limit is None and not inner.env:
                call = msgspec.structs.replace(call, words=list(inner.words))
            try:
                arguments = adapted(call)
            except Unmodelled as what:
                done = missed(call, str(what))
            else:
                self._world.spend(0.01)
                result: ExecResult = await _library()[call.name].execute(arguments, ctx)
                if call.name == "sed" and result.exit_code == 1:
                    result.exit_code = 2
                    if result.stderr.startswith(_NOT_UNDERSTOOD):
                        self._world.missed(result.stderr.strip())
                return result
        return ExecResult(stdout=done.out, stderr=done.err, exit_code=done.exit)


@functools.cache
def _library() -> Any:
    from just_bash.commands import create_command_registry
    from just_bash.commands.sed.sed import SedCommand

    class Sed(SedCommand):
        """The library's parts a script at every `;`."""

        def _split_script(self, script: str) -> list[str]:
            return sed_commands(script)

    return create_command_registry() | {"sed": Sed()}
