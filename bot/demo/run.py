"""The demo from the first plugin to the last pull request: the functions of a real campaign, on the virtual world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.base.clock import today
from bot.base.values import Report
from bot.demo.act import Act, acts, surprise
from bot.demo.flights import Hangar, Rehearsal, unexpected
from bot.demo.stage import Stage
from bot.fleet.bug_report import find_report
from bot.fleet.manifest import Manifest
from bot.fleet.plan import Plan, make_plan
from bot.fleet.playbook import find_playbooks, read_playbook
from bot.fleet.report import CampaignReport, TaskReport, reports_of, write_report
from bot.fleet.run import Result, propose, publish_results
from bot.task.workshop import Progress
from bot.virtual.materialise import fill
from bot.virtual.plugin import VirtualPlugin
from bot.wiring import Wiring


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo has to show."""

    campaigns: tuple[CampaignReport, ...]
    rehearsals: tuple[Rehearsal, ...]
    """The flights in the wind tunnel, in their order."""
    surprises: tuple[str, ...]
    """How tasks ended other than their scenarios expect; empty when all is well."""
    url: str
    """The virtual GitHub."""
    folder: Path

    def as_json(self) -> dict[str, object]:
        """The document of `demo --json`."""
        return {
            "campaigns": self.campaigns,
            "flights": tuple(one.flight for one in self.rehearsals),
            "rehearsals": tuple(_brief(one) for one in self.rehearsals),
            "github": {"url": self.url},
            "dir": str(self.folder),
            "surprises": self.surprises,
        }


def play(
    folder: Path,
    fleet: tuple[VirtualPlugin, ...],
    *,
    jobs: int,
    step: Progress,
    done: Callable[[Result], None],
    flown: Callable[[Rehearsal], None] = lambda rehearsal: None,
) -> Shown:
    """Run all campaigns of the demo in `folder`. A second time in the same folder changes nothing."""
    manifest = Manifest(
        file=folder / "fleet.yaml", plugins=tuple(plugin.entry for plugin in fleet), sandbox="best-effort"
    )
    with Stage(folder, fleet) as stage, Wiring(stage.settings(), manifest) as wiring:
        cast = acts(fleet)
        hangar = Hangar(folder, today=today(wiring.clock))
        plans, rehearsals = [], []
        for planned in [_plan(act, stage, wiring) for act in cast]:
            for rehearsal in hangar.rehearse(planned):
                flown(rehearsal)
                rehearsals.append(rehearsal)
            plans.append(hangar.cleared(planned))
        tasks = [task for planned in plans for task in planned.tasks]
        out = folder / "proposals"
        proposed = propose(tasks, out, wiring.workshop(progress=step), jobs=jobs, done=done)
        known = {planned.playbook.id: planned.playbook for planned in plans}.get
        results = publish_results(proposed, wiring.press(known, hangar.certified(known)), done=done)
        reports = tuple(reports_of(results))
        for report in reports:
            write_report(report, out / report.campaign)
        found = [problem for act, report in zip(cast, reports, strict=True) for problem in _surprises(act, report)]
        found += [problem for one in rehearsals if (problem := unexpected(one))]
        return Shown(
            campaigns=reports,
            rehearsals=tuple(rehearsals),
            surprises=tuple(found),
            url=stage.github.url,
            folder=folder,
        )


def _brief(rehearsal: Rehearsal) -> dict[str, object]:
    """Without the flight, which stands beside it."""
    said = {name: getattr(rehearsal, name) for name in ("campaign", "playbook", "draft", "before", "after")}
    return said | {"verdict": rehearsal.flight.verdict}


def _plan(act: Act, stage: Stage, wiring: Wiring) -> Plan:
    plugin, scenario = act.cast[0]
    report: Report | None = None
    if scenario.report or scenario.issue:
        report = find_report(
            bug=stage.text(plugin, scenario.report) if scenario.report else None,
            issue=str(scenario.issue) if scenario.issue else None,
            file=None,
            plugins=(plugin.name,),
            manifest=wiring.manifest,
            fetch=lambda repo, number: wiring.forge(repo).issue(repo, number),
        )
    return make_plan(
        wiring.manifest,
        read_playbook(find_playbooks(None)[act.playbook]),
        names=act.plugins,
        variables={name: str(value) for name, value in act.variables.items()},
        report=report,
        commit=fill(scenario.commit, stage.commits[plugin.name]) if scenario.commit else None,
    )


def _surprises(act: Act, report: CampaignReport) -> list[str]:
    rows: dict[str, TaskReport] = {task.plugin: task for task in report.tasks}
    found = []
    for plugin, scenario in act.cast:
        row = rows[plugin.name]
        problem = surprise(
            scenario, row.outcome, pull_request=row.pull_request is not None, red_to_green=bool(row.red_before)
        )
        if problem is not None:
            found.append(f"{plugin.name} ({act.playbook}): {problem}: {row.reason}")
    return found
