"""The rules while a run goes on: what would break one is refused before it is executed, or undone after it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.expected.check import RuleBook
from bot.expected.happening import EFFECTS, Happening, Order, with_derived
from bot.expected.monitor import Broken, State
from bot.ports import Action, Effect, Refusal, Seal, TraceSink
from bot.trace.events import EventBody, FileWrite, ToolRequested
from bot.trace.line import fields_of

_DONE = frozenset({"tool_completed", "tool_failed"})
_COMMAND_TOOL = "run_shell_command"


class RuleGuard:
    """Refuses what breaks a safety rule of severity `harm` or `fail`.

    The rules advance by what the trace records (`observe`, see `watched`), so that a refused action leaves no mark:
    the events of a call are kept back until it has ended.
    """

    def __init__(self, book: RuleBook) -> None:
        """`book` is the playbook's, for the task's variables."""
        self._book = book
        self._guarding = frozenset(index for index, rule in enumerate(book.rules) if rule.guards)
        self._states: list[State] = list(book.start)
        self._violated: set[int] = set()
        self._order = Order()
        self._rank = -1
        self._held: dict[str, list[Happening]] = {}
        self._seq = 0

    @property
    def so_far(self) -> dict[str, str]:
        """Rule id → satisfied, open or violated."""
        states = self._with_held()
        return {
            rule.id: "violated" if index in self._violated else rule.so_far(states[index])
            for index, rule in enumerate(self._book.rules)
        }

    def before(self, action: Action) -> Refusal | None:
        """Look at the request, at the files that the tool says it will change, and at the command it will run."""
        return self._refusal(self._planned(action))

    def after(self, action: Action, effects: tuple[Effect, ...], meant: tuple[EventBody, ...] = ()) -> Refusal | None:
        """Look at the files that really changed, and at what that means."""
        planned = (*(_written(effect, action.call) for effect in effects), *meant)
        return self._refusal([self._happening(body.__struct_config__.tag, fields_of(body)) for body in planned])

    def observe(self, body: EventBody, *, turn: int, seq: int) -> None:
        """Take note of an event that was recorded."""
        name = str(body.__struct_config__.tag)
        self._rank, self._seq = self._order.rank(turn), seq
        call = getattr(body, "call", None)
        if name == "guard_refused":
            self._drop(str(call), undone=bool(getattr(body, "undone", False)))
        if name in _DONE:
            self._release(str(call))
        if name not in self._book.steps:
            return
        fields = fields_of(body)
        event = Happening(seq, self._rank, name, with_derived(fields) if name == "command_run" else fields)
        if call is not None and (name in EFFECTS or name in {"tool_requested", "command_run"}):
            self._held.setdefault(call, []).append(event)
        else:
            self._violated |= self._advance(self._states, event)

    def _planned(self, action: Action) -> list[Happening]:
        requested = ToolRequested(call=action.call, tool=action.tool, args=action.args)
        planned = [self._happening("tool_requested", fields_of(requested))]
        command = action.args.get("command")
        if action.tool == _COMMAND_TOOL and isinstance(command, str):
            planned.append(self._happening("command_run", _Unfinished(command, action.call)))
        for effect in action.declared:
            planned.append(self._happening("file_write", fields_of(_written(effect, action.call))))
        return planned

    def _happening(self, event: object, fields: Mapping[str, Any]) -> Happening:
        return Happening(self._seq + 1, self._rank, str(event), fields)

    def _refusal(self, planned: Iterable[Happening]) -> Refusal | None:
        """The first rule that these events, all in the current turn, would break."""
        states = self._with_held(requests=False)
        for event in planned:
            broken = self._advance(states, event).intersection(self._guarding)
            if broken:
                rule = self._book.rules[min(broken)]
                text = rule.message or f"The rule {rule.id} ({rule.operator.word}) forbids this."
                return Refusal(by="rule", rule=rule.id, message=text)
        return None

    def _advance(self, states: list[State], event: Happening) -> set[int]:
        """Let an event happen and say which rules it breaks. Their state stays: they go on forbidding the next."""
        broken = set()
        for index, step in self._book.steps.get(event.event, ()):
            try:
                state = step(states[index], event)
            except _Unknown:
                continue
            if isinstance(state, Broken):
                broken.add(index)
            else:
                states[index] = state
        return broken

    def _with_held(self, *, requests: bool = True) -> list[State]:
        """The states if what is kept back counted; the requests among it are looked at by `before` itself."""
        states = list(self._states)
        for events in self._held.values():
            for event in events:
                if requests or event.event != "tool_requested":
                    self._advance(states, event)
        return states

    def _release(self, call: str) -> None:
        for event in self._held.pop(call, ()):
            self._violated |= self._advance(self._states, event)

    def _drop(self, call: str, *, undone: bool) -> None:
        if undone:
            # The command ran, whatever became of the files it wrote.
            self._held[call] = [event for event in self._held.get(call, []) if event.event not in EFFECTS]
            self._release(call)
        else:
            self._held.pop(call, None)


class _Unknown(Exception):
    """A rule asks for something that is known only after the command has run."""


class _Unfinished(dict[str, Any]):
    """The fields of a command that has not run yet: asking how it ends raises `_Unknown`."""

    _FORESEEN = frozenset({"command", "argv", "argv0", "phase", "call"})

    def __init__(self, command: str, call: str) -> None:
        line = with_derived({"command": command, "phase": "agent", "call": call})
        super().__init__({name: line[name] for name in self._FORESEEN})

    def get(self, key: str, default: object = None) -> Any:
        if key not in self._FORESEEN:
            raise _Unknown
        return super().get(key, default)


def _written(effect: Effect, call: str) -> FileWrite:
    return FileWrite(
        path=effect.path,
        change=effect.kind,
        bytes=effect.bytes,
        sha256_before=effect.before,
        sha256_after=effect.after,
        added=effect.added,
        removed=effect.removed,
        call=call,
    )


class WatchedTrace:
    """A trace that tells a guard of everything that is written into it."""

    def __init__(self, sink: TraceSink, guard: RuleGuard) -> None:
        """`sink` is written first: what could not be recorded did not happen for the guard."""
        self._sink, self._guard = sink, guard

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        """Write the event, then let the guard see it."""
        seq = self._sink.append(body, turn=turn)
        self._guard.observe(body, turn=turn, seq=seq)
        return seq

    def sync(self) -> None:
        """As the trace does."""
        self._sink.sync()

    def blob(self, data: bytes) -> str:
        """As the trace does."""
        return self._sink.blob(data)

    def redacted(self, data: bytes) -> bytes:
        """As the trace may hold them: what is cut into head and tail is redacted before the cut."""
        return self._sink.redacted(data)

    def seal(self) -> Seal:
        """As the trace does."""
        return self._sink.seal()
