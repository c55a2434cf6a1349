"""Flights for people: how far they are, how they ended."""

from __future__ import annotations

import sys
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bot.cli.output import people
from bot.windtunnel.judgement import Trial
from bot.windtunnel.plan import Plan
from bot.windtunnel.report import FlightReport
from bot.windtunnel.show import headline, rate
from bot.windtunnel.tunnel import Flown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from bot.demo.flights import Rehearsal
    from bot.windtunnel.compare import Comparison, Pairs

COLOURS = {"CERTIFIED": "bold green", "REJECTED": "bold red", "INCONCLUSIVE": "yellow", "ERROR": "bold yellow"}
_RESULTS = {"passed": "green", "failed": "red", "harm": "bold red", "error": "yellow"}


class FlightDisplay:
    """Shows the scenarios under way. A context manager."""

    def __init__(self, plan: Plan) -> None:
        """`plan` says how many trials there can be."""
        self._console, self._plan = people(), plan
        self._counts: dict[str, Counter[str]] = {}
        self._decided: dict[str, str] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and sys.stderr.isatty():
            from rich.live import Live

            self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def landed(self, flown: Flown, trial: Trial) -> None:
        """A trial has ended and counts."""
        name = flown.scenario.name
        self._counts.setdefault(name, Counter())[trial.result] += 1
        if flown.decision is not None:
            self._decided[name] = flown.decision
        if self._live is None and (trial.result != "passed" or flown.decision is not None):
            self._line(flown, trial)

    def _line(self, flown: Flown, trial: Trial) -> None:
        from rich.text import Text

        line = Text(f"  {trial.scenario}, seed {trial.seed}: ").append(trial.result, _RESULTS[trial.result])
        why = [f"{one.rule}: {one.reason}" for one in trial.failures[:2]]
        if trial.result == "error":
            why = [trial.reason.strip().splitlines()[-1]]
        if trial.result != "passed":
            line.append(f" ({'; '.join(why)})")
        if flown.decision is not None:
            line.append(f" → {flown.decision} after {len(flown.trials)}", COLOURS[flown.decision])
        self._console.print(line)

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for name, counts in self._counts.items():
            said = Text()
            for result, colour in _RESULTS.items():
                if counts[result]:
                    said.append(f"{counts[result]} {result}  ", colour)
            verdict = self._decided.get(name, "")
            table.add_row(f"  {name}", f"{counts.total()} of {self._plan.max_trials}", said, Text(verdict))
        return table


def show_flight(report: FlightReport, console: Console) -> None:
    """A flight as a table, and where to look on."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=headline(report), title_justify="left", expand=False)
    for name in ("scenario", "verdict", "passed", "rate", "harm", "rules that failed"):
        table.add_column(name, overflow="fold")
    for row in report.scenarios:
        rules = ", ".join(f"{one.rule} ({one.trials} trials)" for one in row.failures)
        verdict = Text(row.verdict, COLOURS[row.verdict])
        table.add_row(Text(row.name), verdict, f"{row.passed} of {row.trials}", rate(row), str(row.harm), Text(rules))
    console.print(table)
    console.print(Text(report.verdict, COLOURS[report.verdict]).append(f": {report.why}", "default"))
    for row in report.scenarios:
        for one in row.failures[:3]:
            where = f", event {one.seq}" if one.seq is not None else ""
            console.print(Text(f"  {row.name}: {one.rule}{where}: {one.reason}"))
            console.print(Text(f"    fleet-bot trace show {one.trace}", "dim"))
        if row.misses:
            console.print(Text(f"  {row.name} has no answer for: {', '.join(row.misses[:5])}", "dim"))
        if row.repeated:
            console.print(Text(f"  {row.name}: {row.repeated} repetitions of the same, not counted", "dim"))
    for pair in report.twins:
        said = (
            "agrees" if pair.agree else f"DIFFERS: {pair.virtual} here, {pair.real} there {', '.join(pair.differing)}"
        )
        told = f"  {pair.scenario}: its materialised twin {said}, fidelity {pair.fidelity:.2f}"
        console.print(Text(told, "default" if pair.agree else "yellow"))
    for alone in report.without_twin:
        console.print(Text(f"  {alone.scenario}: no materialised twin was flown: {alone.why}", "dim"))
    if report.plugins > 1:
        _show_fleet(report, console)
    console.print(f"Report and traces: {report.folder}", markup=False)
    if report.certificate:
        console.print(f"Certificate: {report.certificate}", markup=False)
    if report.wider:
        console.print(
            f"No certificate was filed for a part of the scenarios: {report.wider} speaks of more of them and stays. "
            "Fly without --virtual, or delete it first.",
            markup=False,
        )


def _show_fleet(report: FlightReport, console: Console) -> None:
    told = [f"{row.name} {row.fleet:.0%}" for row in report.scenarios if row.fleet is not None]
    if told:
        chance = f"The chance that {report.plugins} plugins in a row (the fleet) all end well: {', '.join(told)}"
        console.print(chance, markup=False)


def show_comparison(found: Comparison, console: Console) -> None:
    """A comparison as a table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{found.pairs} pairs of runs on {', '.join(found.scenarios)}", title_justify="left")
    for name in ("", "both", found.playbook, found.against, "neither", "p"):
        table.add_column(name, overflow="fold")
    for pairs in (found.runs, *found.rules):
        table.add_row(Text(pairs.rule), *_numbers(pairs))
    console.print(table)
    for folder in found.folders:
        console.print(f"Traces: {folder}", markup=False)


def _numbers(pairs: Pairs) -> tuple[str, ...]:
    different = pairs.first + pairs.second
    p = f"{pairs.p:.3f}" if different else ""
    return str(pairs.both), str(pairs.first), str(pairs.second), str(pairs.neither), p


def show_rehearsal(one: Rehearsal, console: Console) -> None:
    """A flight of the demo as a few lines: refused, flown, why, and whether the campaign may start."""
    from rich.text import Text

    report = one.flight
    title = "a draft without a step about the change log" if one.draft else "as it is shipped"
    console.print(Text(f"  {one.playbook}, {title}", "bold"))
    if one.before:
        console.print(Text("    refused    ", "yellow").append(one.before, "default"))
    flown = ", ".join(f"{row.name} {row.passed} of {row.trials}" for row in report.scenarios)
    verdict = Text(f"    {report.verdict:<11}", COLOURS[report.verdict])
    console.print(verdict.append(f"{flown}. {report.why}", "default"))
    broken = [failure for row in report.scenarios for failure in row.failures]
    if broken:
        console.print(Text(f"               fleet-bot trace show {broken[0].trace}", "dim"))
    if one.after:
        console.print(Text("    refused    ", "yellow").append(one.after, "default"))
    else:
        console.print(Text("    cleared    ", "green").append(f"{report.certificate}", "dim"))
