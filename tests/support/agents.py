"""What tests of the agent are made of: tasks, replies, a guard that says what it is told, a crew around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from memory_sandbox import MemorySandbox
from memory_trace import MemoryTrace
from virtual_clock import VirtualClock

from bot.agent.act import Hands, act
from bot.agent.loop import Crew
from bot.agent.tools import offered
from bot.agent.tools.context import Context
from bot.base.messages import Finish, Reply, Text, ToolCall, ToolResult, Turn
from bot.base.values import Limits, Playbook, Plugin, Task, Usage
from bot.ports import Action, Answer, Effect, Refusal
from bot.trace.events import EventBody


def make_task(**more: Any) -> Task:
    plugin = Plugin(**({"name": "slugger", "repo": "acme/slugger"} | more.pop("plugin", {})))
    playbook = Playbook(**({"id": "fix_bug", "version": "1.2", "summary": "s"} | more.pop("playbook", {})))
    fields = {
        "campaign": "fix_bug-1",
        "variables": {},
        "prompt": "Fix it.",
        "limits": Limits(),
        "branch": "fix/issue-7",
    } | more
    return Task(plugin=plugin, playbook=playbook, **fields)


class FixedGuard:
    """Refuses by path: `no` before, `undo` afterwards. Remembers what it was asked."""

    def __init__(self, *, no: tuple[str, ...] = (), undo: tuple[str, ...] = ()) -> None:
        self.no, self.undo = no, undo
        self.asked: list[tuple[str, Action, tuple[Effect, ...]]] = []

    def before(self, action: Action) -> Refusal | None:
        self.asked.append(("before", action, action.declared))
        return self._judge(action.declared, self.no)

    def after(self, action: Action, effects: tuple[Effect, ...], meant: tuple[EventBody, ...] = ()) -> Refusal | None:
        self.asked.append(("after", action, effects))
        return self._judge(effects, self.undo)

    @staticmethod
    def _judge(effects: tuple[Effect, ...], paths: tuple[str, ...]) -> Refusal | None:
        for effect in effects:
            if effect.path in paths:
                return Refusal(by="policy", rule="paths", message=f"{effect.path}: not allowed")
        return None


class FixedApprover:
    """Gives the same answer each time; remembers what it was shown."""

    def __init__(self, answer: Answer, clock: VirtualClock | None = None, takes: float = 0.0) -> None:
        self.answer, self.clock, self.takes = answer, clock, takes
        self.shown: list[tuple[str, str]] = []

    def ask(self, title: str, preview: str, *, plugin: str) -> Answer:
        self.shown.append((title, preview))
        if self.clock is not None:
            self.clock.time += self.takes
        return self.answer


class Bench:
    """Tools on a sandbox in memory, called as the loop calls them."""

    def __init__(
        self,
        files: dict[str, bytes | str] | None = None,
        *,
        sandbox: MemorySandbox | None = None,
        task: Task | None = None,
        guard: FixedGuard | None = None,
        approver: FixedApprover | None = None,
    ) -> None:
        self.sandbox = sandbox or MemorySandbox(files)
        self.task, self.trace, self.guard = task or make_task(), MemoryTrace(), guard or FixedGuard()
        self.context = Context(sandbox=self.sandbox, task=self.task)
        self.waited: list[float] = []
        self.hands = Hands(
            tools=offered(self.task),
            context=self.context,
            trace=self.trace,
            guard=self.guard,
            clock=VirtualClock(),
            approver=approver,
            waited=self.waited.append,
        )
        self.calls = 0

    def do(self, tool: str, **args: Any) -> ToolResult:
        return self.do_args(tool, args)

    def do_args(self, tool: str, args: dict[str, Any]) -> ToolResult:
        self.calls += 1
        return act(Action(turn=self.calls, call=f"{self.calls}.0", tool=tool, args=args), self.hands)


USAGE = Usage(prompt=100, output=10, thoughts=5, calls=1, cost_usd=0.001)


def says(text: str, finish: Finish = "stop", **more: Any) -> Reply:
    parts = (Text(text),) if text else ()
    return Reply(turn=Turn(role="model", parts=parts), **({"finish": finish, "usage": USAGE} | more))


def calls(*wanted: tuple[str, dict[str, Any]], finish: Finish = "stop", **more: Any) -> Reply:
    parts = tuple(ToolCall(name=name, args=args, id=f"id-{n}") for n, (name, args) in enumerate(wanted))
    raw = {"role": "model", "parts": [{"functionCall": {"name": p.name, "args": p.args, "id": p.id}} for p in parts]}
    turn = Turn(role="model", parts=parts, raw=raw)
    return Reply(turn=turn, **({"finish": finish, "usage": USAGE} | more))


def make_crew(model: Any, sandbox: MemorySandbox | None = None, **more: Any) -> Crew:
    fields: dict[str, Any] = {
        "task": make_task(),
        "sandbox": sandbox or MemorySandbox({"a.txt": "one\n"}),
        "trace": MemoryTrace(),
        "guard": FixedGuard(),
        "clock": VirtualClock(),
    }
    return Crew(model=model, **(fields | more))


Script = Callable[[Any], Reply]
