"""A finished real run, and the certificate that it ran under."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import msgspec

from bot.base.errors import ConfigurationError
from bot.base.values import Playbook
from bot.expected.document import rules_of
from bot.ports import ModelId
from bot.task.proposal import Proposal
from bot.task.store import TRACE
from bot.trace.reader import read
from bot.windtunnel.certificate import Certificate, certificate_file, read_certificate
from bot.windtunnel.envelope import Likeness, likeness
from bot.windtunnel.fidelity_card import Run, run_of
from bot.windtunnel.subject import subject_of

_LONGEST = 20_000
"""Lines of a trace beyond which nothing is compared: no certified run is nearly as long."""


class RealRun(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal beside its certificate."""

    plugin: str
    campaign: str
    playbook: str
    likeness: Likeness | None
    """None: there is no certificate for it, or it cannot be compared; `reason` says which."""
    reason: str = ""
    run: Run | None = None
    """What the fidelity card of the nearest virtual plugin keeps of it."""


def compare(
    proposal: Proposal,
    folder: Path,
    playbook: Playbook | None,
    playbooks: Path,
    *,
    today: datetime.date,
    model: ModelId | None = None,
) -> RealRun:
    """Hold the run of a proposal in `folder` against the certificate in the folder of `playbooks`.

    `playbook` is the playbook as it is here. `model` stands in for the proposal's own, where its certificate has
    another name for it. Only a certificate that is valid for this very playbook and model counts. Raises `WorldError`
    when the trace cannot be read.
    """
    found, reason = _certificate(proposal, playbook, playbooks, today, model)
    seen: Likeness | None = None
    if found is not None and playbook is not None:
        lines = _lines(folder / TRACE)
        if lines is None:
            reason = f"its trace has more than {_LONGEST:,} lines"
        else:
            seen, reason = _seen(found, playbook, lines)
    kept: Run | None = None
    if found is not None and seen is not None and proposal.trace is not None:
        at = datetime.datetime.fromtimestamp(proposal.sealed_at, datetime.UTC).date().isoformat()
        kept = run_of(seen, found, trace=proposal.trace.head, at=at, plugin=proposal.plugin)
    return RealRun(
        plugin=proposal.plugin,
        campaign=proposal.campaign,
        playbook=proposal.playbook,
        likeness=seen,
        reason=reason,
        run=kept,
    )


def _certificate(
    proposal: Proposal, playbook: Playbook | None, playbooks: Path, today: datetime.date, model: ModelId | None
) -> tuple[Certificate | None, str]:
    if proposal.model is None:
        return None, "a script: there is no agent to compare"
    if playbook is None or playbook.hash != proposal.playbook_hash:
        return None, "the playbook is not here as it was when the run was made"
    try:
        answered = model or msgspec.convert(proposal.model, ModelId)
    except msgspec.ValidationError:
        return None, "the proposal does not say which model answered"
    file = certificate_file(playbooks, playbook.id, answered.name)
    if not file.is_file():
        return None, f"there is no certificate for {playbook.id} with {answered.name}"
    try:
        found = read_certificate(file)
    except ConfigurationError as error:
        return None, error.what
    validity = found.is_valid_for(subject_of(playbook, answered), today=today)
    return (found, "") if validity else (None, f"the certificate does not cover it: {validity.reason}")


def _seen(found: Certificate, playbook: Playbook, lines: list[dict[str, Any]]) -> tuple[Likeness | None, str]:
    variables: dict[str, Any] = next((line["variables"] for line in lines if line["event"] == "run_started"), {})
    try:
        seen = likeness(found, rules_of(playbook, variables), lines)
    except (ValueError, ConfigurationError) as error:
        return None, f"the certificate cannot be compared with: {error}"
    return seen, "" if seen else "the certificate keeps no ways to compare with; fly the playbook again"


def _lines(trace: Path) -> list[dict[str, Any]] | None:
    lines: list[dict[str, Any]] = []
    for line in read(trace):
        if line.body is not None:  # what this version does not know, or what is no event, has no part in it
            lines.append(line.raw)
        if len(lines) > _LONGEST:
            return None
    return lines
