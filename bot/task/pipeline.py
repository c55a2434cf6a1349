"""One task, from a repository to a sealed proposal: the hops, in order, each in a module of its name."""

from __future__ import annotations

from pathlib import Path

from bot.base.errors import ConfigurationError
from bot.base.values import Task
from bot.task.baseline import baseline
from bot.task.bring_up import bring_up
from bot.task.checkout import free, locate
from bot.task.ending import Ended, outcome_of
from bot.task.perform import perform
from bot.task.proposal import Proposal
from bot.task.prove import prove, unless_empty
from bot.task.question import question
from bot.task.run import Run
from bot.task.seal import seal
from bot.task.setup import set_up
from bot.task.store import finished
from bot.task.workshop import Workshop


def run_task(task: Task, folder: Path, shop: Workshop) -> tuple[Proposal, Path]:
    """Run one task and write `proposal.json`, patch and trace into `folder`; returns the proposal, and where it is.

    What goes wrong inside is an outcome with a reason. A finished proposal of the same task on the same base is
    returned as it is, and earlier work is not replaced by an attempt that came to nothing. Raises `ConfigurationError`
    when no task of the campaign can succeed: the key is refused.
    """
    with Run(task, folder, shop) as run:
        try:
            run.claim()
            origin = locate(task, shop.forge)
            if (done := finished(folder, run.key(origin))) is not None:
                return done, folder
            run.check_out(free(task, origin, shop.forge))
            question(run)
            set_up(run)
            before = baseline(run)
            perform(run)
            change = unless_empty(run.collect(), run)
            proof = bring_up(run, prove(run, before, change))
            return run.settled(seal(run, Ended("changed", proof.reason)))
        except ConfigurationError:
            raise
        except Exception as end:
            if shop.stop.is_set():
                raise KeyboardInterrupt from end
            return run.settled(seal(run, outcome_of(end)))
