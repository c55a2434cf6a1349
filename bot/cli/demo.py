"""`fleet-bot demo`: the whole main job, with no key and no network, told so that one sees what happened."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.flights import show_rehearsal
from bot.cli.output import COLOURS, emit_json, people
from bot.cli.progress import ProgressDisplay
from bot.demo.act import acts, playable
from bot.demo.run import Shown, play
from bot.trace.inert import counted
from bot.virtual.plugin import find_virtual_fleet, read_virtual_fleet

if TYPE_CHECKING:
    from rich.console import Console

    from bot.fleet.report import CampaignReport
    from bot.virtual.plugin import VirtualPlugin


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Keep everything there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there.")
@click.option("--jobs", type=click.IntRange(1, 64), default=os.cpu_count() or 1, help="Tasks at a time (processors).")
def demo(folder: Path | None, as_json: bool, jobs: int) -> int:
    """Run the whole main job on a virtual GitHub with a virtual Gemini. Needs no key and no network."""
    # Libraries may send even loopback through a proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    fleet = playable(read_virtual_fleet(find_virtual_fleet()))
    place = (folder or Path(tempfile.mkdtemp(prefix="fleet-bot-demo-"))).absolute()
    console = people()
    _introduce(fleet, console)
    total = sum(len(act.cast) for act in acts(fleet))
    with ProgressDisplay(total) as display:
        shown = play(
            place,
            fleet,
            jobs=jobs,
            step=display.step,
            done=display.done,
            flown=lambda one: show_rehearsal(one, console),
        )
    if as_json:
        emit_json(shown.as_json())
    _tell(shown, console)
    return 1 if shown.surprises else 0


def _introduce(fleet: tuple[VirtualPlugin, ...], console: Console) -> None:
    console.print("\nThe fleet: tiny plugins with real tests, on a virtual GitHub.", style="bold")
    for plugin in fleet:
        console.print(f"  {plugin.name:<16} {plugin.summary}", markup=False)
    console.print(
        "\nFirst the wind tunnel: a playbook that is to run on several plugins has to fly on virtual ones before."
    )
    console.print("Then the work: clone, set up, test, let the agent work in a sandbox, test again, seal, publish.\n")


def _tell(shown: Shown, console: Console) -> None:
    from rich.text import Text

    console.print("\nWhat happened", style="bold")
    for report in shown.campaigns:
        console.print(f"\n  {report.playbook} · {report.campaign}", style="bold", markup=False)
        for task in report.tasks:
            line = Text("    ")
            line.append(f"{task.outcome:<10}", COLOURS[task.outcome]).append(f"{task.plugin}: {task.reason}")
            console.print(line)
            for name in task.red_before:
                proof = Text("               ")
                proof.append("red", "red").append(" → ").append("green", "green").append(f"  {name}")
                console.print(proof)
            if task.pull_request is not None:
                console.print(f"               {task.pull_request.url}", style="cyan", markup=False)
            elif task.answer and task.outcome == "no_change":
                console.print(Text(f"               “{_first_line(task.answer)}”", "dim"))
    _count(shown.campaigns, console)
    _where_next(shown, console)
    for problem in shown.surprises:
        console.print(Text(f"unexpected: {problem}", "bold red"))


def _first_line(answer: str) -> str:
    lines = [line.strip() for line in answer.splitlines() if line.strip() and not line.startswith("```")]
    return lines[0][:100] + ("…" if len(lines) > 1 else "") if lines else ""


def _count(reports: tuple[CampaignReport, ...], console: Console) -> None:
    tasks = [task for report in reports for task in report.tasks]
    pulls = [task.pull_request for task in tasks if task.pull_request]
    made = sum(pull.action == "created" for pull in pulls)
    proven = sum(bool(task.red_before) for task in tasks)
    console.print(
        f"\n{counted(len(tasks), 'task')}, {counted(len(pulls), 'pull request')} ({made} new), each with its trace; "
        f"{proven} bug fixes proven by a test that we saw red without the fix and green with it."
    )


def _where_next(shown: Shown, console: Console) -> None:
    first = next((t for r in shown.campaigns for t in r.tasks if t.red_before), shown.campaigns[0].tasks[0])
    console.print("\nWhere to look next", style="bold")
    for line in (
        f"fleet-bot trace show {first.trace}",
        f"fleet-bot trace verify {first.trace}",
        f"less {first.proposal}",
        f"fleet-bot virtual-github --root {shown.folder / 'github'}   # browse the pull requests",
        f"fleet-bot demo --dir {shown.folder}   # again: nothing changes",
    ):
        console.print(f"  {line}", markup=False)
