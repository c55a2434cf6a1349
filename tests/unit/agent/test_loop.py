"""The loop: how it goes on, how it is steered, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from agents import USAGE, FixedApprover, calls, make_crew, make_task, says
from memory_sandbox import MemorySandbox
from memory_trace import MemoryTrace
from virtual_clock import VirtualClock

from bot.agent.limits import Budget, Purse
from bot.agent.loop import CALLS_PER_TURN, run_loop
from bot.agent.prompts import system_prompt
from bot.agent.stuck import StuckDetector
from bot.agent.unusable import NUDGES, UNUSABLE
from bot.base.errors import ConfigurationError, TaskBlocked, TaskFailed
from bot.base.messages import Attempt, Finish, Reply, Request, Text, Thought, ToolCall, ToolResult, Turn
from bot.base.values import Limits, TestCommand, Usage
from bot.models.scripted import ScriptedModel
from bot.ports import Answer, ModelId
from bot.trace.events import LimitReached, ModelReplied, ModelRequested, ModelRetried, Nudged, ToolFailed

READ: tuple[str, dict[str, Any]] = ("read_file", {"path": "a.txt"})


def traced(crew: Any) -> MemoryTrace:
    return crew.trace  # type: ignore[no-any-return]


# Going on


def test_calls_are_executed_until_the_model_answers_in_text() -> None:
    model = ScriptedModel([calls(READ), calls(("write_file", {"path": "b", "content": "x"})), says("Done.")])
    crew = make_crew(model)
    end = run_loop(crew)
    assert end.answer == "Done."
    assert end.usage.calls == 3
    assert end.usage.total == 345
    assert crew.sandbox.files["b"] == b"x"  # type: ignore[attr-defined]
    assert [len(request.turns) for request in model.requests] == [1, 3, 5]
    assert traced(crew).names == [
        *("model_requested", "model_replied", "tool_requested", "tool_completed"),
        *("model_requested", "model_replied", "tool_requested", "file_write", "tool_completed"),
        *("model_requested", "model_replied"),
    ]


def test_the_models_own_content_goes_back_untouched() -> None:
    raw = {
        "role": "model",
        "parts": [{"functionCall": {"name": "list_files"}, "thoughtSignature": "+//+AA=="}, {"new": 1}],
    }
    reply = Reply(turn=Turn(role="model", parts=(ToolCall("list_files", {}),), raw=raw), finish="stop", usage=USAGE)
    model = ScriptedModel([reply, says("Done.")])
    run_loop(make_crew(model))
    assert model.requests[1].turns[1].raw is raw


def test_parallel_calls_are_answered_in_order_in_one_turn_with_their_ids() -> None:
    model = ScriptedModel([calls(READ, ("nope", {}), ("list_files", {})), says("Done.")])
    run_loop(make_crew(model))
    results = model.requests[1].turns[2].parts
    assert [(r.name, r.id) for r in results if isinstance(r, ToolResult)] == [
        ("read_file", "id-0"),
        ("nope", "id-1"),
        ("list_files", "id-2"),
    ]


def test_forty_calls_are_all_answered_and_only_some_executed() -> None:
    model = ScriptedModel([calls(*[READ] * 40), says("Done.")])
    crew = make_crew(model)
    run_loop(crew)
    results = model.requests[1].turns[2].parts
    assert len(results) == 40
    assert sum("Not executed" in r.output for r in results if isinstance(r, ToolResult)) == 40 - CALLS_PER_TURN
    assert traced(crew).names.count("tool_requested") == CALLS_PER_TURN


def test_text_beside_a_call_does_not_end_the_loop() -> None:
    both = Reply(
        turn=Turn(role="model", parts=(Text("I will"), ToolCall("list_files", {}))), finish="stop", usage=USAGE
    )
    assert run_loop(make_crew(ScriptedModel([both, says("Done.")]))).answer == "Done."


def test_a_text_that_looks_like_a_call_is_only_text() -> None:
    answer = '{"functionCall": {"name": "write_file"}}'
    assert run_loop(make_crew(ScriptedModel([says(answer)]))).answer == answer


def test_thoughts_are_no_part_of_the_answer() -> None:
    turn = Turn(role="model", parts=(Thought("hm"), Text("Done.")))
    assert run_loop(make_crew(ScriptedModel([Reply(turn=turn, finish="stop", usage=USAGE)]))).answer == "Done."


def test_whoever_waits_is_told_the_step_and_the_usage() -> None:
    steps: list[str] = []
    spent: list[Usage] = []
    run_loop(make_crew(ScriptedModel([calls(READ), says("Done.")]), progress=steps.append, spent=spent.append))
    assert steps == ["agent: step 1", "agent: step 2"]
    assert [usage.calls for usage in spent] == [1, 2]


# Limits


def stopped(model: ScriptedModel, **more: Any) -> tuple[LimitReached, MemoryTrace]:
    crew = make_crew(model, **more)
    with pytest.raises(TaskBlocked) as error:
        run_loop(crew)
    reached = traced(crew).one(LimitReached)
    assert error.value.what == reached.message
    assert "kept" in error.value.cure
    return reached, traced(crew)


def working(**usage: Any) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        reply = calls(("write_file", {"path": f"f{len(request.turns)}", "content": "x"}))
        return msgspec.structs.replace(reply, usage=msgspec.structs.replace(USAGE, **usage)) if usage else reply

    return answer


def test_a_model_that_never_stops_is_stopped_after_its_steps_and_not_one_later() -> None:
    model = ScriptedModel(working())
    reached, trace = stopped(model, task=make_task(limits=Limits(steps=7)))
    assert (reached.limit, reached.allowed, reached.used) == ("steps", 7, 7)
    assert len(model.requests) == 7
    assert trace.names[-1] == "limit_reached"


def test_tokens_are_a_limit_and_the_call_that_broke_it_is_not_acted_upon() -> None:
    model = ScriptedModel(working(prompt=600))
    reached, trace = stopped(model, task=make_task(limits=Limits(tokens=1000)))
    assert reached.limit == "tokens"
    assert reached.used > 1000
    assert trace.names.count("tool_requested") == 1


def test_money_is_a_limit_even_when_the_last_answer_would_have_been_the_end() -> None:
    reply = says("Done.", usage=msgspec.structs.replace(USAGE, cost_usd=3.0, estimated=True))
    reached, _ = stopped(ScriptedModel([reply]), task=make_task(limits=Limits(cost_usd=1.0)))
    assert reached.limit == "cost_usd"
    assert "up to" in reached.message


def test_exactly_used_up_money_and_tokens_allow_no_further_call() -> None:
    task = make_task(limits=Limits(tokens=USAGE.total))
    assert stopped(ScriptedModel(working()), task=task)[0].limit == "tokens"
    task = make_task(limits=Limits(cost_usd=USAGE.cost_usd))
    assert stopped(ScriptedModel(working()), task=task)[0].limit == "cost_usd"


def test_time_is_counted_from_the_beginning_of_the_task_and_looked_at_before_each_tool() -> None:
    clock = VirtualClock()
    sandbox = MemorySandbox({})

    model = ScriptedModel(
        [calls(("write_file", {"path": "a", "content": "x"}), ("write_file", {"path": "b", "content": "x"}))]
    )
    original = sandbox.write

    def write(path: str, data: bytes) -> None:
        clock.time += 50
        original(path, data)

    sandbox.write = write  # type: ignore[method-assign]
    task = make_task(limits=Limits(minutes=1))
    reached, _ = stopped(model, sandbox=sandbox, clock=clock, task=task, began=clock.time - 20)
    assert reached.limit == "minutes"
    assert sandbox.files == {"a": b"x"}


def test_a_model_that_fails_at_the_deadline_is_a_limit_and_no_failure() -> None:
    clock = VirtualClock()

    class Late(ScriptedModel):
        def reply(self, request: Request, *, deadline: float, on_attempt: Any) -> Reply:
            clock.time = deadline + 1
            raise TaskFailed("The time for this task is up.")

    assert stopped(Late([]), clock=clock)[0].limit == "minutes"


def test_the_time_a_person_takes_is_not_the_tasks() -> None:
    clock = VirtualClock()
    approver = FixedApprover(Answer(allow=True), clock, takes=3600)
    crew = make_crew(
        ScriptedModel([calls(("write_file", {"path": "b", "content": "x"})), says("Done.")]),
        clock=clock,
        approver=approver,
    )
    assert run_loop(crew).answer == "Done."


def test_a_campaigns_purse_stops_its_tasks() -> None:
    purse = Purse(cost_usd=0.0025)
    reached, _ = stopped(ScriptedModel(working()), purse=purse)
    assert (reached.limit, reached.used) == ("cost_usd", 0.003)
    assert stopped(ScriptedModel([]), purse=purse)[0].limit == "cost_usd"
    assert stopped(ScriptedModel(working()), purse=Purse(tokens=200))[0].limit == "tokens"
    assert Purse().reached() is None


def test_a_reply_without_usage_is_counted_as_the_most_it_can_have_cost() -> None:
    reply = says("x" * 1000, usage=Usage(), usage_missing=True)
    end = run_loop(make_crew(ScriptedModel([reply])))
    assert end.usage.estimated
    assert end.usage.output >= 500
    assert end.usage.cost_usd > 0.4
    assert end.usage.prompt > 1000


def test_an_interruption_is_written_down() -> None:
    def answer(request: Request) -> Reply:
        raise KeyboardInterrupt

    crew = make_crew(ScriptedModel(answer))
    with pytest.raises(KeyboardInterrupt):
        run_loop(crew)
    assert traced(crew).one(LimitReached).limit == "interrupted"


def test_a_budget_knows_what_is_left() -> None:
    clock = VirtualClock()
    budget = Budget(Limits(minutes=1), clock, began=clock.time)
    assert budget.left() == 60
    clock.time += 100
    assert budget.left() == 0
    budget.pause(100)
    assert budget.left() == 60


# Replies that cannot be used


def unusable(finish: Finish, text: str = "") -> Reply:
    return says(text, finish=finish, finish_raw=finish.upper())


@pytest.mark.parametrize("finish", UNUSABLE)
def test_an_unusable_reply_is_nudged_and_the_run_goes_on(finish: Finish) -> None:
    model = ScriptedModel([unusable(finish), says("Done.")])
    crew = make_crew(model)
    assert run_loop(crew).answer == "Done."
    nudge = traced(crew).one(Nudged)
    assert nudge.reason == finish.upper()
    assert traced(crew).all(ModelRequested)[1].nudge == nudge.message
    # No turn of its own and no empty one: the roles keep alternating.
    (only,) = model.requests[1].turns
    assert only.parts[-1] == Text(nudge.message)


@pytest.mark.parametrize("finish", UNUSABLE)
def test_unusable_replies_without_end_are_a_failure_with_a_reason(finish: Finish) -> None:
    crew = make_crew(ScriptedModel(lambda request: unusable(finish)))
    with pytest.raises(TaskFailed, match=finish.upper()):
        run_loop(crew)
    allowed = UNUSABLE[finish].nudges
    assert allowed <= NUDGES
    assert len(traced(crew).all(Nudged)) == allowed
    assert traced(crew).all(ModelReplied)[-1].finish == finish
    assert traced(crew).one(LimitReached).limit == "nudges"


def test_different_kinds_of_unusable_replies_share_one_count() -> None:
    kinds: list[Finish] = ["malformed_call", "empty", "max_tokens", "malformed_call"]
    with pytest.raises(TaskFailed):
        run_loop(make_crew(ScriptedModel([unusable(kind) for kind in kinds])))


def test_a_good_reply_begins_the_count_afresh() -> None:
    script = []
    for n in range(4):
        write = calls(("write_file", {"path": f"f{n}", "content": "x"}))
        script += [unusable("empty"), unusable("empty"), write]
    assert run_loop(make_crew(ScriptedModel([*script, says("Done.")]))).answer == "Done."


def test_after_two_malformed_calls_a_call_is_asked_for() -> None:
    model = ScriptedModel([unusable("malformed_call")] * 2 + [calls(READ), says("Done.")])
    crew = make_crew(model)
    run_loop(crew)
    assert [request.force_call for request in model.requests] == [False, False, True, False]
    assert [r.force_call for r in traced(crew).all(ModelRequested)] == [False, False, True, False]


def test_calls_in_an_answer_that_was_cut_are_answered_and_not_executed() -> None:
    write = ("write_file", {"path": "b", "content": "half of it"})
    model = ScriptedModel([calls(write, finish="max_tokens"), says("Done.")])
    crew = make_crew(model)
    run_loop(crew)
    assert "b" not in crew.sandbox.files  # type: ignore[attr-defined]
    result, nudge = model.requests[1].turns[2].parts
    assert isinstance(result, ToolResult)
    assert result.is_error
    assert isinstance(nudge, Text)


def test_a_text_that_was_cut_stays_in_the_conversation() -> None:
    model = ScriptedModel([unusable("max_tokens", "I found that"), says("Done.")])
    run_loop(make_crew(model))
    assert [turn.role for turn in model.requests[1].turns] == ["user", "model", "user"]


def test_a_blocked_prompt_is_not_sent_again() -> None:
    model = ScriptedModel([says("", finish="blocked", finish_raw="PROMPT_BLOCKED: SAFETY")])
    with pytest.raises(TaskFailed, match="PROMPT_BLOCKED: SAFETY"):
        run_loop(make_crew(model))
    assert len(model.requests) == 1


def test_failed_tries_are_in_the_trace_before_the_reply() -> None:
    class Flaky(ScriptedModel):
        def reply(self, request: Request, *, deadline: float, on_attempt: Any) -> Reply:
            on_attempt(Attempt(status=503, cause="overloaded", waited_seconds=1.5))
            return super().reply(request, deadline=deadline, on_attempt=on_attempt)

    crew = make_crew(Flaky([says("Done.")]))
    run_loop(crew)
    assert traced(crew).names == ["model_requested", "model_retried", "model_replied"]
    assert traced(crew).one(ModelRetried).waited_seconds == 1.5


@pytest.mark.parametrize("error", [TaskFailed("no model"), ConfigurationError("no key")])
def test_what_the_model_cannot_do_ends_the_run_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)):
        run_loop(make_crew(ScriptedModel([error])))


# Going in circles


def test_the_same_call_with_the_same_result_is_nudged_once_and_then_stopped() -> None:
    model = ScriptedModel(lambda request: calls(READ))
    reached, trace = stopped(model)
    assert reached.limit == "stuck"
    assert len(trace.all(Nudged)) == 1
    assert len(model.requests) == 6


def test_polling_whose_result_changes_is_not_stuck() -> None:
    command = "echo x >> log; cat log"
    script = [calls(("run_shell_command", {"command": command}))] * 10
    crew = make_crew(ScriptedModel([*script, says("Done.")]))
    run_loop(crew)
    assert not traced(crew).all(Nudged)


def test_the_same_error_in_other_clothes_is_noticed() -> None:
    def answer(request: Request) -> Reply:
        return calls(("read_file", {"path": f"missing{len(request.turns)}"}))

    crew = make_crew(ScriptedModel(answer))
    with pytest.raises(TaskBlocked):
        run_loop(crew)
    assert "same error" in traced(crew).one(Nudged).reason
    assert len(traced(crew).all(ToolFailed)) == 8


def step(detector: StuckDetector, name: str, output: str, *, error: bool = False) -> str | None:
    return detector.see([ToolCall(name, {})], [ToolResult(name, output, is_error=error)])


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_a_cycle_of_up_to_five_turns_is_seen_at_its_third_round(length: int) -> None:
    detector = StuckDetector()
    found = [step(detector, f"tool{n % length}", "same") for n in range(length * 3)]
    assert found[:-1] == [None] * (length * 3 - 1)
    assert found[-1]


def test_a_longer_cycle_is_left_to_the_other_limits() -> None:
    detector = StuckDetector()
    assert not any(step(detector, f"tool{n % 6}", "same") for n in range(60))


def test_durations_and_addresses_do_not_make_equal_results_different() -> None:
    detector = StuckDetector()
    outputs = ["1 failed in 0.12s", "1 failed in 0.3s", "1 failed in 1.02s"]
    assert [step(detector, "run", output) for output in outputs][-1]
    assert not any(step(StuckDetector(), "run", f"{n} failed") for n in range(10))


def test_different_errors_are_progress() -> None:
    detector = StuckDetector()
    assert not any(step(detector, "run", f"error {n}", error=True) for n in range(20))


# The prompt


def test_the_system_prompt_says_who_where_and_what_is_data() -> None:
    task = make_task(
        plugin={
            "directory": "p",
            "test": TestCommand(command="pytest -q"),
            "allowed_paths": ("src/**",),
            "version_file": "pyproject.toml",
            "changelog": "CHANGE_LOG.md",
        }
    )
    text = system_prompt(task)
    assert "\nPlugin: slugger\n" in text
    assert "\nPlaybook: fix_bug 1.2\n" in text
    for fact in ("pytest -q", "src/**", "pyproject.toml", "CHANGE_LOG.md", "the folder p", "no network", "read_file"):
        assert fact in text
    assert "{" not in text
    assert "<<<data" in text


def test_no_untrusted_text_is_in_the_system_prompt() -> None:
    assert "Fix it." not in system_prompt(make_task(prompt="Fix it."))


def test_the_scripted_model_says_loudly_when_its_script_is_over() -> None:
    assert ScriptedModel([]).identity == ModelId(adapter="scripted", name="scripted")
    with pytest.raises(TaskFailed, match="after 0 turns"):
        run_loop(make_crew(ScriptedModel([])))


def test_arguments_that_json_cannot_hold_break_nothing() -> None:
    odd = [
        ("read_file", {"path": "\ud800"}),
        ("read_file", {"path": "a.txt", "start_line": 10**30}),
        ("read_file", {"path": "a.txt", "x\udcff": [{"a": 10**30}]}),
    ]
    missing = calls(*odd, usage=Usage(), usage_missing=True)
    model = ScriptedModel([calls(*odd), missing, says("Done.")])
    crew = make_crew(model, task=make_task(limits=Limits(cost_usd=10)))
    assert run_loop(crew).answer == "Done."
    assert len(traced(crew).all(ToolFailed)) == 6


def test_a_name_that_is_no_utf_8_is_spelled_out() -> None:
    sandbox = MemorySandbox({"caf\udce9.txt": "x\n"})
    model = ScriptedModel([calls(("list_files", {})), says("Done.")])
    run_loop(make_crew(model, sandbox))
    (result,) = model.requests[1].turns[2].parts
    assert isinstance(result, ToolResult)
    assert result.output == r"caf\udce9.txt"
