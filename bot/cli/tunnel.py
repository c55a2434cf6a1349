"""`fleet-bot tunnel`: fly a playbook on virtual plugins until it is known whether it may touch real ones."""

from __future__ import annotations

from pathlib import Path

import click

from bot.base.clock import today
from bot.base.errors import UsageError
from bot.base.redact import Redactor
from bot.base.values import Playbook
from bot.cli.flights import FlightDisplay, show_comparison, show_flight
from bot.cli.options import DEFAULT_OUT, Common, common_options
from bot.cli.output import emit_json, people
from bot.fleet.keys import missing_key
from bot.fleet.manifest import Manifest
from bot.settings import forget_secrets
from bot.task.workshop import Workshop
from bot.windtunnel.compare import Side, compare, in_common
from bot.windtunnel.flight import Airfield, fly_playbook
from bot.windtunnel.forecast import Forecast, PairsForecast, forecast, forecast_pairs, told, told_pairs
from bot.windtunnel.pilots import LivePilot, Pilot, ReplayPilot, ScriptedPilot
from bot.windtunnel.plan import MOST_TRIALS, Plan
from bot.windtunnel.recordings import recordings
from bot.windtunnel.scenario import Scenario, find_scenarios, virtual_fleets
from bot.wiring import Wiring

_REPLAY = "replay:"
_PAIRS = 40
"""Seeds that two playbooks are compared on."""


@click.command()
@click.argument("playbook", metavar="PLAYBOOK")
@click.option("--virtual", "names", multiple=True, metavar="NAME", help="Only on this virtual plugin; repeatable.")
@click.option("--trials", type=click.IntRange(1, MOST_TRIALS), metavar="N", help="At most N trials a scenario (200).")
@click.option("--target", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95, metavar="P")
@click.option("--against", metavar="PLAYBOOK", help="Compare with another playbook, on the same scenarios and seeds.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Attempts, traces and reports.")
@click.option("--twins", is_flag=True, help="Also fly each scenario once on its materialised twin, and compare.")
@click.option("--dry-run", is_flag=True, help="Only say what it will cost and can prove.")
@common_options
def tunnel(
    common: Common,
    playbook: str,
    names: tuple[str, ...],
    trials: int | None,
    target: float,
    against: str | None,
    out: Path | None,
    twins: bool,
    dry_run: bool,
) -> int:
    """Fly a playbook in the wind tunnel; writes its certificate. Exit code 1 when it is not CERTIFIED.

    --model scripted flies the answers that lie beside the virtual plugins (no key, and no word about a real model),
    --model replay:TRACE what a recorded run said, or replay:DIR those below a folder, each on the virtual plugin of its
    name; anything else is the name of a model.
    """
    flown = common.playbook(playbook)
    if flown.mode != "agent":
        msg = f"The playbook {flown.id} is a script: there is no agent to fly."
        raise UsageError(msg, "Scripts need no certificate; try one with `fleet-bot run --dry-run`.")
    plan = Plan(target=target, max_trials=trials or Plan().max_trials)
    with Wiring(common.settings(), _fleet(common)) as wiring:
        scripted = common.scripted
        folders = virtual_fleets(common.manifest)
        scenarios = find_scenarios(flown, folders, names, scripted=scripted)
        every = find_scenarios(flown, folders, scripted=scripted) if names else scenarios
        console = people()
        known = _recorded(common, scenarios)
        if known is not None:
            left = [one.name for one in scenarios if one.name not in known]
            scenarios = tuple(one for one in scenarios if one.name in known)
            if left:
                console.print(f"Nothing was recorded on {', '.join(left)}: left out.", markup=False)
        pilot = ReplayPilot(known) if known is not None else _pilot(common, wiring, dry_run=dry_run)
        sides = _sides(common, (flown, scenarios), against, names, scripted=scripted) if against is not None else None
        seen, lines = _foreseen(plan, scenarios, sides, pilot, trials or _PAIRS)
        for line in lines:
            console.print(line, markup=False)
        if dry_run:
            if common.json:
                emit_json(seen)
            return 0
        forget_secrets()
        redactor: Redactor = wiring.redactor
        field = Airfield(
            pilot=pilot,
            plan=plan,
            out=(out or DEFAULT_OUT / "tunnel").absolute(),
            certificates=common.certificates,
            today=today(wiring.clock),
            jobs=common.jobs,
            plugins=len(wiring.manifest.plugins),
            redactor=redactor,
        )
        if sides is not None:
            return _compare(common, sides, field, trials or _PAIRS)
        return _fly(common, flown, (scenarios, every), field, wiring.workshop() if twins else None)


def _fly(
    common: Common,
    playbook: Playbook,
    chosen: tuple[tuple[Scenario, ...], tuple[Scenario, ...]],
    field: Airfield,
    shop: Workshop | None,
) -> int:
    """`chosen`: the scenarios that are flown, and all that there are."""
    with FlightDisplay(field.plan) as display:
        field = _watched(field, display)
        report = fly_playbook(playbook, chosen[0], field, every=chosen[1], shop=shop)
    if common.json:
        emit_json(report)
    else:
        show_flight(report, people())
    return 0 if report.certified else 1


def _sides(common: Common, one: Side, against: str, names: tuple[str, ...], *, scripted: bool) -> tuple[Side, Side]:
    """What is compared: `one`, and the playbook `against` on the same scenarios."""
    other = common.playbook(against)
    return in_common(one, (other, find_scenarios(other, virtual_fleets(common.manifest), names, scripted=scripted)))


def _foreseen(
    plan: Plan, scenarios: tuple[Scenario, ...], sides: tuple[Side, Side] | None, pilot: Pilot, pairs: int
) -> tuple[Forecast | PairsForecast, list[str]]:
    """What will be flown, for machines and in words."""
    if sides is None:
        seen = forecast(plan, scenarios, pilot.identity)
        return seen, told(seen, plan)
    both = forecast_pairs(sides[0][1], sides[1][1], pairs, pilot.identity)
    return both, told_pairs(both)


def _compare(common: Common, sides: tuple[Side, Side], field: Airfield, seeds: int) -> int:
    with FlightDisplay(field.plan) as display:
        found = compare(*sides, _watched(field, display), seeds=seeds)
    if common.json:
        emit_json(found)
    else:
        show_comparison(found, people())
    return 0


def _watched(field: Airfield, display: FlightDisplay) -> Airfield:
    import dataclasses

    return dataclasses.replace(field, landed=display.landed)


def _fleet(common: Common) -> Manifest:
    """The fleet, which gives its size and its policy; one can fly without having one."""
    return common.fleet() if common.manifest.exists() else Manifest(file=common.manifest)


def _recorded(common: Common, scenarios: tuple[Scenario, ...]) -> dict[str, tuple[Path, ...]] | None:
    """The recorded runs of each scenario, where such runs are to fly; None for any other model."""
    name = common.model or ""
    return recordings(Path(name.removeprefix(_REPLAY)), scenarios) if name.startswith(_REPLAY) else None


def _pilot(common: Common, wiring: Wiring, *, dry_run: bool) -> Pilot:
    if common.scripted:
        return ScriptedPilot()
    if wiring.settings.api_key is None and not dry_run:
        raise missing_key()
    return LivePilot(wiring.model, wiring.model_id, wiring.clock)
