"""The agent loop: the model replies, we execute its calls, the results go back; until it answers in plain text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from bot.agent.act import Hands, act
from bot.agent.limits import Budget, Purse, Reached, charged
from bot.agent.prompts import system_prompt
from bot.agent.sent import Sent
from bot.agent.stuck import StuckDetector
from bot.agent.tools import declarations, offered
from bot.agent.tools.context import Context
from bot.agent.unusable import handling
from bot.base.clock import Clock
from bot.base.errors import TaskBlocked, TaskFailed
from bot.base.messages import Attempt, Reply, Request, Text, ToolCall, ToolResult, Turn
from bot.base.values import Task, Usage
from bot.ports import Action, Approver, Guard, Model, Sandbox, TraceSink
from bot.trace.events import LimitReached, ModelReplied, ModelRequested, ModelRetried, Nudged

CALLS_PER_TURN = 16
"""Calls of one turn that are executed; the others are answered with the request to call them again."""
_STUCK = "You are going in circles: {how}. Think about why, and do something else; or say in plain text what stops you."


class Perform(Protocol):
    """Executes one tool call and says what the model is told, as `bot.agent.act.act` does."""

    def __call__(self, action: Action, hands: Hands, *, provider_id: str | None = None) -> ToolResult:
        """Raises what `act` raises."""
        ...


@dataclass(frozen=True, kw_only=True)
class Crew:
    """All that a run of the loop works with."""

    task: Task
    model: Model
    sandbox: Sandbox
    trace: TraceSink
    guard: Guard
    clock: Clock
    approver: Approver | None = None
    progress: Callable[[str], None] = lambda step: None
    """Told a few words per turn: `agent: step 3`."""
    spent: Callable[[Usage], None] = lambda usage: None
    """Told the run's usage so far after each reply, so that it is known even when the loop ends in an error."""
    began: float | None = None
    """When the task began, on the clock's monotonic scale; None means now."""
    purse: Purse | None = None
    """The campaign's account."""
    perform: Perform = act
    """Executes a call; a replay of the conversation alone answers from the trace instead."""


class LoopEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How the loop ended by itself."""

    answer: str | None
    """The model's last text."""
    usage: Usage


def run_loop(crew: Crew) -> LoopEnd:
    """Work until the model answers in plain text.

    Raises `TaskBlocked` when a limit is reached or a person says stop (the work so far stays in the workspace),
    `TaskFailed` when the model gives nothing usable or cannot be had, `ConfigurationError` for a refused key,
    `WorldError` when sandbox or disk break.
    """
    loop = _Loop(crew)
    try:
        return loop.run()
    except KeyboardInterrupt:
        loop.limit(Reached(limit="interrupted", allowed=0, used=0, message="The run was interrupted."))
        raise


@dataclass
class _Loop:
    crew: Crew
    turns: list[Turn] = field(default_factory=list)
    turn: int = 0
    unusable: int = 0
    """Unusable replies in a row."""
    warned: bool = False
    nudge: str | None = None
    force_call: bool = False

    def __post_init__(self) -> None:
        crew = self.crew
        began = crew.clock.monotonic() if crew.began is None else crew.began
        self.budget = Budget(crew.task.limits, crew.clock, began=began, purse=crew.purse)
        self.stuck, self.sent = StuckDetector(), Sent()
        self.system, self.tools = system_prompt(crew.task), declarations(crew.task)
        self.hands = Hands(
            tools=offered(crew.task),
            context=Context(sandbox=crew.sandbox, task=crew.task, left=self.budget.left),
            trace=crew.trace,
            guard=crew.guard,
            clock=crew.clock,
            approver=crew.approver,
            waited=self.budget.pause,
        )

    def run(self) -> LoopEnd:
        self.turns.append(Turn(role="user", parts=(Text(self.crew.task.prompt),)))
        while True:
            self.stop_at(self.budget.before_call())
            self.turn += 1
            self.crew.progress(f"agent: step {self.turn}")
            reply = self.ask()
            self.stop_at(self.budget.now())
            if reply.finish != "stop":
                self.steer(reply)
                continue
            self.unusable, self.force_call = 0, False
            self.turns.append(reply.turn)
            calls = reply.turn.calls
            if not calls:
                return LoopEnd(answer=reply.turn.text or None, usage=self.budget.usage)
            self.execute(calls)

    def ask(self) -> Reply:
        crew = self.crew
        request = Request(system=self.system, turns=tuple(self.turns), tools=self.tools, force_call=self.force_call)
        crew.trace.append(
            ModelRequested(
                contents=len(self.turns), nudge=self.nudge, force_call=self.force_call, sent=self.sent.digest(request)
            ),
            turn=self.turn,
        )
        self.nudge = None
        began = crew.clock.monotonic()
        try:
            reply = crew.model.reply(request, deadline=self.budget.deadline, on_attempt=self.attempted)
        except TaskFailed:
            self.stop_at(self.budget.now())
            raise
        usage = charged(request, reply)
        self.budget.charge(usage)
        crew.spent(self.budget.usage)
        crew.trace.append(
            ModelReplied(
                parts=tuple(msgspec.to_builtins(reply.turn.parts)),
                raw=reply.turn.raw,
                finish=reply.finish,
                finish_raw=reply.finish_raw,
                usage=usage,
                model_version=reply.model_version,
                response_id=reply.response_id,
                duration_ms=round((crew.clock.monotonic() - began) * 1000, 1),
            ),
            turn=self.turn,
        )
        return reply

    def attempted(self, attempt: Attempt) -> None:
        self.crew.trace.append(
            ModelRetried(status=attempt.status, cause=attempt.cause, waited_seconds=attempt.waited_seconds),
            turn=self.turn,
        )

    def execute(self, calls: tuple[ToolCall, ...]) -> None:
        results = [self.call(index, call) for index, call in enumerate(calls)]
        self.turns.append(Turn(role="user", parts=tuple(results)))
        how = self.stuck.see(calls, results)
        if how is None:
            return
        if self.warned:
            self.stop_at(Reached(limit="stuck", allowed=1, used=2, message=f"The agent went in circles again: {how}."))
        self.warned = True
        self.say(f"stuck: {how}", _STUCK.format(how=how))

    def call(self, index: int, call: ToolCall) -> ToolResult:
        if index >= CALLS_PER_TURN:
            told = f"Not executed: at most {CALLS_PER_TURN} calls a turn. Call it again if it is still needed."
            return ToolResult(name=call.name, output=told, id=call.id, is_error=True)
        self.stop_at(self.budget.now())
        action = Action(turn=self.turn, call=f"{self.turn}.{index}", tool=call.name, args=call.args)
        return self.crew.perform(action, self.hands, provider_id=call.id)

    def steer(self, reply: Reply) -> None:
        """Answer a reply that cannot be used; the next one too many ends the run."""
        how = handling(reply.finish, reply.finish_raw)
        self.unusable += 1
        word = reply.finish_raw or reply.finish
        if self.unusable > how.nudges:
            if how.nudges:
                self.limit(
                    Reached(limit="nudges", allowed=how.nudges, used=self.unusable, message=f"{how.gave_up}: {word}.")
                )
            msg = f"{how.gave_up} ({word})."
            raise TaskFailed(msg, "Try again, or another model.")
        self.force_call = how.force_from is not None and self.unusable >= how.force_from
        nudge = how.nudge.replace("{tools}", ", ".join(tool.name for tool in self.tools))
        if reply.turn.calls or reply.turn.text.strip():
            self.turns.append(reply.turn)
            told = "Not executed: the answer that this call came in was not complete."
            answers = tuple(
                ToolResult(name=call.name, output=told, id=call.id, is_error=True) for call in reply.turn.calls
            )
            self.turns.append(Turn(role="user", parts=answers))
        self.say(word, nudge)

    def say(self, reason: str, message: str) -> None:
        """Add a text of ours to the last user turn; one of its own would break the alternation of the roles."""
        self.nudge = message
        last = self.turns[-1]
        self.turns[-1] = msgspec.structs.replace(last, parts=(*last.parts, Text(message)))
        self.crew.trace.append(Nudged(reason=reason, message=message), turn=self.turn)

    def stop_at(self, reached: Reached | None) -> None:
        if reached is not None:
            self.limit(reached)
            raise TaskBlocked(reached.message, "The work so far is kept and will not be published.")

    def limit(self, reached: Reached) -> None:
        self.crew.trace.append(
            LimitReached(limit=reached.limit, allowed=reached.allowed, used=reached.used, message=reached.message),
            turn=self.turn,
        )
