"""The certificate of a campaign, looked at before anything runs."""

from __future__ import annotations

import datetime

from bot.base.errors import ConfigurationError, UsageError
from bot.cli.options import Common
from bot.fleet.plan import Plan
from bot.windtunnel.clearance import Clearance, clearance
from bot.windtunnel.scenario import find_scenarios, hashes, virtual_fleets
from bot.windtunnel.subject import subject_of
from bot.wiring import Wiring


def clearance_of(common: Common, planned: Plan, wiring: Wiring) -> Clearance:
    """What the policy of the fleet says of this campaign."""
    words: list[str] = []
    if common.model is not None:
        words += ["--model", common.model]
    if common.playbooks is not None:
        words += ["--playbooks", str(common.playbooks)]
    if str(common.manifest) != "fleet.yaml":
        words += ["--manifest", str(common.manifest)]
    return clearance(
        planned,
        subject_of(planned.playbook, wiring.model_id),
        wiring.manifest.certificates,
        common.certificates,
        today=datetime.datetime.fromtimestamp(wiring.clock.now(), datetime.UTC).date(),
        virtual_plugins=_virtual_plugins(common, planned),
        words=tuple(words),
    )


def _virtual_plugins(common: Common, planned: Plan) -> dict[str, str] | None:
    try:
        return hashes(find_scenarios(planned.playbook, virtual_fleets(common.manifest)))
    except (UsageError, ConfigurationError):
        return None  # nothing that could have changed
