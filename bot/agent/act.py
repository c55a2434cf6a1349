"""The one way to the sandbox: trace, rules, approval, effects, in one place and in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.agent.effects import meaning, record_command, record_effects
from bot.agent.tools.context import Context
from bot.agent.tools.tool import Output, Reason, Tool, ToolError
from bot.base.clock import Clock
from bot.base.errors import TaskBlocked
from bot.base.messages import ToolResult
from bot.ports import Action, Approver, Effect, Guard, PathRefused, Refusal, TraceSink
from bot.trace.events import ApprovalAsked, GuardRefused, ToolCompleted, ToolFailed, ToolRequested
from bot.trace.writer import clip

_TRACED = 20_000
"""Characters of one argument that `tool_requested` repeats; all of it stands in the reply before."""


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What an action is done with, one per run."""

    tools: Mapping[str, Tool]
    context: Context
    trace: TraceSink
    guard: Guard
    clock: Clock
    approver: Approver | None = None
    waited: Callable[[float], None] = lambda seconds: None
    """Told how long a person took to answer, so that it is not taken off the task's time."""


def act(action: Action, hands: Hands, *, provider_id: str | None = None) -> ToolResult:
    """Execute one tool call and say what the model is told.

    Raises `TaskBlocked` when a person says stop, `WorldError` when sandbox or disk break; nothing else.
    """
    hands.trace.append(
        ToolRequested(call=action.call, tool=action.tool, args=_traced(action.args), provider_id=provider_id),
        turn=action.turn,
    )
    hands.trace.sync()
    began = hands.clock.monotonic()
    hands.context.call = action.call
    try:
        output = _perform(action, hands)
    except _Refused as no:
        hands.trace.append(
            GuardRefused(
                call=action.call,
                tool=action.tool,
                by=no.refusal.by,
                rule=no.refusal.rule,
                message=no.refusal.message,
                undone=no.undone,
            ),
            turn=action.turn,
        )
        if no.stop:
            msg = "A person stopped the run."
            raise TaskBlocked(msg, no.refusal.message) from None
        told = f"Refused: {no.refusal.message}" + (" What it changed was undone." if no.undone else "")
        return ToolResult(name=action.tool, output=_plain(told), id=provider_id, is_error=True)
    except (ToolError, PathRefused, OSError) as error:
        reason, message = _told(error)
        hands.trace.append(
            ToolFailed(
                call=action.call, tool=action.tool, reason=reason, message=message, duration_ms=_ms(hands.clock, began)
            ),
            turn=action.turn,
        )
        return ToolResult(name=action.tool, output=_plain(message), id=provider_id, is_error=True)
    text = _plain(output.text)
    whole = clip((text if output.whole is None else _plain(output.whole)).encode(), hands.trace)
    hands.trace.append(
        ToolCompleted(
            call=action.call,
            tool=action.tool,
            output=whole,
            duration_ms=_ms(hands.clock, began),
            shown=text if whole.text != text else None,
        ),
        turn=action.turn,
    )
    return ToolResult(name=action.tool, output=text, id=provider_id)


class _Refused(Exception):
    def __init__(self, refusal: Refusal, *, undone: bool = False, stop: bool = False) -> None:
        super().__init__(refusal.message)
        self.refusal, self.undone, self.stop = refusal, undone, stop


def _perform(action: Action, hands: Hands) -> Output:
    tool = hands.tools.get(action.tool)
    if tool is None:
        msg = f"There is no tool {action.tool[:60]!r}. There are: {', '.join(hands.tools)}."
        raise ToolError("unknown_tool", msg)
    args = tool.check(action.args)
    declared = tool.declared(args, hands.context)
    action = msgspec.structs.replace(action, args=args, declared=declared)
    if (refusal := hands.guard.before(action)) is not None:
        raise _Refused(refusal)
    if not tool.changes:
        return tool.run(args, hands.context)
    if hands.approver is not None:
        _approve(action, tool, hands.approver, hands)
    return _change(action, tool, hands)


def _approve(action: Action, tool: Tool, approver: Approver, hands: Hands) -> None:
    plugin = hands.context.task.plugin.name
    title = f"{action.tool} in {plugin}"
    began = hands.clock.monotonic()
    answer = approver.ask(title, tool.preview(action.args, hands.context), plugin=plugin)
    hands.waited(hands.clock.monotonic() - began)
    hands.trace.append(
        ApprovalAsked(call=action.call, title=title, allowed=answer.allow, reason=answer.reason, stop=answer.stop),
        turn=action.turn,
    )
    if not answer.allow or answer.stop:
        why = answer.reason or "A person said no to this."
        raise _Refused(Refusal(by="person", rule="approval", message=why), stop=answer.stop)


def _change(action: Action, tool: Tool, hands: Hands) -> Output:
    sandbox, task = hands.context.sandbox, hands.context.task
    before = sandbox.snapshot()
    output = tool.run(action.args, hands.context)
    if output.command is not None:
        command = str(action.args.get("command", ""))
        record_command(hands.trace, command, output.command, phase="agent", call=action.call, turn=action.turn)
    after = sandbox.snapshot()
    effects = sandbox.changes(before, after)
    meant = meaning(sandbox, before, after, effects, task, action.call)
    refusal = hands.guard.after(action, effects, meant)
    if refusal is not None:
        sandbox.restore(before)
        raise _Refused(refusal, undone=True)
    record_effects(hands.trace, effects, meant, call=action.call, turn=action.turn)
    return _with_note(output, action.declared, effects)


def _with_note(output: Output, declared: tuple[Effect, ...], effects: tuple[Effect, ...]) -> Output:
    """The output, and a word on files that were written and are no part of the change."""
    if not declared:
        return output
    seen = {effect.path for effect in effects}
    unseen = [effect.path for effect in declared if effect.path not in seen and effect.before != effect.after]
    if not unseen:
        return output
    note = f"\nBut {', '.join(unseen)} is ignored by git here, so it will not be part of the change."
    return msgspec.structs.replace(output, text=output.text + note)


def _told(error: ToolError | PathRefused | OSError) -> tuple[Reason, str]:
    match error:
        case ToolError():
            return error.reason, error.message
        case PathRefused():
            return "refused_path", f"Refused: {error}"
        case FileNotFoundError():
            return "not_found", "There is no such file or folder. Use list_files to see what there is."
        case IsADirectoryError() | NotADirectoryError():
            return "conflict", "That is a folder, or goes through a file as if it were one. Use list_files to look."
        case _:
            return "os_error", f"It failed: {error.strerror or error}"


def _traced(args: dict[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in args.items()}


def _short(value: object) -> object:
    if isinstance(value, str) and len(value) > _TRACED:
        return f"{value[:_TRACED]}… {len(value) - _TRACED:,} characters left out"
    return value


def _plain(text: str) -> str:
    r"""With names of files that are no UTF-8 spelled out (`\udce9`): a lone surrogate has no place in JSON."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _ms(clock: Clock, began: float) -> float:
    return round((clock.monotonic() - began) * 1000, 1)
