"""The tests as they were before we came."""

from __future__ import annotations

from bot.base.errors import TaskBlocked
from bot.base.values import Verification
from bot.task.run import Run
from bot.task.test_results import Suite, run_suite


def baseline(run: Run) -> Suite | None:
    """Run the plugin's tests before anything changes; None where nothing is to be verified, or there is no test.

    Raises `TaskBlocked` when the playbook wants a green start and the suite is red.
    """
    rule, test = run.task.playbook.verification, run.task.plugin.test
    if test is None or rule.tests == "none" or run.task.playbook.result == "answer":
        return None
    run.say("tests before")
    suite = run_suite(
        run.inside, run.task.plugin, test, run.trace, workspace=str(run.place.workspace), timeout=run.seconds()
    )
    need_green(rule, suite)
    run.left_by_tests = frozenset(change.path for change in run.place.changes(run.inside.snapshot()))
    # What the tests left behind must not look like the agent's work.
    run.enter(tree=run.place.prepared_tree)
    return suite


def need_green(rule: Verification, suite: Suite) -> None:
    """Raises `TaskBlocked` when the playbook wants a green start and the suite, as it was before we came, is red."""
    if rule.baseline == "green" and not suite.green:
        seen = suite.seen
        how = "did not end in time" if seen.timed_out else f"{seen.failed + seen.errors} of them fail"
        if not seen.failed + seen.errors and not seen.timed_out:
            how = f"exit code {seen.exit_code}"
        msg = f"The tests are red before we come ({how}), and this playbook needs a green start."
        raise TaskBlocked(msg, "Repair the suite first, for example with the playbook fix_bug.")
