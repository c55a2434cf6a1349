"""Where words go: people's output to stderr, one JSON document to stdout when it was asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from bot.trace.inert import visible

if TYPE_CHECKING:
    from rich.console import Console

    from bot.fleet.report import CampaignReport, TaskReport

COLOURS = {
    "changed": "bold green",
    "no_change": "green",
    "skipped": "dim",
    "blocked": "yellow",
    "failed": "red",
    "error": "bold red",
}
"""How an outcome is shown."""


def emit_json(document: object) -> None:
    """Print one JSON document on stdout, indented; nothing else ever goes there with `--json`."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.write(text.decode() + "\n")
    sys.stdout.flush()


def people() -> Console:
    """The console for people, on stderr. Honours NO_COLOR; rich loads late."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def _branch(task: TaskReport) -> str:
    """Where the change is, where there are no pull requests."""
    return f"branch {task.branch}" if task.outcome == "changed" else ""


def show_report(report: CampaignReport, console: Console) -> None:
    """A campaign as a table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{report.playbook} · {report.campaign}", title_justify="left", expand=False)
    for name in ("plugin", "outcome", "why"):
        table.add_column(name, overflow="fold")
    table.add_column("pull request", no_wrap=True, overflow="ignore")  # an address in two halves cannot be copied
    for task in report.tasks:
        outcome = Text(task.outcome, COLOURS[task.outcome])
        # The reason may quote a repository or a model: never read as markup, never steering the terminal.
        table.add_row(
            task.plugin,
            outcome,
            Text(visible(task.reason)),
            task.pull_request.url if task.pull_request else _branch(task),
        )
    console.print(table)
    for task in report.tasks:
        if task.answer and task.outcome == "no_change":
            console.print(Text(f"{task.plugin}: {visible(task.answer)}"))
