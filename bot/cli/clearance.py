"""The certificate of a campaign, looked at before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.base.clock import today
from bot.base.errors import ConfigurationError, RefusedError, UsageError
from bot.base.values import Playbook, Task
from bot.cli.options import Common
from bot.fleet.plan import Plan
from bot.task.proposal import Proposal
from bot.windtunnel.clearance import Clearance, clearance, with_notes
from bot.windtunnel.plan import Plan as FlightPlan
from bot.windtunnel.plan import flight_plan
from bot.windtunnel.real_run import compare
from bot.windtunnel.scenario import find_scenarios, hashes, virtual_fleets
from bot.windtunnel.scripted import identity
from bot.windtunnel.subject import subject_of
from bot.wiring import Wiring


def clearance_of(common: Common, planned: Plan, wiring: Wiring) -> Clearance:
    """What the policy of the fleet says of this campaign."""
    words: list[str] = []
    target = wiring.manifest.certificates.target
    wanted = flight_plan(target) if target is not None else FlightPlan()
    if wanted.target != FlightPlan().target:
        words += ["--target", f"{wanted.target:g}"]
    if wanted.max_trials != FlightPlan().max_trials:
        words += ["--trials", str(wanted.max_trials)]
    if common.model is not None:
        words += ["--model", common.model]
    if common.playbooks is not None:
        words += ["--playbooks", str(common.playbooks)]
    if str(common.manifest) != "fleet.yaml":
        words += ["--manifest", str(common.manifest)]
    return clearance(
        planned,
        subject_of(planned.playbook, identity() if common.scripted else wiring.model_id),
        wiring.manifest.certificates,
        common.certificates,
        today=today(wiring.clock),
        virtual_plugins=_virtual_plugins(common, planned),
        words=tuple(words),
    )


def cleared(common: Common, planned: Plan, wiring: Wiring) -> Plan:
    """The plan, if the fleet's policy lets it start; its pull requests say what it starts without.

    Raises `RefusedError` when a certificate is missing, `UsageError` for the scripted model.
    """
    if common.scripted and planned.playbook.mode == "agent":
        msg = "The scripted model knows the answers on virtual plugins, and none on a real one."
        raise UsageError(msg, "Leave out --model scripted, or fly it with `fleet-bot tunnel`.")
    found = clearance_of(common, planned, wiring)
    found.enforce()
    return with_notes(planned, found.note) if wiring.manifest.certificates.require != "never" else planned


def cleared_tasks(common: Common, tasks: tuple[Task, ...], wiring: Wiring) -> tuple[Task, ...]:
    """The tasks of several campaigns, each of them as `cleared` has it, in their order."""
    notes = {plan.campaign: cleared(common, plan, wiring).tasks[0].notes for plan in _campaigns(common, tasks)}
    return tuple(msgspec.structs.replace(task, notes=notes[task.campaign]) for task in tasks)


def refusals(common: Common, tasks: tuple[Task, ...], wiring: Wiring) -> dict[str, RefusedError]:
    """Which of several campaigns the fleet's policy does not let start, and why; each is looked at by itself."""
    found: dict[str, RefusedError] = {}
    for plan in _campaigns(common, tasks):
        try:
            cleared(common, plan, wiring)
        except RefusedError as error:
            found[plan.campaign] = error
    return found


def certified_by(
    common: Common, wiring: Wiring, known: Callable[[str], Playbook | None] | None = None
) -> Callable[[Proposal, Path], str]:
    """Says whether the run of a proposal stayed inside what was certified; empty without a valid certificate."""
    find = known or common.known_playbook

    def line(proposal: Proposal, folder: Path) -> str:
        found = compare(proposal, folder, find(proposal.playbook), common.certificates, today=today(wiring.clock))
        return found.likeness.line if found.likeness is not None else ""

    return line


def _campaigns(common: Common, tasks: tuple[Task, ...]) -> list[Plan]:
    campaigns: dict[str, list[Task]] = {}
    for task in tasks:
        campaigns.setdefault(task.campaign, []).append(task)
    return [
        Plan(playbook=common.playbook(members[0].playbook.id), campaign=name, tasks=tuple(members))
        for name, members in campaigns.items()
    ]


def _virtual_plugins(common: Common, planned: Plan) -> dict[str, str] | None:
    try:
        return hashes(find_scenarios(planned.playbook, virtual_fleets(common.manifest), scripted=common.scripted))
    except (UsageError, ConfigurationError):
        return None  # nothing that could have changed
