"""A campaign being run: tasks side by side, one broken plugin never stopping the others."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from bot.base.values import Task
from bot.publish.publisher import Press, Published, publish
from bot.task.pipeline import run_task
from bot.task.proposal import Proposal
from bot.task.store import find, prepare
from bot.task.workshop import Workshop

T = TypeVar("T")
R = TypeVar("R")
_GRACE_SECONDS = 5.0
"""How long an interrupted campaign waits for its tasks to let go of what they hold."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one task so far: proposed, and perhaps published."""

    proposal: Proposal
    folder: str
    published: Published | None = None


def propose(
    tasks: Iterable[Task], out: Path, shop: Workshop, *, jobs: int, done: Callable[[Result], None]
) -> list[Result]:
    """Run all tasks, `jobs` at a time, and return their results in the order of the tasks.

    `done` is called as each ends. Raises `UsageError` when nothing can be written to `out`, `ConfigurationError` when
    going on makes no sense for any task (the model's key is refused); what was finished until then is on disk. After
    ^C the tasks under way are stopped at once; the same call goes on from there.
    """
    prepare(out)

    def one(task: Task) -> Result:
        folder = out / task.campaign / task.plugin.name
        proposal, place = run_task(task, folder, shop)
        result = Result(proposal=proposal, folder=str(place))
        done(result)
        return result

    return _side_by_side(list(tasks), one, jobs, shop)


def publish_all(root: Path, press: Press, *, done: Callable[[Result], None]) -> list[Result]:
    """Publish every proposal below `root`, one after the other: forges limit how fast content may be created.

    Raises `UsageError` when nothing can be written there: each publication keeps a journal.
    """
    prepare(root)
    return [_publish_one(folder, press, done) for folder in find(root)]


def publish_results(results: Iterable[Result], press: Press, *, done: Callable[[Result], None]) -> list[Result]:
    """Publish what was just proposed, in the same order, and nothing else that lies beside it."""
    return [
        _publish_one(Path(result.folder), press, done) if result.proposal.outcome == "changed" else result
        for result in results
    ]


def _publish_one(folder: Path, press: Press, done: Callable[[Result], None]) -> Result:
    published = publish(folder, press)
    result = Result(proposal=published.proposal, folder=str(folder), published=published)
    done(result)
    return result


def _side_by_side(items: list[T], work: Callable[[T], R], jobs: int, shop: Workshop) -> list[R]:
    """Results in the order of the items. The first exception of any item stops all and is raised."""
    stop = shop.stop
    waiting: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    for pair in enumerate(items):
        waiting.put(pair)
    ended: queue.SimpleQueue[tuple[int, R] | BaseException] = queue.SimpleQueue()

    def worker() -> None:
        while not stop.is_set():
            try:
                index, item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put((index, work(item)))
            except BaseException as error:  # noqa: BLE001 (whatever it is, the main thread raises it)
                ended.put(error)
                return

    # Daemons: a worker that hangs in a call to the model must not keep an interrupted process alive.
    threads = [threading.Thread(target=worker, name=f"task-{n}", daemon=True) for n in range(min(jobs, len(items)))]
    for thread in threads:
        thread.start()
    results: dict[int, R] = {}
    try:
        while len(results) < len(items):
            found = ended.get()
            if isinstance(found, BaseException):
                raise found
            results[found[0]] = found[1]
    except BaseException:
        stop.set()
        shop.interrupt()
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        raise
    return [results[index] for index in range(len(items))]
