"""The rules while a run goes on: refused before, undone after, and never moved by what did not happen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.base.values import Limits, Playbook, Plugin, Task
from bot.expected.document import read_rules
from bot.expected.guard import AllGuards, PathGuard, guard_of, watched
from bot.expected.paths import Scope
from bot.expected.rule_guard import RuleGuard
from bot.expected.vocabulary import Mistake
from bot.ports import Action, Effect, Refusal, Seal
from bot.trace.events import (
    Clipped,
    CommandRun,
    EventBody,
    FileWrite,
    GuardRefused,
    Note,
    TestCounts,
    ToolCompleted,
    ToolFailed,
    ToolRequested,
    VersionChange,
)

LET = {
    "source": {"event": "file_write", "path": "src/**"},
    "test": {"event": "command_run", "argv0": "pytest"},
    "red": {"is": "test", "exit": {"ge": 1}},
    "green": {"is": "test", "exit": 0},
}


class Stage:
    """A guard, and the loop's way of using it."""

    def __init__(self, *expect: dict[str, Any]) -> None:
        mistakes: list[Mistake] = []
        self.guard = RuleGuard(read_rules(LET, list(expect), None, mistakes))
        assert mistakes == []
        self.turn, self.calls, self.seq = 0, 0, 0

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        self.seq += 1
        self.guard.observe(body, turn=turn, seq=self.seq)
        return self.seq

    def next_turn(self) -> None:
        self.turn += 1
        self.calls = 0

    def act(
        self,
        tool: str,
        *,
        writes: tuple[str, ...] = (),
        declares: bool = True,
        run: tuple[str, int] | None = None,
        person: str = "",
    ) -> Refusal | None:
        call = f"{self.turn}.{self.calls}"
        self.calls += 1
        args = {"command": run[0]} if run else {"path": writes[0]} if writes else {}
        effects = tuple(Effect(path=path, kind="modified") for path in writes)
        action = Action(turn=self.turn, call=call, tool=tool, args=args, declared=effects if declares else ())
        self.append(ToolRequested(call=call, tool=tool, args=args), turn=self.turn)
        if (no := self.guard.before(action)) or person:
            no = no or Refusal(by="person", rule="approval", message=person)
            self.append(GuardRefused(call=call, tool=tool, by=no.by, rule=no.rule, message=no.message), turn=self.turn)
            return no
        if run:
            self.append(
                CommandRun(
                    command=run[0], exit_code=run[1], duration_ms=1, stdout="", stderr="", call=call, tests=TestCounts()
                ),
                turn=self.turn,
            )
        if no := self.guard.after(action, effects):
            self.append(
                GuardRefused(call=call, tool=tool, by=no.by, rule=no.rule, message=no.message, undone=True),
                turn=self.turn,
            )
            return no
        for path in writes:
            body = FileWrite(path=path, change="modified", bytes=1, sha256_before=None, sha256_after=None, call=call)
            self.append(body, turn=self.turn)
        self.append(
            ToolCompleted(call=call, tool=tool, output=Clipped(text="", bytes=0), duration_ms=1), turn=self.turn
        )
        return None

    def write(self, *paths: str) -> Refusal | None:
        self.next_turn()
        return self.act("write_file", writes=paths)

    def run(self, command: str, code: int = 0, *writes: str) -> Refusal | None:
        self.next_turn()
        return self.act("run_shell_command", run=(command, code), writes=writes, declares=False)


RED_FIRST = {"id": "red-first", "before": {"first": "red", "then": "source"}, "message": "Run a failing test first"}


def test_an_edit_before_a_failing_test_is_refused_and_one_after_it_is_not() -> None:
    stage = Stage(RED_FIRST)
    assert stage.write("src/a.py") == Refusal(by="rule", rule="red-first", message="Run a failing test first")
    assert stage.write("tests/test_a.py") is None
    assert stage.run("pytest -q", 0) is None
    assert stage.write("src/a.py") is not None
    assert stage.run("pytest -q", 1) is None
    assert stage.write("src/a.py") is None


def test_a_failing_test_of_the_same_turn_does_not_count() -> None:
    stage = Stage(RED_FIRST)
    stage.next_turn()
    assert stage.act("run_shell_command", run=("pytest", 1)) is None
    assert stage.act("write_file", writes=("src/a.py",)) is not None
    assert stage.write("src/a.py") is None


def test_a_command_that_writes_is_undone_afterwards_and_still_ran() -> None:
    stage = Stage(RED_FIRST, {"id": "runs", "count": {"of": {"event": "command_run"}, "max": 2}})
    no = stage.run("sed -i s/1/2/ src/a.py", 0, "src/a.py")
    assert no is not None
    assert no.rule == "red-first"
    assert stage.guard.so_far == {"red-first": "satisfied", "runs": "satisfied"}
    assert stage.run("ls") is None
    refused = stage.run("ls")
    assert refused is not None
    assert refused.rule == "runs"


def test_a_command_that_fails_its_test_and_edits_at_once_is_undone_but_the_failure_counts() -> None:
    stage = Stage(RED_FIRST)
    assert stage.run("pytest", 1, "src/a.py") is not None
    assert stage.write("src/a.py") is None


def test_refused_actions_do_not_advance_the_rules() -> None:
    stage = Stage(
        {"id": "two", "count": {"of": {"event": "tool_requested"}, "max": 2}},
        {"id": "no-x", "never": {"event": "file_write", "path": "x"}},
    )
    for _ in range(5):
        no = stage.write("x")
        assert no is not None
        assert no.rule == "no-x"
    assert stage.write("a") is None
    stage.next_turn()
    assert stage.act("write_file", writes=("b",), person="not that") is not None
    assert stage.write("c") is None
    no = stage.write("d")
    assert no is not None
    assert no.rule == "two"


def test_parallel_requests_are_counted_one_by_one() -> None:
    stage = Stage({"id": "one", "count": {"of": {"event": "tool_requested", "tool": "write_file"}, "max": 1}})
    stage.next_turn()
    assert stage.act("write_file", writes=("a",)) is None
    assert stage.act("write_file", writes=("b",)) is not None


def test_a_command_is_refused_by_what_is_known_before_it_runs() -> None:
    stage = Stage(
        {
            "id": "no-push",
            "never": {"event": "command_run", "argv0": "git", "argv": {"re": "^git push"}},
            "severity": "harm",
        },
        {"id": "no-crash", "never": {"event": "command_run", "exit": 139}},
        {"id": "only-green", "only": {"of": {"event": "command_run", "argv0": "make"}, "allow": {"exit": 0}}},
        {"id": "not-unless", "never": {"event": "command_run", "argv0": "tox", "not": {"exit": 0}}},
    )
    no = stage.run("git push origin main")
    assert no is not None
    assert no.rule == "no-push"
    assert stage.run("git status") is None
    assert stage.run("make") is None
    assert stage.run("tox") is None
    assert stage.run("./crash", 139) is None
    assert stage.guard.so_far["no-crash"] == "violated"


def test_a_rule_that_is_broken_goes_on_forbidding() -> None:
    stage = Stage({"id": "no-x", "never": {"event": "file_write", "path": "x"}})
    stage.append(FileWrite(path="x", change="created", bytes=1, sha256_before=None, sha256_after=None))
    assert stage.guard.so_far == {"no-x": "violated"}
    assert stage.write("x") is not None


def test_nothing_may_be_edited_between_the_last_green_run_and_the_end() -> None:
    stage = Stage({"id": "frozen", "between": {"from": "green", "to": "red", "never": "source"}})
    assert stage.write("src/a") is None
    assert stage.run("pytest", 0) is None
    no = stage.write("src/a")
    assert no is not None
    assert no.message == "The rule frozen (between) forbids this."
    assert stage.run("pytest", 1) is None
    assert stage.write("src/a") is None


@pytest.mark.parametrize(
    "rule",
    [
        {"id": "w", "never": {"event": "file_write"}, "severity": "warn"},
        {"id": "l", "last": {"of": "test", "is": "green"}},
        {"id": "m", "count": {"of": "test", "min": 3}},
        {"id": "a", "after": {"each": "source", "must": "green"}},
        {"id": "o", "never": {"event": "file_write"}, "when": "changed"},
    ],
)
def test_warnings_and_what_can_still_be_fulfilled_refuse_nothing(rule: dict[str, Any]) -> None:
    assert Stage(rule).write("src/a") is None


def test_a_failed_tool_counts_and_an_unrelated_event_changes_nothing() -> None:
    stage = Stage({"id": "one", "count": {"of": {"event": "tool_requested"}, "max": 1}})
    stage.append(ToolRequested(call="1.0", tool="nope", args={}), turn=1)
    stage.append(ToolFailed(call="1.0", tool="nope", reason="unknown_tool", message=""), turn=1)
    stage.append(Note(message="x"))
    assert stage.write("a") is not None


class Sink:
    """Keeps what is appended."""

    def __init__(self) -> None:
        self.bodies: list[EventBody] = []
        self.synced = 0

    def append(self, body: EventBody, *, turn: int = 0) -> int:
        self.bodies.append(body)
        return len(self.bodies)

    def sync(self) -> None:
        self.synced += 1

    def blob(self, data: bytes) -> str:
        return data.decode()

    def redacted(self, data: bytes) -> bytes:
        return data

    def seal(self) -> Seal:
        return Seal(file="f", events=len(self.bodies), head="h")


def task_with(*expect: dict[str, Any]) -> Task:
    return Task(
        plugin=Plugin(name="p", repo="a/p", allowed_paths=("src/**",)),
        playbook=Playbook(id="b", version="1", summary="", expect=expect),
        campaign="c",
        variables={},
        prompt="",
        limits=Limits(),
        branch="x",
    )


def test_a_tasks_guard_knows_paths_and_rules_and_sees_the_trace() -> None:
    guard = guard_of(task_with({"id": "one", "count": {"of": {"event": "file_write"}, "max": 1}}))
    assert isinstance(guard, AllGuards)
    sink = Sink()
    trace = watched(sink, guard)
    outside = Action(turn=1, call="1.0", tool="write_file", args={}, declared=(Effect(path="x", kind="created"),))
    inside = Action(turn=1, call="1.1", tool="write_file", args={}, declared=(Effect(path="src/x", kind="created"),))
    refusal = guard.before(outside)
    assert refusal is not None
    assert refusal.by == "policy"
    assert guard.before(inside) is None
    assert guard.after(inside, inside.declared) is None
    write = FileWrite(path="src/x", change="created", bytes=1, sha256_before=None, sha256_after=None)
    assert trace.append(write, turn=1) == 1
    refusal = guard.after(inside, inside.declared)
    assert refusal is not None
    assert refusal.rule == "one"
    trace.sync()
    assert (trace.blob(b"x"), sink.synced, trace.seal().events) == ("x", 1, 1)


@pytest.mark.parametrize(("step", "refused"), [("minor", False), ("major", True)])
def test_what_a_change_means_is_looked_at_before_it_is_kept(step: str, refused: bool) -> None:
    guard = guard_of(task_with({"id": "step", "never": {"event": "version_change", "bump": {"not": "minor"}}}))
    action = Action(turn=1, call="1.0", tool="run_shell_command", args={"command": "sed"})
    effects = (Effect(path="src/x", kind="modified"),)
    change = VersionChange(file="src/x", from_="1.0.0", to="2.0.0", bump=step)
    refusal = guard.after(action, effects, (change,))
    assert (refusal is not None, refusal.rule if refusal else "") == (refused, "step" if refused else "")


def test_without_rules_the_trace_stays_as_it_is(tmp_path: Path) -> None:
    sink = Sink()
    guard = guard_of(task_with())
    assert isinstance(guard, PathGuard)
    assert watched(sink, guard) is sink
    assert watched(sink, PathGuard(Scope())) is sink
