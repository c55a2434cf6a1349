"""`fleet-bot status`: where a campaign stands, from its reports and, for pull requests, from the forge."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from bot.base.errors import FleetBotError, UsageError
from bot.cli.options import DEFAULT_OUT, Common, common_options
from bot.cli.output import emit_json, people
from bot.fleet.report import make_report
from bot.fleet.run import Result
from bot.settings import forget_secrets
from bot.task import store
from bot.task.proposal import Proposal
from bot.wiring import Wiring


class PluginState(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin of a campaign."""

    plugin: str
    outcome: str
    reason: str
    branch: str
    state: str
    """open, draft, closed or merged: the pull request; none: there is no pull request; unknown: it cannot be seen."""
    url: str | None = None


@click.command()
@click.argument("campaign", required=False)
@common_options
@click.option("--out", type=click.Path(path_type=Path), default=DEFAULT_OUT, metavar="DIR", help="Where proposals are.")
def status(common: Common, campaign: str | None, out: Path) -> int:
    """Show what became of each plugin of the campaigns in `--out`, or of one of them."""
    found = [store.read(folder) for folder in store.find(out)]
    wanted = [proposal for proposal in found if campaign in {None, proposal.campaign}]
    if not wanted:
        known = ", ".join(sorted({proposal.campaign for proposal in found}))
        msg = f"There is no campaign {campaign} in {out}." if campaign else f"There is no proposal below {out}."
        raise UsageError(msg, f"There are: {known}." if known else "Name the folder with --out.")
    with Wiring(common.settings(), common.fleet()) as wiring:
        forget_secrets()
        groups: dict[str, list[PluginState]] = {}
        for proposal in wanted:
            groups.setdefault(proposal.campaign, []).append(_state(proposal, wiring))
    if common.json:
        emit_json({"campaigns": [{"campaign": name, "plugins": rows} for name, rows in groups.items()]})
        return 0
    for name, rows in groups.items():
        _show(name, rows)
    return 0


def _state(proposal: Proposal, wiring: Wiring) -> PluginState:
    state, url = "none", None
    if proposal.branch and not proposal.repo.startswith(("/", "./", "../", "~")):
        try:
            pulls = wiring.forge(proposal.repo).find_pulls(proposal.repo, proposal.branch)
        except FleetBotError:
            pulls, state = (), "unknown"
        if pulls:
            pull = next((one for one in pulls if one.state == "open"), pulls[0])
            state, url = "draft" if pull.state == "open" and pull.draft else pull.state, pull.url
    [row] = make_report(proposal.playbook, proposal.campaign, [Result(proposal=proposal, folder="")]).tasks
    return PluginState(
        plugin=row.plugin, outcome=row.outcome, reason=row.reason, branch=row.branch, state=state, url=url
    )


def _show(campaign: str, rows: list[PluginState]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=campaign, title_justify="left")
    for name in ("plugin", "outcome", "pull request", "where"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(row.plugin, row.outcome, row.state, Text(row.url or row.reason))
    people().print(table)
