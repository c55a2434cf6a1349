"""Whether there is anything to do: the playbook's `applies_if` and `done_if`."""

from __future__ import annotations

from bot.base.values import Playbook
from bot.task.condition import Question, describe
from bot.task.ending import Ended
from bot.task.run import Run


def question(run: Run) -> None:
    """Open the agent's sandbox and ask. Raises `Ended` with `no_change` when the playbook has nothing to do here."""
    if run.task.playbook.applies_if or run.task.playbook.done_if:
        ask(Question(run.place.git, run.place.prepared_tree, run.inside, run.trace, run.task), run.task.playbook)


def ask(asked: Question, playbook: Playbook) -> None:
    """Ask all of it. Raises `Ended` as `question` does."""
    for condition in playbook.applies_if:
        if not asked.holds(condition):
            raise Ended("no_change", f"the playbook does not apply: not true that {describe(condition)}")
    if playbook.done_if and all(asked.holds(condition) for condition in playbook.done_if):
        raise Ended("no_change", "already done: " + " and ".join(map(describe, playbook.done_if)))
