"""The virtual Gemini's scripts answered in the process: no server, no SDK, no JSON, the same rules.

A script always says the same, so its repetitions prove nothing. `detours` lets the model look around on the way,
differently with every seed: what is shown then is that the rules hold whatever an agent looks at in between.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

from bot.base.canonical import digest
from bot.base.clock import Clock
from bot.base.errors import TaskFailed
from bot.base.messages import Attempt, Reply, Request, Text, Thought, ToolCall, ToolResult, Turn
from bot.base.values import Usage
from bot.ports import AttemptListener, ModelId
from bot.virtual.gemini.conversation import Conversation
from bot.virtual.gemini.script import Rule, choose, describe, read_script
from bot.virtual.gemini.wire import (
    Content,
    FunctionCall,
    FunctionCallingConfig,
    FunctionDeclaration,
    FunctionResponse,
    Generate,
    Part,
    Tool,
    ToolConfig,
)

NAME = "virtual-gemini"
_THINKS_SECONDS = 1.5
"""Virtual seconds that an answer takes."""
_RETRIED = frozenset({429, 500, 503, 504})


class ScriptModel:
    """One conversation with a script. Implements `bot.ports.Model`."""

    def __init__(self, script: Path, *, clock: Clock, detours: Detours | None = None) -> None:
        """`script` as in `virtual_fleet/<name>/answers/`; the clock moves with every answer."""
        self._file, self._script, self._clock = script, read_script(script), clock
        self._detours = detours
        self._left_out: set[int] = set()
        """Indices of the turns that a detour made, which the script does not know of."""
        self._held: Reply | None = None
        self._used: Counter[int] = Counter()
        self._spent: Counter[int] = Counter()

    @property
    def identity(self) -> ModelId:
        """Who answers."""
        return identity()

    def reply(self, request: Request, *, deadline: float, on_attempt: AttemptListener) -> Reply:
        """What the script says. Raises `TaskFailed` when no rule fits, and for an error that is not to be retried."""
        self._clock.sleep(_THINKS_SECONDS)
        if self._held is not None:
            held, self._held = self._held, None
            return held
        answer = self._answer(request, on_attempt)
        calls = self._detours.calls(request) if self._detours and answer.finish == "stop" else ()
        if calls:
            self._held = answer
            self._left_out |= {len(request.turns), len(request.turns) + 1}
            return _said(Turn(role="model", parts=calls), request)
        return answer

    def _answer(self, request: Request, on_attempt: AttemptListener) -> Reply:
        seen = _heard(request, self._left_out, self._used)
        while True:
            chosen = choose(self._script, seen, self._spent)
            if chosen is None:
                msg = f"{self._file.parent.parent.name}/{self._file.name}: no rule fits ({describe(seen)})."
                raise TaskFailed(msg)
            number, rule = chosen
            if not rule.leaves_no_turn:
                self._used[number] += 1
                return _said(Turn(role="model", parts=_parts(rule, seen, request)), request)
            self._spent[number] += 1
            if rule.status is None:
                return _unusable(rule, request)
            waits = (rule.retry_after or 2.0) if rule.status in _RETRIED else 0.0
            on_attempt(Attempt(status=rule.status, cause=rule.message or "as the script says", waited_seconds=waits))
            if rule.status not in _RETRIED:
                msg = f"The scripted model answers {rule.status}: {rule.message}."
                raise TaskFailed(msg)
            self._clock.sleep(waits)


class Detours:
    """Looking around that changes nothing: some calls, or none, before each step of a script."""

    def __init__(self, seed: int, files: tuple[str, ...]) -> None:
        """`files` are paths that there are at the start."""
        self._random = random.Random(seed)  # noqa: S311 - variety, no secret
        self._files = files

    def calls(self, request: Request) -> tuple[ToolCall, ...]:
        """One turn of it."""
        names = {tool.name for tool in request.tools}
        wanted = self._random.choice((0, 1, 1, 2, 3))
        found: list[ToolCall] = []
        for _ in range(wanted):
            name = self._random.choice(("read_file", "list_files", "search_files"))
            place = self._random.choice(self._files)
            args: dict[str, Any] = {"path": place, "start_line": self._random.randint(1, 9)}
            if name == "list_files":
                args = {"path": place.rpartition("/")[0] or "."}
            elif name == "search_files":
                args = {"pattern": self._random.choice(("TODO", "import", "version", "def ", "test", "#")), "path": "."}
            if name in names:
                found.append(ToolCall(name=name, args=args, id=f"look-{len(request.turns)}-{len(found)}"))
        return tuple(found)


def identity() -> ModelId:
    """The scripted model: a certificate for it speaks of no real one."""
    return ModelId(adapter="scripted", name=NAME)


def _heard(request: Request, left_out: set[int], used: Counter[int]) -> Conversation:
    """What was sent, as scripts look at it, without the turns that they do not know of."""
    contents = tuple(_content(turn) for at, turn in enumerate(request.turns) if at not in left_out)
    declared = tuple(FunctionDeclaration(name=tool.name) for tool in request.tools)
    mode = FunctionCallingConfig(mode="ANY" if request.force_call else "AUTO")
    return Conversation(
        request=Generate(
            contents=contents,
            system_instruction=Content(parts=(Part(text=request.system),)),
            tools=(Tool(function_declarations=declared),),
            tool_config=ToolConfig(function_calling_config=mode),
        ),
        plugin="",
        playbook="",
        step=sum(content.role == "model" for content in contents),
        used=used,
    )


def _content(turn: Turn) -> Content:
    parts = []
    for part in turn.parts:
        match part:
            case Text() | Thought():
                parts.append(Part(text=part.text, thought=isinstance(part, Thought)))
            case ToolCall():
                parts.append(Part(function_call=FunctionCall(name=part.name, args=part.args, id=part.id)))
            case ToolResult():
                response = {"error" if part.is_error else "output": part.output}
                parts.append(Part(function_response=FunctionResponse(name=part.name, response=response, id=part.id)))
    return Content(role=turn.role, parts=tuple(parts))


def _parts(rule: Rule, seen: Conversation, request: Request) -> tuple[Thought | Text | ToolCall, ...]:
    parts: list[Thought | Text | ToolCall] = []
    if rule.thinks:
        parts.append(Thought(rule.thinks))
    if rule.say:
        parts.append(Text(rule.say))
    plain = [(name, args) for call in rule.calls for name, args in call.items()]
    for index, (name, args) in enumerate(plain):
        parts.append(ToolCall(name=name, args=args, id=f"fc-{digest([seen.step, index, name])[:12]}"))
    return tuple(parts)


def _said(turn: Turn, request: Request) -> Reply:
    return Reply(turn=turn, finish="stop", finish_raw="STOP", usage=_usage(turn, request), model_version=NAME)


def _unusable(rule: Rule, request: Request) -> Reply:
    from bot.models.wire import FINISHES

    finish = "blocked" if rule.block else FINISHES.get(rule.finish, "other")
    if finish == "stop":
        finish = "empty"
    turn = Turn(role="model", parts=())
    return Reply(
        turn=turn,
        finish=finish,
        finish_raw=rule.block or rule.finish,
        usage=_usage(turn, request),
        model_version=NAME,
    )


def _usage(turn: Turn, request: Request) -> Usage:
    """A quarter of the characters, so that limits and reports have something to count; it costs nothing."""
    size = sum(_size(one) for one in request.turns) + len(request.system)
    return Usage(prompt=size // 4 + 1, output=_size(turn) // 4 + 1, calls=1)


def _size(turn: Turn) -> int:
    size = 0
    for part in turn.parts:
        match part:
            case Text() | Thought():
                size += len(part.text)
            case ToolCall():
                size += len(part.name) + sum(len(str(value)) for value in part.args.values())
            case ToolResult():
                size += len(part.output)
    return size
