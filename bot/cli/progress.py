"""How far a campaign is, on stderr: a live table on a terminal, a line a step elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bot.base.values import Task
from bot.cli.output import COLOURS, people
from bot.fleet.run import Result
from bot.trace.inert import visible

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table


class ProgressDisplay:
    """Shows the tasks under way. A context manager; safe to use from several threads."""

    def __init__(self, total: int, *, live: bool = True) -> None:
        """`total` is the number of tasks. Without `live` it is lines everywhere: nothing paints over a question."""
        self._console = people()
        self._total, self._ended = total, 0
        self._running: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._may_live = live
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._may_live and self._console.is_terminal and sys.stderr.isatty():
            from rich.live import Live

            self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, task: Task, step: str) -> None:
        """A task has begun a step."""
        with self._lock:
            began = self._running.get(task.plugin.name, ("", time.monotonic()))[1]
            self._running[task.plugin.name] = (step, began)
            if self._live is None:
                self._console.print(f"  {task.plugin.name}: {step}", markup=False)

    def done(self, result: Result) -> None:
        """A task has ended, or was published."""
        from rich.text import Text

        proposal, published = result.proposal, result.published
        outcome = published.outcome if published else proposal.outcome
        said = published.reason if published else proposal.reason
        if published and outcome == "changed":
            pull = published.pull_request
            said = f"pull request {pull.url} {published.action}" if pull else f"branch {proposal.branch}"
        with self._lock:
            self._running.pop(proposal.plugin, None)
            self._ended += 1
            line = Text("  ")
            line.append(f"{outcome:<10}", COLOURS[outcome]).append(f"{proposal.plugin}: {visible(said)}")
            self._console.print(line)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        with self._lock:
            for name, (step, began) in sorted(self._running.items()):
                table.add_row("  …", name, step, f"{time.monotonic() - began:.0f} s")
            table.add_row("", f"{self._ended} of {self._total} ended")
        return table
