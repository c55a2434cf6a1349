"""`plan`, `propose`, `publish` and `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bot.base.errors import ConfigurationError, UsageError
from bot.base.values import Task
from bot.cli.clearance import certified_by, clearance_of, cleared
from bot.cli.hitl import TerminalApprover
from bot.cli.options import DEFAULT_OUT, Common, Selection, common_options, task_options
from bot.cli.output import emit_json, people, show_report
from bot.cli.progress import ProgressDisplay
from bot.cli.publishing import publish_folder, publish_these
from bot.fleet import run as campaign
from bot.fleet.bug_report import find_report
from bot.fleet.keys import missing_key
from bot.fleet.manifest import CampaignBudget
from bot.fleet.plan import Plan, make_plan, matrix, shard
from bot.fleet.report import CampaignReport, make_report, reports_of, write_report, write_reports
from bot.settings import forget_secrets
from bot.trace.inert import counted
from bot.windtunnel.clearance import Clearance
from bot.wiring import Wiring

_budget_option = click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="What all tasks together may cost (campaign.cost_usd of fleet.yaml).",
)


@click.command()
@task_options
@common_options
@click.option("--shards", type=click.IntRange(1, 256), metavar="N", help="Print the matrix for N Actions jobs.")
@click.option("--prompt", is_flag=True, help="Show the rendered prompt of each task.")
def plan(common: Common, selection: Selection, shards: int | None, prompt: bool) -> int:
    """Say what would run where. Nothing is cloned and no model is asked.

    Also says when `run` and `propose` would be refused for want of a certificate; that is an answer, so it ends with 0.
    """
    with Wiring(common.settings(model=False), common.fleet()) as wiring:
        planned = _plan(common, selection, wiring)
        found = clearance_of(common, planned, wiring)
    if common.json or shards:
        emit_json(matrix(planned.tasks, shards) if shards else _as_json(planned, found, prompt=prompt))
        _tell_refusal(found)
        return 0
    console = people()
    console.print(f"{planned.playbook.id} {planned.playbook.version}, campaign {planned.campaign}", markup=False)
    for task in planned.tasks:
        note = f"skipped: {task.skip}" if task.skip else f"{task.plugin.repo} → {task.branch}"
        console.print(f"  {task.plugin.name}: {note}", markup=False)
        if prompt:
            console.print(task.prompt, markup=False)
    _tell_refusal(found)
    return 0


def _tell_refusal(found: Clearance) -> None:
    if found.required and not found.valid:
        people().print(f"It would be refused: {found.reason}. Run `{found.cure}` first.", markup=False, soft_wrap=True)


@click.command()
@task_options
@common_options
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where proposals go.")
@_budget_option
@click.option("--shard", "part", metavar="I/N", help="Only the I-th of N shards of the plan.")
def propose(common: Common, selection: Selection, out: Path, part: str | None, budget: float | None) -> int:
    """Run tasks and write proposals. Needs no write access to any repository."""
    with Wiring(common.settings(), common.fleet()) as wiring:
        planned = cleared(common, _plan(common, selection, wiring), wiring)
        tasks = shard(planned.tasks, part) if part else planned.tasks
        share = len(tasks) / len(planned.tasks) if part and planned.tasks else 1.0
        purse = wiring.budget(cost_usd=budget, share=share)
        results = propose_tasks(wiring, tasks, out, jobs=common.jobs, budget=purse)
    return _end(make_report(planned.playbook.id, planned.campaign, results), out, as_json=common.json)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@common_options
def publish(common: Common, folder: Path) -> int:
    """Publish the proposals below DIR: gate, push, pull request, trace comment. Twice changes nothing."""
    if not folder.is_dir():
        msg = f"{folder} is no folder."
        raise UsageError(msg, "Give the folder that `fleet-bot propose --out` wrote.")
    with Wiring(common.settings(model=False), common.fleet()) as wiring:
        forget_secrets()
        results = publish_folder(wiring, folder, common.known_playbook, certified_by(common, wiring))
    if not results:
        msg = f"There is no proposal below {folder}."
        raise UsageError(msg, "Give the folder that `fleet-bot propose --out` wrote.")
    reports = reports_of(results)
    if common.json:
        emit_json(reports[0] if len(reports) == 1 else {"campaigns": reports})
    else:
        console = people()
        for report in reports:
            show_report(report, console)
    write_reports(results, folder)
    return 0 if all(report.good for report in reports) else 1


@click.command()
@task_options
@common_options
@click.option("--out", type=click.Path(path_type=Path), default=DEFAULT_OUT, metavar="DIR", help="Where proposals go.")
@_budget_option
@click.option("--dry-run", is_flag=True, help="Do everything but publish.")
@click.option("--hitl", is_flag=True, help="Ask before each command or write, and before publishing.")
def run(common: Common, selection: Selection, out: Path, budget: float | None, dry_run: bool, hitl: bool) -> int:
    """Plan, propose and publish in one process."""
    with Wiring(common.settings(), common.fleet()) as wiring:
        approver = TerminalApprover(wiring.stop) if hitl else None
        planned = cleared(common, _plan(common, selection, wiring), wiring)
        if not dry_run:
            _need_token(wiring, planned.tasks)
        jobs = 1 if approver else common.jobs
        purse = wiring.budget(cost_usd=budget)
        results = propose_tasks(wiring, planned.tasks, out, jobs=jobs, approver=approver, budget=purse)
        if not dry_run and _may_publish(results, approver, out):
            known = {planned.playbook.id: planned.playbook}.get
            results = publish_these(wiring, results, known, out, certified_by(common, wiring, known))
    return _end(make_report(planned.playbook.id, planned.campaign, results), out, as_json=common.json)


def _plan(common: Common, selection: Selection, wiring: Wiring) -> Plan:
    manifest = wiring.manifest
    report = find_report(
        bug=selection.bug,
        issue=selection.issue,
        file=selection.error_report,
        plugins=selection.plugins,
        manifest=manifest,
        fetch=lambda repo, number: wiring.forge(repo).issue(repo, number),
    )
    return make_plan(
        manifest,
        common.playbook(selection.playbook),
        names=selection.plugins,
        select=selection.select,
        variables=selection.variables,
        report=report,
        commit=selection.commit,
    )


def _need_token(wiring: Wiring, tasks: tuple[Task, ...]) -> None:
    """Raises `ConfigurationError` before anything is paid for that could not be published in the end."""
    there = [task.plugin.name for task in tasks if not task.plugin.is_path]
    if there and not wiring.settings.may_write:
        msg = f"There is no token to publish with, and {', '.join(there[:3])} live on a forge."
        raise ConfigurationError(msg, "Set GITHUB_TOKEN, or a GitHub App's id and key, or add --dry-run.")


def propose_tasks(
    wiring: Wiring,
    tasks: tuple[Task, ...],
    out: Path,
    *,
    jobs: int,
    approver: TerminalApprover | None = None,
    budget: CampaignBudget | None = None,
) -> list[campaign.Result]:
    """Run tasks, shown as they go. Raises `ConfigurationError` when a model is needed and there is no key."""
    if not wiring.settings.may_ask and any(task.playbook.mode == "agent" for task in tasks):
        raise missing_key()
    forget_secrets()
    with ProgressDisplay(len(tasks), live=approver is None) as display:
        closed = approver.closed if approver else lambda: None
        shop = wiring.workshop(approver=approver, progress=display.step, closed=closed, budget=budget)
        try:
            return campaign.propose(tasks, out.absolute(), shop, jobs=jobs, done=display.done)
        except KeyboardInterrupt:
            kept = f"finished proposals are in {out.absolute()}; run the same command again to go on from there."
            people().print(f"interrupted: {kept}", markup=False)
            raise


def _may_publish(results: list[campaign.Result], approver: TerminalApprover | None, out: Path) -> bool:
    changed = [result for result in results if result.proposal.outcome == "changed"]
    if approver is None or not changed:
        return True
    preview = "\n".join(
        f"{result.proposal.plugin}: {result.proposal.title}\n"
        f"  {counted(len(result.proposal.files), 'file')}, +{result.proposal.added} -{result.proposal.removed}; "
        f"{result.proposal.reason}"
        for result in changed
    )
    allowed = approver.may_publish(f"Publish {len(changed)} proposals?", preview)
    if not allowed:
        folder = out.absolute()
        people().print(f"Nothing was published. It can be done later: fleet-bot publish {folder}", markup=False)
    return allowed


def _end(report: CampaignReport, out: Path, *, as_json: bool) -> int:
    if as_json:
        emit_json(report)
    else:
        console = people()
        show_report(report, console)
        console.print(f"Proposals, traces and report: {out.absolute()}", markup=False)
    # Last: whoever waits has seen how it ended also when there is no room for this.
    write_report(report, out)
    return 0 if report.good else 1


def _as_json(planned: Plan, cleared: Clearance, *, prompt: bool) -> dict[str, Any]:
    return {
        "playbook": planned.playbook.id,
        "campaign": planned.campaign,
        "certificate": cleared,
        "tasks": [
            {"plugin": task.plugin.name, "repo": task.plugin.repo, "branch": task.branch, "skip": task.skip}
            | ({"prompt": task.prompt} if prompt else {})
            for task in planned.tasks
        ],
    }
