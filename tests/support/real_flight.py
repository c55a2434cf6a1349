"""A materialised virtual plugin under a whole real run, with an agent that does what a test says: real git, sandbox,
guard, verification, seal, gate and publisher; only the model is a script.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
from agents import calls, says
from replaying import replays

from bot.base.values import Task
from bot.fleet.bug_report import find_report
from bot.fleet.manifest import Manifest
from bot.fleet.plan import make_plan
from bot.fleet.playbook import find_playbooks, read_playbook
from bot.models.scripted import ScriptedModel
from bot.ports import ModelId
from bot.publish.publisher import Published, publish
from bot.settings import Settings
from bot.task.pipeline import run_task
from bot.task.proposal import Proposal
from bot.task.store import TRACE
from bot.virtual.materialise import commit_ids, fill
from bot.virtual.plugin import VirtualPlugin
from bot.wiring import Wiring

Call = tuple[str, dict[str, Any]]


class Flight(msgspec.Struct, frozen=True):
    """How it ended."""

    proposal: Proposal
    published: Published
    events: list[dict[str, Any]]
    branches: list[str]

    @property
    def refused(self) -> set[str]:
        """The rules that the guard refused something by."""
        return {event["rule"] for event in self.events if event["event"] == "guard_refused"}

    @property
    def landed(self) -> bool:
        """Whether anything of it reached the repository."""
        return any(branch != self.proposal.base_branch for branch in self.branches)


def fly(plugin: VirtualPlugin, folder: Path, *steps: list[Call], playbook: str = "fix_bug") -> Flight:
    """Let the agent take these steps, one turn each, on the plugin's scenario of the playbook; then publish."""
    bare = folder / "repository.git"
    commits = commit_ids(plugin, bare)
    entry = msgspec.structs.replace(plugin.entry, repo=str(bare))
    manifest = Manifest(file=folder / "fleet.yaml", plugins=(entry,))
    book = read_playbook(find_playbooks(None)[playbook])
    with Wiring(Settings(), manifest) as wiring:
        task = _task(plugin, manifest, commits, playbook)
        model = ScriptedModel([*(calls(*step) for step in steps), says("I fixed it, and all tests pass.")])
        shop = dataclasses.replace(
            wiring.workshop(), model=lambda _: model, model_id=ModelId(adapter="scripted", name="agent")
        )
        proposal, place = run_task(task, folder / "out" / plugin.name, shop)
        published = publish(place, wiring.press({book.id: book}.get))
    assert replays(place), f"the trace in {place} does not replay to the same end"
    lines = (place / TRACE).read_text(encoding="utf-8").splitlines()
    told = ["git", f"--git-dir={bare}", "for-each-ref", "--format=%(refname)", "refs/heads"]
    heads = subprocess.run(told, capture_output=True, text=True, check=True).stdout.split()
    branches = [head.removeprefix("refs/heads/") for head in heads]
    return Flight(proposal, published, [json.loads(line) for line in lines], branches)


def _task(plugin: VirtualPlugin, manifest: Manifest, commits: dict[str, str], playbook: str) -> Task:
    scenario = next(one for one in plugin.scenarios if one.playbook == playbook)
    issue = next((one for one in plugin.issues if one.number == scenario.issue), None)
    text = (plugin.folder / scenario.report).read_text(encoding="utf-8") if scenario.report else None
    if issue is not None:
        text = f"{issue.title}\n\n{issue.body}"
    report = find_report(
        bug=fill(text, commits) if text else None,
        issue=None,
        file=None,
        plugins=(plugin.name,),
        manifest=manifest,
        fetch=_never,
    )
    variables = {name: str(value) for name, value in scenario.variables.items()}
    planned = make_plan(
        manifest,
        read_playbook(find_playbooks(None)[playbook]),
        names=(plugin.name,),
        variables=variables,
        report=None if report is None else msgspec.structs.replace(report, commit=None),
    )
    return planned.tasks[0]


def _never(repo: str, number: int) -> Any:
    raise AssertionError(repo, number)
