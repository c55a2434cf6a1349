"""The hop that turns a change into a proven change."""

from __future__ import annotations

import msgspec

from bot.agent.effects import record_command
from bot.base.errors import TaskBlocked, TaskFailed
from bot.base.values import Playbook
from bot.task.change import Change
from bot.task.ending import Ended
from bot.task.run import Run
from bot.task.test_results import Suite, run_suite
from bot.task.verify import Trees, verify
from bot.trace.events import VerificationDone


def prove(run: Run, before: Suite | None, change: Change) -> VerificationDone:
    """Run the tests on what the run made, in fresh sandboxes, and record the judgement.

    Raises `TaskBlocked` when the proof that the playbook asks for is missing.
    """
    rule, test = run.task.playbook.verification, run.task.plugin.test

    def suite(tree: str) -> Suite:
        if test is None:
            raise AssertionError
        run.say("tests after" if tree == change.workspace_tree else "tests without the fix")
        sandbox = run.enter(tree=tree)
        return run_suite(
            sandbox, run.task.plugin, test, run.trace, workspace=str(run.place.workspace), timeout=run.seconds()
        )

    if rule.tests == "none":
        proof = VerificationDone(proven=True, reason="the playbook asks for no tests")
    else:
        trees = Trees(
            start=change.start_tree, head=change.workspace_tree, proof=change.proof_tree, test_files=change.test_files
        )
        proof = verify(rule, before, trees, suite)
    proof = _with_commands(run, proof, change)
    run.verification = proof
    run.trace.append(proof)
    if not proof.proven:
        msg = f"Not proven: {proof.reason}."
        raise TaskBlocked(msg, "The work is kept beside the proposal; nothing is published.")
    return proof


def _with_commands(run: Run, proof: VerificationDone, change: Change) -> VerificationDone:
    for command in run.task.playbook.verification.commands:
        sandbox = run.enter(tree=change.workspace_tree)
        result = sandbox.run(command, timeout=run.seconds(), cwd=run.task.plugin.directory)
        record_command(run.trace, command, result, phase="verify")
        if result.exit_code != 0:
            reason = f"`{command}` ended with exit code {result.exit_code} on the result"
            return msgspec.structs.replace(proof, proven=False, reason=reason)
    return proof


def unless_empty(change: Change, run: Run) -> Change:
    """The change, if there is one to publish. Raises `Ended` when the run only looked or rightly changed nothing."""
    merged = run.origin.merged if run.origin else None
    if change.empty and merged is not None and run.task.playbook.mode == "script":
        # A script does the same every time; of a model's empty hands a merge says nothing.
        raise Ended("no_change", f"nothing is left to change since #{merged} was merged")
    check_change(run.task.playbook, len(change.files))
    return change


def check_change(playbook: Playbook, files: int) -> None:
    """Whether so many changed files leave something to publish. Raises as `unless_empty` does."""
    if playbook.result == "answer":
        note = f" Changes to {files} files were thrown away." if files else ""
        raise Ended("no_change", f"answered; see the report.{note}")
    if not files and playbook.allow_empty:
        raise Ended("no_change", "nothing had to change")
    if not files:
        msg = "Nothing was changed, and this playbook does not allow that."
        raise TaskFailed(msg, "Read the trace to see why; set `allow_empty: true` where nothing to do is a good end.")
