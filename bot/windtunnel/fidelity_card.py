"""The fidelity card of a virtual plugin: how like it real runs were. It makes a certificate stale by evidence.

Cards lie beside the certificates, `playbooks/certificates/fidelity/<virtual plugin>.json`, to be reviewed in a diff.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from bot.base.errors import ConfigurationError, WorldError
from bot.windtunnel.certificate import Certificate
from bot.windtunnel.envelope import Likeness

FEWEST_RUNS = 3
"""Fewer real runs than this make nothing stale: one odd repository is no evidence."""
WINDOW = 20
"""Only so many of the newest runs count."""
_KEPT = 50


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One real run, as the card keeps it."""

    trace: str
    """Sealed head of its trace: the same run counts once."""
    on: Literal["plugin", "twin"]
    """A plugin of a fleet, or the virtual plugin's own materialised twin."""
    at: str
    """ISO date."""
    plugin: str
    playbook: str
    playbook_hash: str
    model: str
    virtual_hash: str
    """The virtual plugin as it was; a run beside another one says nothing of this."""
    fidelity: float
    rules: int
    """Rules that both could be asked."""
    agreed: int
    """Rules that the trials had let one expect."""
    only_real: tuple[str, ...] = ()
    """What the virtual plugin has to learn."""
    misses: tuple[str, ...] = ()
    """Commands that the virtual plugin had no answer for, where the same agent flew on both."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one virtual plugin."""

    v: int = 1
    virtual_plugin: str
    runs: tuple[Run, ...] = ()
    """Oldest first."""

    def counting(self, certificate: Certificate) -> tuple[Run, ...]:
        """The newest runs that say something of a certificate: its playbook, its model, this virtual plugin."""
        subject = certificate.subject
        wanted = (subject.playbook_hash, subject.model.name, certificate.virtual_plugins.get(self.virtual_plugin))
        found = [run for run in self.runs if (run.playbook_hash, run.model, run.virtual_hash) == wanted]
        return tuple(found[-WINDOW:])

    def with_run(self, run: Run) -> Card:
        """The card with one more run, or as it is when it has that run."""
        if any((old.trace, old.on) == (run.trace, run.on) for old in self.runs):
            return self
        return msgspec.structs.replace(self, runs=(*self.runs, run)[-_KEPT:])


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the counting runs of a card come to."""

    virtual_plugin: str
    runs: int
    fidelity: float
    """Their mean."""
    agreement: float
    """The share of the rules asked that the trials had let one expect."""
    only_real: tuple[str, ...]
    """What real runs do and the virtual plugin does not know, the frequent first."""
    misses: tuple[str, ...]

    def below(self, threshold: float) -> bool:
        """Whether that is too little, and enough runs say so."""
        return self.runs >= FEWEST_RUNS and self.fidelity < threshold


def standing(card: Card, certificate: Certificate) -> Standing | None:
    """How a virtual plugin stands for a certificate; None while no real run counts."""
    runs = card.counting(certificate)
    if not runs:
        return None
    asked = sum(run.rules for run in runs)
    return Standing(
        virtual_plugin=card.virtual_plugin,
        runs=len(runs),
        fidelity=round(statistics.fmean(run.fidelity for run in runs), 4),
        agreement=round(sum(run.agreed for run in runs) / asked, 4) if asked else 1.0,
        only_real=_frequent(step for run in runs for step in dict.fromkeys(run.only_real)),
        misses=_frequent(command for run in runs for command in run.misses),
    )


def standings(folder: Path, certificate: Certificate) -> tuple[Standing, ...]:
    """All virtual plugins of a certificate that real runs were held against, the least like first.

    `folder` is the folder of playbooks. Raises `ConfigurationError` when a card cannot be read.
    """
    cards = (read_card(card_file(folder, name)) for name in sorted(certificate.virtual_plugins))
    found = [one for card in cards if card is not None and (one := standing(card, certificate)) is not None]
    return tuple(sorted(found, key=lambda one: one.fidelity))


def run_of(
    seen: Likeness, certificate: Certificate, *, trace: str, at: str, plugin: str, misses: tuple[str, ...] = ()
) -> Run:
    """What the card keeps of a run on a plugin of a fleet."""
    subject = certificate.subject
    return Run(
        trace=trace,
        on="plugin",
        at=at,
        plugin=plugin,
        playbook=subject.playbook,
        playbook_hash=subject.playbook_hash,
        model=subject.model.name,
        virtual_hash=certificate.virtual_plugins[seen.virtual_plugin],
        fidelity=seen.fidelity,
        rules=len(seen.rules),
        agreed=sum(rule.agree for rule in seen.rules),
        only_real=seen.only_real,
        misses=misses,
    )


def card_file(folder: Path, virtual_plugin: str) -> Path:
    """Where the card of a virtual plugin lies below the folder of playbooks."""
    return folder / "certificates" / "fidelity" / f"{virtual_plugin}.json"


def read_card(file: Path) -> Card | None:
    """A card, or None where there is none. Raises `ConfigurationError` when the file is none."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Card)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        msg = f"{file} is no fidelity card: {error}."
        raise ConfigurationError(msg, "Take it from version control again, or delete it.") from error


def add_run(folder: Path, virtual_plugin: str, run: Run) -> bool:
    """Put a run on its card; whether it was new there. Raises `ConfigurationError`, `WorldError`."""
    file = card_file(folder, virtual_plugin)
    card = read_card(file) or Card(virtual_plugin=virtual_plugin)
    more = card.with_run(run)
    if more is card:
        return False
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(more), indent=2) + b"\n")
        part.replace(file)
    except OSError as error:
        msg = f"{file} cannot be written: {error.strerror}."
        raise WorldError(msg, "Make the folder writable, or use --dry-run.") from error
    return True


def _frequent(words: Iterable[str]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:10])
