"""Certificates filed: what a flight puts beside the playbooks, and what it leaves as it is there."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec

from bot.base.errors import ConfigurationError
from bot.base.values import Playbook
from bot.ports import ModelId
from bot.windtunnel import certificate
from bot.windtunnel.envelope import ways
from bot.windtunnel.plan import Plan
from bot.windtunnel.scenario import Scenario, hashes
from bot.windtunnel.subject import subject_of
from bot.windtunnel.tunnel import Flown
from bot.windtunnel.twins import Pair


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a flight's certificate."""

    file: Path | None
    """None: nothing was filed."""
    wider: Path | None = None
    """The certificate over more scenarios that stayed in its place."""
    differing_twins: tuple[str, ...] = ()
    """Scenarios flown whose materialised twin ends otherwise, by these pairs or by what was filed before."""


def file_certificate(
    playbook: Playbook,
    model: ModelId,
    plan: Plan,
    flown: tuple[Flown, ...],
    pairs: tuple[Pair, ...],
    folder: Path,
    *,
    every: tuple[Scenario, ...],
    today: datetime.date,
) -> Filing:
    """File what a flight has shown below `folder`, the folder of playbooks, whatever its verdict.

    `every` is all that the playbook can be flown on today. A flight over a part of it leaves a certificate over more
    where it is, unless that one is stale; only a twin that differs is noted there.
    """
    # What was recorded of a model is not the model: its own certificate stays as it is.
    named = f"{model.name}.replay" if model.adapter == "replay" else model.name
    file = certificate.certificate_file(folder, playbook.id, named)
    subject = subject_of(playbook, model)
    old = _read(file)
    scenarios = tuple(
        certificate.Scenario(
            name=one.scenario.name,
            virtual_plugin=one.scenario.name,
            attempts=one.attempts,
            ways=ways(trial.way for trial in one.trials if trial.result == "passed"),
        )
        for one in flown
    )
    now = hashes(one.scenario for one in flown)
    differing = _differing(old, subject, now, pairs)
    here = tuple(name for name in differing if name in now)
    if old is not None and _wider(old, subject, now, hashes(every), today):
        _write(file, certificate.with_twins(old, differing), old)
        return Filing(file=None, wider=file, differing_twins=here)
    made = certificate.issue(
        subject,
        plan,
        scenarios,
        now,
        today=today,
        model_versions=tuple(sorted({t.model_version for one in flown for t in one.trials if t.model_version})),
        prior_runs=_prior(old, subject, scenarios),
        differing_twins=here,
    )
    _write(file, made, old)
    return Filing(file=file, differing_twins=here)


def _wider(
    old: certificate.Certificate,
    subject: certificate.Subject,
    now: dict[str, str],
    every: dict[str, str],
    today: datetime.date,
) -> bool:
    narrow = bool(every.keys() - now.keys())
    more = len(old.virtual_plugins) > len(now)
    return narrow and more and not old.stale(subject, today=today, virtual_plugins=every)


def _differing(
    old: certificate.Certificate | None, subject: certificate.Subject, now: dict[str, str], pairs: tuple[Pair, ...]
) -> tuple[str, ...]:
    """Scenarios whose twin differs: of those flown again what they show now, of the others what was seen last."""
    before: set[str] = set()
    if old is not None and _unversioned(old.subject) == _unversioned(subject):
        # A virtual plugin that has changed since is another one.
        before = {name for name in old.differing_twins if now.get(name) in {None, old.virtual_plugins.get(name)}}
    again = {pair.scenario for pair in pairs}
    return tuple(sorted((before - again) | {pair.scenario for pair in pairs if not pair.agree}))


def _unversioned(subject: certificate.Subject) -> certificate.Subject:
    return msgspec.structs.replace(subject, bot_version="")


def _write(file: Path, made: certificate.Certificate, old: certificate.Certificate | None) -> None:
    if old is not None and _claim(old) == _claim(made):
        return  # nothing new was flown: its date stays
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(certificate.render(made), encoding="utf-8")


def _claim(one: certificate.Certificate) -> tuple[object, ...]:
    return one.subject, one.plan, one.scenarios, one.virtual_plugins, one.differing_twins


def _prior(
    old: certificate.Certificate | None, subject: certificate.Subject, scenarios: tuple[certificate.Scenario, ...]
) -> int:
    """How often this very subject was flown before and ended otherwise, not counting what is gone on with here."""
    if old is None or old.subject != subject:
        return 0
    now = {one.name: one.attempts for one in scenarios}
    goes_on = all(now.get(one.name, ())[: len(one.attempts)] == one.attempts for one in old.scenarios)
    return old.prior_runs if goes_on or old.verdict == "CERTIFIED" else old.prior_runs + 1


def _read(file: Path) -> certificate.Certificate | None:
    try:
        return certificate.read_certificate(file) if file.is_file() else None
    except ConfigurationError:
        return None
