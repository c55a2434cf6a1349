"""Whether there is anything to do: the playbook's `applies_if` and `done_if`."""

from __future__ import annotations

from bot.task.condition import Question, describe
from bot.task.ending import Ended
from bot.task.run import Run


def question(run: Run) -> None:
    """Open the agent's sandbox and ask. Raises `Ended` with `no_change` when the playbook has nothing to do here."""
    playbook = run.task.playbook
    if not (playbook.applies_if or playbook.done_if):
        return
    asked = Question(run.place.git, run.place.prepared_tree, run.inside, run.trace, run.task)
    for condition in playbook.applies_if:
        if not asked.holds(condition):
            raise Ended("no_change", f"the playbook does not apply: not true that {describe(condition)}")
    if playbook.done_if and all(asked.holds(condition) for condition in playbook.done_if):
        raise Ended("no_change", "already done: " + " and ".join(map(describe, playbook.done_if)))
