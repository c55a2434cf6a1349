"""What a job says when it ends: the rows of all campaigns, the summary, the annotations, the outputs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from bot.base.errors import ConfigurationError
from bot.base.values import GOOD_OUTCOMES, Outcome, Usage
from bot.fleet.report import CampaignReport, TaskReport, markdown, write_report
from bot.gha.plan_file import PlanFile, PlannedTask
from bot.trace.inert import inert

Note = tuple[Literal["error", "warning", "notice"], str, str]
_LOST = "The job that had to run it did not end, or its artifact is missing."

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended."""

    code: int = 0
    outputs: dict[str, str] = {}
    summary: str = ""
    """Inert markdown."""
    notes: tuple[Note, ...] = ()


def of_reports(reports: list[CampaignReport], out: Path) -> Ending:
    """The end of a job that ran or published tasks; writes the reports into `out`."""
    place = write_reports(reports, out)
    rows = [row for report in reports for row in report.tasks]
    bad = [row for row in rows if row.outcome not in GOOD_OUTCOMES]
    usage = sum((report.usage for report in reports), Usage())
    pulls = [row.pull_request.url for row in rows if row.pull_request is not None]
    return Ending(
        code=1 if bad else 0,
        outputs={
            "report": str(place),
            "proposals": str(out.absolute()),
            "changed": str(sum(row.outcome == "changed" for row in rows)),
            "pull-requests": msgspec.json.encode(pulls).decode(),
            "failed": str(len(bad)),
            "cost": f"{usage.cost_usd:.4f}",
            "campaign": ",".join(report.campaign for report in reports),
        },
        summary="\n".join(map(markdown, reports)) or "Nothing was due.\n",
        notes=tuple(_note(row) for row in bad),
    )


def write_reports(reports: list[CampaignReport], out: Path) -> Path:
    """Write `report.json` and its fellows: one into `out`, several each into its campaign's folder below.

    What a campaign is called may have come from a proposal, so it is only taken as a folder's name when it is one.
    """
    if len(reports) == 1:
        write_report(reports[0], out)
    for number, report in enumerate(reports if len(reports) > 1 else (), 1):
        write_report(report, out / (report.campaign if _NAME.fullmatch(report.campaign) else f"campaign-{number}"))
    return (out / "report.json").absolute() if len(reports) == 1 else out.absolute()


def read_reports(folder: Path) -> list[CampaignReport]:
    """All reports below a folder. Raises `ConfigurationError` when one cannot be read."""
    try:
        found: dict[str, CampaignReport] = {}
        for file in sorted(folder.rglob("report.json")):
            data = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
            # What was published of several campaigns has a report of all beside one for each.
            for part in data.get("campaigns", [data]):
                report = msgspec.convert(part, CampaignReport)
                found[report.campaign] = report
        return list(found.values())
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"A report below {folder} cannot be read.", "Use one version in all jobs.") from error


def complete(plan: PlanFile, reports: Iterable[CampaignReport]) -> list[CampaignReport]:
    """The reports of a plan's campaigns, with a row for every task: those that were left out or got lost too."""
    rows = {(report.campaign, row.plugin): row for report in reports for row in report.tasks}
    found = []
    for campaign in plan.campaigns:
        planned = [task for task in plan.tasks if task.campaign == campaign]
        mine = tuple(
            rows.get((campaign, task.plugin)) or _missing(task, refused=task.skip == plan.refused.get(campaign))
            for task in planned
        )
        counted: Counter[str] = Counter(row.outcome for row in mine)
        found.append(
            CampaignReport(
                playbook=planned[0].playbook,
                campaign=campaign,
                tasks=mine,
                totals=dict(counted),
                usage=sum((row.usage for row in mine), Usage()),
            )
        )
    return found


def answer(plan: PlanFile, reports: list[CampaignReport], run_url: str) -> str:
    """The status comment under the issue that asked. Inert, but for our own links."""
    lines = []
    for row in (row for report in reports for row in report.tasks):
        if row.pull_request is not None:
            lines.append(f"{inert(row.plugin)}: pull request {row.pull_request.url} ({row.outcome}).")
        else:
            lines.append(f"{inert(row.plugin)}: **{row.outcome}**. {inert(row.reason)}")
    lines += [inert(plan.asked.note)] if plan.asked and plan.asked.note else []
    lines += [f"[Traces and report of the run]({run_url}#artifacts)"] if run_url else []
    return "\n\n".join(lines or ["Nothing was to be done."])


def _missing(task: PlannedTask, *, refused: bool) -> TaskReport:
    outcome: Outcome = "error"
    reason = _LOST
    if task.skip is not None:
        outcome, reason = ("blocked", task.skip) if refused else ("skipped", f"Left out: {task.skip}.")
    return TaskReport(
        plugin=task.plugin,
        outcome=outcome,
        reason=reason,
        branch=task.branch,
        pull_request=None,
        proposal="",
        trace="",
        usage=Usage(),
    )


def _note(row: TaskReport) -> Note:
    return ("warning" if row.outcome == "blocked" else "error", f"{row.plugin}: {row.outcome}", row.reason)
