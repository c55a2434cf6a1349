"""The hop in which the work is done: by the agent, or by the playbook's script."""

from __future__ import annotations

from bot.agent.effects import meaning, record_command, record_effects
from bot.agent.loop import Crew, run_loop
from bot.base.errors import TaskBlocked, TaskFailed
from bot.base.values import Plugin, Usage
from bot.expected.guard import watched
from bot.ports import Action
from bot.task.ending import why_it_failed
from bot.task.run import Run
from bot.trace.events import ApprovalAsked, GuardRefused, ToolCompleted, ToolFailed, ToolRequested
from bot.trace.writer import clip

_CALL = "1.1"


def perform(run: Run) -> None:
    """Do what the playbook says.

    Raises `TaskFailed` when it cannot be done, `TaskBlocked` when a limit, a rule or a person stopped it; the work so
    far stays in the workspace.
    """
    if run.task.playbook.mode == "script":
        _script(run)
    else:
        _agent(run)


def _agent(run: Run) -> None:
    def spent(usage: Usage) -> None:
        run.usage = usage

    guard = run.shop.guard(run.task)
    crew = Crew(
        task=run.task,
        model=run.shop.model(run.task),
        sandbox=run.inside,
        trace=watched(run.trace, guard),
        guard=guard,
        clock=run.shop.clock,
        approver=run.shop.approver,
        progress=run.say,
        spent=spent,
        began=run.began,
        purse=run.shop.purse,
    )
    run.answer = run_loop(crew).answer


def _script(run: Run) -> None:
    """The script is one action: on disk before it runs, approved, confined, and looked at afterwards."""
    task, sandbox, guard = run.task, run.inside, run.shop.guard(run.task)
    trace = watched(run.trace, guard)
    command = task.playbook.script or ""
    run.say("script")
    trace.append(ToolRequested(call=_CALL, tool="script", args={"command": command}), turn=1)
    trace.sync()
    _approve(run, command)
    before = sandbox.snapshot()
    variables = _facts(task.plugin) | {f"VAR_{name.upper()}": _text(value) for name, value in task.variables.items()}
    seconds = run.seconds()
    result = sandbox.run(command, timeout=seconds, env=variables, cwd=task.plugin.directory)
    record_command(trace, command, result, phase="script", call=_CALL, turn=1)
    after = sandbox.snapshot()
    effects = sandbox.changes(before, after)
    meant = meaning(sandbox, before, after, effects, task, _CALL)
    refusal = guard.after(Action(turn=1, call=_CALL, tool="script", args={}, declared=()), effects, meant)
    if refusal is not None:
        sandbox.restore(before)
        trace.append(
            GuardRefused(
                call=_CALL, tool="script", by=refusal.by, rule=refusal.rule, message=refusal.message, undone=True
            ),
            turn=1,
        )
        raise TaskBlocked(f"The script did what it must not: {refusal.message}.", "What it changed was undone.")
    record_effects(trace, effects, meant, call=_CALL, turn=1)
    if result.exit_code != 0:
        why = why_it_failed(result, seconds)
        trace.append(ToolFailed(call=_CALL, tool="script", reason="os_error", message=why), turn=1)
        raise TaskFailed(f"The script ended with exit code {result.exit_code}: {why}", "Run it by hand in a clone.")
    output = clip(result.stdout, trace)
    trace.append(
        ToolCompleted(call=_CALL, tool="script", output=output, duration_ms=round(result.duration_ms, 1)), turn=1
    )
    if task.playbook.result == "answer":
        run.answer = result.stdout.decode("utf-8", "replace").strip() or None


def _facts(plugin: Plugin) -> dict[str, str]:
    """What a script is told of the plugin that it works on; nothing in it is secret."""
    return {
        "PLUGIN_NAME": plugin.name,
        "PLUGIN_REPO": plugin.repo,
        "PLUGIN_SETUP": plugin.setup or "",
        "PLUGIN_TEST": plugin.test.command if plugin.test else "",
    }


def _approve(run: Run, command: str) -> None:
    if run.shop.approver is None:
        return
    plugin = run.task.plugin.name
    title = f"script in {plugin}"
    answer = run.shop.approver.ask(title, f"$ {command}", plugin=plugin)
    run.trace.append(
        ApprovalAsked(call=_CALL, title=title, allowed=answer.allow, reason=answer.reason, stop=answer.stop), turn=1
    )
    if not answer.allow:
        raise TaskBlocked("A person refused the script.", answer.reason)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
