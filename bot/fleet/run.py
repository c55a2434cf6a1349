"""A campaign being run: tasks side by side, one broken plugin never stopping the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

import msgspec

from bot.base.values import Task
from bot.publish.publisher import Press, Published, publish
from bot.task.pipeline import run_task
from bot.task.proposal import Proposal
from bot.task.run import Workshop
from bot.task.store import find

T = TypeVar("T")
R = TypeVar("R")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one task so far: proposed, and perhaps published."""

    proposal: Proposal
    folder: str
    published: Published | None = None


def propose(
    tasks: Iterable[Task], out: Path, shop: Workshop, *, jobs: int, done: Callable[[Result], None]
) -> list[Result]:
    """Run all tasks, `jobs` at a time, and return their results in the order of the tasks.

    `done` is called as each ends. Raises `ConfigurationError` when going on makes no sense for any task (the model's
    key is refused); what was finished until then is on disk.
    """

    def one(task: Task) -> Result:
        folder = out / task.campaign / task.plugin.name
        result = Result(proposal=run_task(task, folder, shop), folder=str(folder))
        done(result)
        return result

    return _side_by_side(list(tasks), one, jobs)


def publish_all(root: Path, press: Press, *, done: Callable[[Result], None]) -> list[Result]:
    """Publish every proposal below `root`, one after the other: forges limit how fast content may be created."""
    results = []
    for folder in find(root):
        published = publish(folder, press)
        result = Result(proposal=published.proposal, folder=str(folder), published=published)
        done(result)
        results.append(result)
    return results


def _side_by_side(items: list[T], work: Callable[[T], R], jobs: int) -> list[R]:
    if jobs == 1:
        return [work(item) for item in items]
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="task")
    futures: list[Future[R]] = [pool.submit(work, item) for item in items]
    try:
        waiting = set(futures)
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return [future.result() for future in futures]
