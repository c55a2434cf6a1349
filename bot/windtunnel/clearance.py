"""Whether a campaign may touch real plugins: the certificate that it needs, and what to do when there is none."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bot.base.errors import ConfigurationError, RefusedError
from bot.fleet.manifest import CertificatePolicy
from bot.fleet.plan import Plan
from bot.windtunnel.certificate import Subject, certificate_file, read_certificate
from bot.windtunnel.fidelity_card import standings


class Clearance(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say before a campaign starts."""

    required: bool
    valid: bool
    reason: str
    """Why it is not valid; empty when it is, or when no model flies."""
    certificate: str | None
    """The file, where there is one."""
    cure: str
    """The command that flies the playbook."""
    learn: bool = False
    """Whether the virtual plugins have to be made more like the real ones first."""
    not_flown: tuple[str, ...] = ()
    """Scenarios that there are and that a valid certificate does not speak of."""

    def enforce(self) -> None:
        """Raises `RefusedError` when a certificate is needed and there is no valid one."""
        if self.required and not self.valid:
            msg = f"The playbook is not cleared for several plugins: {self.reason}."
            run = "Teach the virtual plugin what `fleet-bot fidelity` lists, then run" if self.learn else "Run"
            raise RefusedError(msg, f"{run} `{self.cure}` first; see docs/wind-tunnel.md for the policy in fleet.yaml.")

    @property
    def note(self) -> str:
        """A line for the pull requests of a campaign that may go ahead without; empty when there is nothing to say."""
        if self.not_flown:
            return f"The certificate of the wind tunnel does not speak of {', '.join(self.not_flown)}: not flown."
        return f"No valid certificate of the wind tunnel: {self.reason}." if self.reason and not self.valid else ""


def clearance(
    planned: Plan,
    subject: Subject,
    policy: CertificatePolicy,
    folder: Path,
    *,
    today: datetime.date,
    virtual_plugins: Mapping[str, str] | None = None,
    words: tuple[str, ...] = (),
) -> Clearance:
    """Look for the certificate of a campaign.

    `folder` is the folder of playbooks, `virtual_plugins` the hashes of what can be flown today, and `words` what the
    command that flies has to say besides the playbook's id.
    """
    playbook = planned.playbook
    cure = shlex.join(["fleet-bot", "tunnel", playbook.id, *words])
    if playbook.mode != "agent":
        return Clearance(required=False, valid=True, reason="", certificate=None, cure=cure)
    starting = sum(task.skip is None for task in planned.tasks)
    required = policy.require == "always" or (policy.require == "fleet" and starting > 1)
    file = certificate_file(folder, playbook.id, subject.model.name)
    reason = _why_not(file, subject, policy, today, virtual_plugins)
    unlike = _unlike(file, folder, policy) if not reason else ""
    valid = not reason and not unlike
    flown = read_certificate(file).virtual_plugins if valid else {}
    return Clearance(
        required=required,
        valid=valid,
        not_flown=tuple(sorted((virtual_plugins or {}).keys() - flown.keys())) if valid else (),
        reason=reason or unlike,
        certificate=str(file.absolute()) if file.is_file() else None,
        cure=cure,
        learn=bool(unlike),
    )


def _unlike(file: Path, folder: Path, policy: CertificatePolicy) -> str:
    """Why real runs have made a certificate stale; empty when they have not."""
    try:
        least = next((one for one in standings(folder, read_certificate(file)) if one.below(policy.fidelity)), None)
    except ConfigurationError as error:
        return error.what.rstrip(".")
    if least is None:
        return ""
    return (
        f"the certificate is stale, because {least.runs} real runs were too unlike its trials on "
        f"{least.virtual_plugin} (fidelity {least.fidelity:.2f}, at least {policy.fidelity:g} is asked for)"
    )


def _why_not(
    file: Path,
    subject: Subject,
    policy: CertificatePolicy,
    today: datetime.date,
    virtual_plugins: Mapping[str, str] | None,
) -> str:
    if not file.is_file():
        return f"there is no certificate for {subject.playbook} with {subject.model.name}"
    try:
        found = read_certificate(file)
    except ConfigurationError as error:
        return f"the certificate cannot be read ({error.what})"
    validity = found.is_valid_for(subject, today=today, virtual_plugins=virtual_plugins or None, target=policy.target)
    return f"the certificate does not cover this: {validity.reason}" if not validity else ""


def with_notes(planned: Plan, note: str) -> Plan:
    """The plan with a line for each pull request."""
    if not note:
        return planned
    tasks = tuple(msgspec.structs.replace(task, notes=(*task.notes, note)) for task in planned.tasks)
    return msgspec.structs.replace(planned, tasks=tasks)
