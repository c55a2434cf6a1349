"""`plan.json`: what the plan job decided, for the jobs after it. Everything that is asked only once is frozen in it.

The propose jobs make the same tasks from it; the publish job takes nothing that is not in it. It travels as an
artifact, which a job of the same run could replace, so its hash travels as an output, which no later job can.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from bot.base.canonical import sha256
from bot.base.errors import ConfigurationError, RefusedError
from bot.base.values import Report, Scalar
from bot.ports import RepositoryFacts

FILE = "plan.json"
VERSION = 1


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign that is asked for."""

    playbook: str
    plugins: tuple[str, ...] = ()
    select: str | None = None
    variables: dict[str, Scalar] = {}
    report: Report | None = None
    commit: str | None = None


class PlannedTask(msgspec.Struct, frozen=True, kw_only=True):
    """One task, as far as the jobs after the plan have to know it."""

    playbook: str
    campaign: str
    plugin: str
    repo: str
    branch: str
    skip: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The issue that asked, and gets the answer."""

    repo: str
    number: int
    note: str = ""
    """What people who read the answer should know, such as that the text was edited meanwhile."""
    event: int = 0
    """Which setting of the label it is; 0: not known."""


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """A private repository that the plan job fetched, so that no propose job needs a token for it."""

    facts: RepositoryFacts
    bundle: str
    """File name beside `plan.json`."""


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """What `plan.json` holds."""

    version: int = VERSION
    requests: tuple[Request, ...] = ()
    tasks: tuple[PlannedTask, ...] = ()
    cost_usd: float | None = None
    """What each task may cost, where the campaign has a budget."""
    skips: dict[str, str] = {}
    """Plugin → why it is left out, besides what the manifest says."""
    refused: dict[str, str] = {}
    """Campaign → why the policy of the fleet does not let it start."""
    carried: dict[str, Carried] = {}
    """By `repo` of the manifest."""
    asked: Asked | None = None
    polled: dict[str, Asked] = {}
    """Campaign -> the issue of a plugin that asked for it and was found by polling."""

    @property
    def campaigns(self) -> tuple[str, ...]:
        """The campaigns' names, in order."""
        return tuple(dict.fromkeys(task.campaign for task in self.tasks))


def write_plan(plan: PlanFile, folder: Path) -> str:
    """Write it; returns its hash."""
    folder.mkdir(parents=True, exist_ok=True)
    data = msgspec.json.format(msgspec.json.encode(plan), indent=2)
    (folder / FILE).write_bytes(data)
    return sha256(data)


def read_plan(folder: Path, digest: str) -> PlanFile | None:
    """The plan in a folder, or None when there is none and none is expected.

    `digest` is what `write_plan` returned, or empty. Raises `RefusedError` when it is another plan,
    `ConfigurationError` when it cannot be read.
    """
    try:
        data = (folder / FILE).read_bytes()
    except FileNotFoundError:
        if digest:
            raise ConfigurationError(f"There is no {FILE} in {folder}.", "Download the plan job's artifact.") from None
        return None
    if digest and sha256(data) != digest:
        raise RefusedError("The plan is not the one that the plan job made.", "Run the workflow again.")
    try:
        return msgspec.json.decode(data, type=PlanFile)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{folder / FILE} cannot be read.", "Plan and run with the same version.") from error
