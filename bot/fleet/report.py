"""The report of a campaign: one value, shown as JSON, markdown and HTML."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from bot.base.errors import WorldError
from bot.base.values import GOOD_OUTCOMES, Outcome, Usage
from bot.fleet.run import Result
from bot.task.store import FILE, TRACE
from bot.trace.comment import inert

_ORDER: tuple[Outcome, ...] = ("changed", "no_change", "skipped", "blocked", "failed", "error")


class PullRequestLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pull request is, and what was done to it: created, updated or unchanged."""

    number: int
    url: str
    action: str = ""


class TaskReport(msgspec.Struct, frozen=True, kw_only=True):
    """One row."""

    plugin: str
    outcome: Outcome
    reason: str
    branch: str
    pull_request: PullRequestLink | None
    proposal: str
    """Path of `proposal.json`, absolute."""
    trace: str
    """Path of the execution trace, absolute."""
    usage: Usage
    duration_ms: float = 0.0
    files: tuple[str, ...] = ()
    answer: str | None = None
    red_before: tuple[str, ...] = ()
    """New tests that were red without the fix and are green with it."""


class CampaignReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `report.json` holds."""

    playbook: str
    campaign: str
    tasks: tuple[TaskReport, ...]
    totals: dict[str, int]
    usage: Usage = Usage()

    @property
    def good(self) -> bool:
        """Whether all tasks ended as they should."""
        return all(task.outcome in GOOD_OUTCOMES for task in self.tasks)


def make_report(playbook: str, campaign: str, results: list[Result]) -> CampaignReport:
    """Put the results of a campaign together; publishing, where it happened, has the last word."""
    rows = tuple(_row(result) for result in results)
    usage = Usage()
    for row in rows:
        usage += row.usage
    counted = Counter(row.outcome for row in rows)
    totals: dict[str, int] = {outcome: counted[outcome] for outcome in _ORDER if counted[outcome]}
    return CampaignReport(playbook=playbook, campaign=campaign, tasks=rows, totals=totals, usage=usage)


def reports_of(results: list[Result]) -> list[CampaignReport]:
    """One report per campaign, in the order in which the campaigns first appear."""
    return [make_report(_playbook(group), campaign, group) for campaign, group in _by_campaign(results).items()]


def write_reports(results: list[Result], out: Path) -> None:
    """Write the report of what was published below `out`; of several campaigns one in each one's folder besides."""
    out = out.absolute()
    groups, reports = _by_campaign(results), reports_of(results)
    if len(reports) == 1:
        write_report(reports[0], out)
        return
    for report, group in zip(reports, groups.values(), strict=True):
        # Where it was found, and not where it says that it belongs.
        place = Path(group[0].folder).absolute().parent
        if place != out and place.is_relative_to(out):
            write_report(report, place)
    playbooks = ", ".join(dict.fromkeys(report.playbook for report in reports))
    together = make_report(playbooks, f"{len(reports)} campaigns", results)
    _write(out, _pretty({"campaigns": reports}), "\n".join(map(markdown, reports)), html(together))


def write_report(report: CampaignReport, out: Path) -> None:
    """Write `report.json`, `report.md` and `report.html` into `out`. Raises `WorldError` when the disk is full."""
    _write(out, _pretty(report), markdown(report), html(report))


def markdown(report: CampaignReport) -> str:
    """The report as a table that job summaries and issues show."""
    lines = [f"## {report.playbook} · {report.campaign}", "", _headline(report), ""]
    lines += ["| plugin | outcome | reason | pull request |", "|---|---|---|---|"]
    for task in report.tasks:
        pull = f"[#{task.pull_request.number}]({task.pull_request.url})" if task.pull_request else ""
        lines.append(f"| {inert(task.plugin)} | {task.outcome} | {inert(task.reason)} | {pull} |")
    return "\n".join(lines) + "\n"


def html(report: CampaignReport) -> str:
    """The report as one self-contained page."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("bot.fleet", "templates"), autoescape=True)
    data: dict[str, Any] = msgspec.to_builtins(report)
    return environment.get_template("report.html.j2").render(report=data, headline=_headline(report), order=_ORDER)


def _write(out: Path, data: bytes, text: str, page: str) -> None:
    pages = {"report.json": data, "report.md": text.encode(), "report.html": page.encode()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in pages.items():
            (out / name).write_bytes(content)
    except OSError as error:
        msg = f"The report cannot be written to {out}: {error.strerror or error}."
        raise WorldError(
            msg, "Make room and run the same command again; finished proposals are not made again."
        ) from error


def _pretty(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _by_campaign(results: list[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.proposal.campaign, []).append(result)
    return groups


def _playbook(results: list[Result]) -> str:
    # A proposal that cannot be read does not say.
    return next((result.proposal.playbook for result in results if result.proposal.playbook), "")


def _headline(report: CampaignReport) -> str:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.totals.items()) or "nothing to do"
    usage = report.usage
    cost = f"; {usage.total:,} tokens, ${usage.cost_usd:.4f}" if usage.calls else ""
    return f"{len(report.tasks)} plugins: {counts}{cost}"


def _row(result: Result) -> TaskReport:
    proposal, published = result.proposal, result.published
    pull = published.pull_request if published else None
    folder = Path(result.folder).absolute()
    return TaskReport(
        plugin=proposal.plugin,
        outcome=published.outcome if published else proposal.outcome,
        reason=published.reason if published else proposal.reason,
        branch=proposal.branch,
        pull_request=PullRequestLink(number=pull.number, url=pull.url, action=published.action)
        if pull and published
        else None,
        proposal=str(folder / FILE),
        trace=str(folder / TRACE),
        usage=proposal.usage,
        duration_ms=proposal.duration_ms,
        files=proposal.files,
        answer=proposal.answer,
        red_before=proposal.verification.red_before if proposal.verification else (),
    )
