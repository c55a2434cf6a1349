"""The same trial on the materialised twin: a real repository, a real sandbox, real tests, through the real pipeline.

Whether both end alike, and which rules they judge otherwise, is the first check of how true a profile is.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bot.base.values import Task
from bot.expected.check import check
from bot.expected.rules import Verdicts
from bot.fleet.bug_report import commit_in
from bot.ports import Model
from bot.task.pipeline import run_task
from bot.task.proposal import Proposal
from bot.task.store import TRACE, patch_of
from bot.task.workshop import Workshop
from bot.trace.reader import read
from bot.virtual.clock import VirtualClock
from bot.virtual.materialise import commit_ids, history_of
from bot.virtual.plugin import VirtualPlugin
from bot.windtunnel.fidelity import Alignment, align, steps
from bot.windtunnel.judgement import ending_of
from bot.windtunnel.memory import Unguarded
from bot.windtunnel.pilots import Pilot
from bot.windtunnel.scenario import Scenario
from bot.windtunnel.trial import fly

_DECODE = msgspec.json.Decoder(dict[str, Any]).decode


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario flown twice: on the profile, and on its twin."""

    scenario: str
    virtual: str
    """The outcome of the declarative trial."""
    real: str
    """The outcome on the materialised twin."""
    why: str
    """The reason of the latter."""
    differing: tuple[str, ...]
    """Rules that the two are judged otherwise by."""
    rules: int
    """How many rules were asked on both."""
    misses: tuple[str, ...]
    """Commands that the profile had no answer for."""
    alignment: Alignment
    fidelity: float
    """That of the alignment; 0 where they end otherwise, however alike the ways there were."""
    trace: str
    head: str
    """Sealed head of that trace."""

    @property
    def agree(self) -> bool:
        """Whether one can be taken for the other."""
        return self.virtual == self.real and not self.differing


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that is flown on its profile only."""

    scenario: str
    why: str


def why_alone(scenario: Scenario) -> str:
    """Why a scenario cannot be flown on a materialised twin; empty when it can."""
    if scenario.twin is None:
        return "it has none"
    missing = [program for program in scenario.twin.needs if shutil.which(program) is None]
    return f"its tests need {', '.join(missing)}, which is not here" if missing else ""


def fly_pair(scenario: Scenario, seed: int, pilot: Pilot, shop: Workshop, folder: Path) -> Pair | None:
    """Fly both and compare; None where there is no twin, or a program that its tests need is not here.

    `folder` keeps repository, proposal and trace.
    `shop` is a workshop as `bot.wiring` makes it, whose forge knows folders; its model and guards are not used: as in
    every trial nothing is refused.
    """
    twin = scenario.twin
    if twin is None or why_alone(scenario):
        return None
    trial = fly(scenario, seed, pilot)
    proposal, trace = _materialised(scenario, twin, seed, pilot, shop, folder)
    lines = [line.raw for line in read(trace)]
    real = _judged(scenario, twin, proposal, trace.parent, lines)
    broken = {failure.rule for failure in trial.failures}
    theirs = {verdict.id for verdict in real.failed()}
    known = {rule.id for rule in scenario.book.rules} | {rule.id for rule in scenario.book.outcomes}
    alignment = align(steps(map(_DECODE, trial.trace.splitlines())), steps(lines))
    return Pair(
        scenario=scenario.name,
        virtual=trial.outcome,
        real=proposal.outcome,
        why=proposal.reason,
        differing=tuple(sorted((broken & known) ^ (theirs & known))),
        rules=len(known),
        misses=trial.misses,
        alignment=alignment,
        fidelity=alignment.fidelity if trial.outcome == proposal.outcome else 0.0,
        trace=str(trace.absolute()),
        head=proposal.trace.head if proposal.trace else "",
    )


def _materialised(
    scenario: Scenario, twin: VirtualPlugin, seed: int, pilot: Pilot, shop: Workshop, folder: Path
) -> tuple[Proposal, Path]:
    bare = folder / "repository" / f"{twin.entry.repo}.git"
    commits = commit_ids(twin, bare)
    task = _on_path(scenario.task, bare, commits, seed)

    def model(_: Task) -> Model:
        return pilot.model(scenario, seed, VirtualClock(seed))

    mine = dataclasses.replace(shop, model=model, model_id=pilot.identity, guard=lambda task: Unguarded())
    proposal, place = run_task(task, folder / "proposal", mine)
    return proposal, place / TRACE


def _on_path(task: Task, bare: Path, commits: dict[str, str], seed: int) -> Task:
    """The task with the repository of this machine, and the commits that it really has."""
    plugin = msgspec.structs.replace(task.plugin, repo=str(bare))
    report = task.report
    commit = task.commit
    if commit is not None:
        # The declarative scenario names commits by ids of its own; the newest stands in for all of them.
        newest = list(commits.values())[-1]
        commit = newest
        if report is not None and (named := commit_in(report.text)) is not None:
            report = msgspec.structs.replace(report, text=report.text.replace(named, newest), commit=newest)
    return msgspec.structs.replace(task, plugin=plugin, report=report, commit=commit, seed=seed)


def _judged(
    scenario: Scenario, twin: VirtualPlugin, proposal: Proposal, folder: Path, lines: list[dict[str, Any]]
) -> Verdicts:
    base = {path: data for path, (_, data) in history_of(twin)[-1][1].items()}
    patch = patch_of(folder, proposal) if proposal.patch_sha256 else b""
    ending = ending_of(scenario.task.plugin, base, _patched(base, patch))
    return check(scenario.book, lines, ending)


def _patched(base: dict[str, bytes], patch: bytes) -> dict[str, bytes]:
    if not patch:
        return base
    with tempfile.TemporaryDirectory(prefix="fleet-bot-twin-") as place:
        root = Path(place)
        for path, data in base.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=root, input=patch, check=True)
        return {
            file.relative_to(root).as_posix(): file.read_bytes()
            for file in root.rglob("*")
            if file.is_file() and not file.is_symlink()
        }
