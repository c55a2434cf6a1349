"""`fleet-bot fidelity`: how like its certified trials the real runs were; keeps it on the cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from bot.base.clock import SystemClock, today
from bot.base.errors import UsageError
from bot.cli.options import DEFAULT_OUT, Common, common_options
from bot.cli.output import emit_json, people
from bot.fleet.manifest import CertificatePolicy
from bot.task import store
from bot.windtunnel.certificate import read_certificate
from bot.windtunnel.fidelity_card import FEWEST_RUNS, Standing, add_run, standings
from bot.windtunnel.real_run import RealRun, compare

if TYPE_CHECKING:
    from rich.console import Console


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    runs: tuple[RealRun, ...]
    recorded: int
    """Runs that are new on a card."""
    standings: dict[str, tuple[Standing, ...]]
    """Certificate → its virtual plugins, the least like first."""
    stale: tuple[str, ...]
    """Certificates that real runs have made stale."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="[DIR]", default=DEFAULT_OUT)
@click.option("--dry-run", is_flag=True, help="Write no card.")
@common_options
def fidelity(common: Common, folder: Path, dry_run: bool) -> int:
    """Hold the runs of the proposals below DIR against the trials of the certificate that they ran under.

    Says for each how like it was, what it did that no certified run did, and which rules it broke; keeps that on the
    fidelity cards beside the certificates. Exit code 1 when a certificate is stale by it.
    """
    places = store.find(folder)
    if not places:
        msg = f"There is no proposal below {folder}."
        raise UsageError(msg, "Give the folder that `fleet-bot propose --out` or `run --out` wrote.")
    policy = common.fleet().certificates if common.manifest.exists() else CertificatePolicy()
    date = today(SystemClock())
    runs: list[RealRun] = []
    recorded = 0
    for place in places:
        proposal = store.read(place)
        one = compare(proposal, place, common.known_playbook(proposal.playbook), common.certificates, today=date)
        runs.append(one)
        if one.run is not None and one.likeness is not None and not dry_run:
            recorded += add_run(common.certificates, one.likeness.virtual_plugin, one.run)
    found = _found(common, policy, tuple(runs), recorded)
    if common.json:
        emit_json(found)
    else:
        _show(found, policy, people())
    return 1 if found.stale else 0


def _found(common: Common, policy: CertificatePolicy, runs: tuple[RealRun, ...], recorded: int) -> Found:
    folder = common.certificates / "certificates"
    stand = {}
    for file in sorted(folder.glob("*.json")):
        if rows := standings(common.certificates, read_certificate(file)):
            stand[file.stem] = rows
    stale = tuple(name for name, rows in stand.items() if any(row.below(policy.fidelity) for row in rows))
    return Found(runs=runs, recorded=recorded, standings=stand, stale=stale)


def _show(found: Found, policy: CertificatePolicy, console: Console) -> None:
    for one in found.runs:
        said = one.likeness.line if one.likeness is not None else f"not compared: {one.reason}"
        console.print(f"  {one.plugin} ({one.campaign}): {said}", markup=False)
        if one.likeness is not None and one.likeness.only_real:
            console.print(f"    only the real run: {', '.join(one.likeness.only_real)}", style="dim", markup=False)
        for rule in one.likeness.rules if one.likeness is not None else ():
            if not rule.agree:
                kept = f"{rule.real}, and {rule.virtual:.0%} of the trials kept it"
                console.print(f"    {rule.rule}: {kept}", style="yellow", markup=False)
    for name, rows in found.standings.items():
        console.print(name, markup=False, style="bold")
        for row in rows:
            few = f", too few to count (under {FEWEST_RUNS})" if row.runs < FEWEST_RUNS else ""
            low = row.below(policy.fidelity)
            told = f"  {row.virtual_plugin}: fidelity {row.fidelity:.2f} over {row.runs} real runs{few}"
            agreed = f", rules agree {row.agreement:.0%}"
            console.print(told + agreed + (", STALE" if low else ""), markup=False, style="red" if low else "default")
            if row.only_real:
                console.print(f"    has to learn: {', '.join(row.only_real)}", style="dim", markup=False)
            if row.misses:
                console.print(f"    has no answer for: {', '.join(row.misses)}", style="dim", markup=False)
    console.print(f"{found.recorded} new on the fidelity cards.", markup=False)
