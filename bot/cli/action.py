"""`fleet-bot action`: what `action.yml` starts. Reads the environment once and drives what the command line drives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import msgspec

from bot.base.errors import ConfigurationError, FleetBotError, ForgeError, RefusedError
from bot.base.values import Task
from bot.cli.answering import Answering
from bot.cli.campaign import propose_tasks
from bot.cli.clearance import certified_by, cleared_tasks, refusals
from bot.cli.options import Common
from bot.cli.publishing import publish_folder, publish_these
from bot.fleet.manifest import Manifest
from bot.fleet.plan import matrix, shard
from bot.fleet.playbook import playbooks_beside
from bot.fleet.report import reports_of
from bot.fleet.run import Result
from bot.gha import carrying, ending
from bot.gha.actor import admit
from bot.gha.ending import Ending
from bot.gha.event import Event, read_event, refuse_event
from bot.gha.inputs import Inputs, read_inputs
from bot.gha.pages import PAGES, file_name, write_pages
from bot.gha.places import placed
from bot.gha.plan_file import FILE, Asked, PlanFile, Request, read_plan, write_plan
from bot.gha.planning import planned_task, running, same_tasks, tasks_of
from bot.gha.polling import waiting
from bot.gha.requests import asked_by, requests_of
from bot.gha.runner import Runner
from bot.settings import Settings, forget_secrets
from bot.task import store
from bot.trace.inert import inert
from bot.wiring import Wiring

_DECIDING = ("plan", "run")
_NOTHING = '{"include":[]}'


@click.command(hidden=True)
def action() -> int:
    """Run as a GitHub Action: inputs come from `INPUT_…`, the event and the places to write to from `GITHUB_…`."""
    runner = Runner.of(os.environ)
    try:
        inputs, event = read_inputs(os.environ), read_event(os.environ)
        common = _common(inputs)
        settings = common.settings()
        forget_secrets()
        runner.mask(settings.secrets)
        with runner.quoting():
            end = _quoted(inputs, event, common, settings)
    except FleetBotError as error:
        end = _failed(error)
    runner.annotate(list(end.notes))
    runner.set_outputs(end.outputs)
    runner.summarise(end.summary)
    return end.code


def _common(inputs: Inputs) -> Common:
    return Common(
        manifest=inputs.manifest,
        playbooks=Path(inputs.playbooks) if inputs.playbooks else None,
        model=inputs.model or None,
        jobs=inputs.jobs,
        json=False,
    )


def _quoted(inputs: Inputs, event: Event, common: Common, settings: Settings) -> Ending:
    """The job itself; what goes wrong is told here, where the runner takes it for text."""
    try:
        refuse_event(event, inputs.command)
        try:
            manifest = common.fleet()
        except ConfigurationError as error:
            if inputs.command in _DECIDING:
                _tell_of_the_fleet(inputs, event, settings, error)
            raise
        with Wiring(settings, manifest) as wiring:
            job = _Job(inputs, event, common, wiring)
            commands = {"plan": job.plan, "propose": job.propose, "publish": job.publish, "report": job.report}
            return commands.get(inputs.command, job.run)()
    except FleetBotError as error:
        end = _failed(error)
        for _, _, text in end.notes:
            click.echo(f"error: {text}", err=True)
        return end


def _tell_of_the_fleet(inputs: Inputs, event: Event, settings: Settings, mistake: ConfigurationError) -> None:
    """Answer the issue that asked, if whoever asked may, when not even the fleet can be read."""
    asked = asked_by(inputs, event)
    if asked is None:
        return
    with Wiring(settings, Manifest(file=Path(inputs.manifest))) as wiring:
        try:
            admit(event, wiring.desk, inputs.allowed_bots)
        except FleetBotError as error:
            click.echo(f"The issue is not answered: {error}", err=True)
            return
        Answering(asked, event, wiring).failed(mistake)


def _failed(error: FleetBotError) -> Ending:
    problems = [str(problem) for problem in error.problems] if isinstance(error, ConfigurationError) else []
    text = "\n".join([*problems, str(error)])
    return Ending(code=error.exit_code, notes=(("error", "fleet-bot", text),))


class _Job:
    """One job of a workflow; its commands are methods of the same names."""

    def __init__(self, inputs: Inputs, event: Event, common: Common, wiring: Wiring) -> None:
        self.inputs, self.event, self.wiring, self.manifest = inputs, event, wiring, wiring.manifest
        self.common, self.known = common, common.known_playbook
        self.certified = certified_by(common, wiring)
        self.answering = Answering(asked_by(inputs, event), event, wiring)
        self.playbooks = common.playbooks or playbooks_beside(inputs.manifest)
        self.plan_folder = Path(inputs.plan) if inputs.plan else inputs.out

    def plan(self) -> Ending:
        """Decide what runs, and write it down for the other jobs."""
        plan, tasks = self._decide()
        digest = write_plan(plan, self.plan_folder)
        due = running(tasks)
        table = msgspec.json.encode(matrix(due, self.inputs.shards)).decode() if due else _NOTHING
        lines = [f"- {task.plugin}: {task.skip or task.campaign}" for task in plan.tasks] or ["Nothing is due."]
        for line in lines:
            click.echo(line, err=True)
        campaigns = ", ".join(plan.campaigns)
        refused = "".join(f"- {inert(campaign)}: {inert(why)}\n" for campaign, why in plan.refused.items())
        return Ending(
            outputs={
                "matrix": table,
                "tasks": str(len(due)),
                "campaign": ",".join(plan.campaigns),
                "plan-digest": digest,
            },
            summary=f"{campaigns}: {len(due)} of {len(tasks)} tasks to run.\n{refused}"
            if campaigns
            else "Nothing is due.\n",
            notes=tuple(("warning", campaign, why) for campaign, why in plan.refused.items()),
        )

    def propose(self) -> Ending:
        """Run one shard of the plan."""
        plan = self._plan()
        due = self._cleared(running(same_tasks(plan, self.manifest, self.playbooks)))
        part = shard(due, self.inputs.shard) if self.inputs.shard else due
        results = self._propose(plan, part, share=len(part) / max(1, len(due)))
        write_pages(results, self.inputs.out.with_name(PAGES) / file_name(self.inputs.shard))
        return self._end(results)

    def publish(self) -> Ending:
        """Publish the proposals that were planned."""
        plan = self._plan()
        self._refuse_unplanned(plan)
        self._look_for_artifacts()
        results = publish_folder(self.wiring, self.inputs.out, self.known, self.certified)
        self.answering.ended_polled(plan, ending.complete(plan, reports_of(results)))
        return self._end(results)

    def report(self) -> Ending:
        """Put everything together, and answer the issue that asked."""
        plan = self._plan()
        if self.inputs.published and Path(self.inputs.published).is_dir():
            reports = ending.read_reports(Path(self.inputs.published))
        else:
            reports = reports_of(
                [Result(proposal=store.read(at), folder=str(at)) for at in store.find(self.inputs.out)]
            )
        complete = ending.complete(plan, reports)
        self.answering.ended(plan, complete)
        return ending.of_reports(complete, self.inputs.out)

    def run(self) -> Ending:
        """Everything in one job."""
        plan, tasks = self._decide()
        results = self._propose(plan, self._cleared(running(tasks)))
        if not self.inputs.dry_run:
            results = publish_these(self.wiring, results, self.known, self.inputs.out, self.certified)
        complete = ending.complete(plan, reports_of(results))
        self.answering.ended(plan, complete)
        if not self.inputs.dry_run:
            self.answering.ended_polled(plan, complete)
        return ending.of_reports(complete, self.inputs.out)

    def _decide(self) -> tuple[PlanFile, tuple[Task, ...]]:
        admit(self.event, self.wiring.desk, self.inputs.allowed_bots)
        try:
            return self._planned()
        except FleetBotError as error:
            self.answering.failed(error)
            raise

    def _planned(self) -> tuple[PlanFile, tuple[Task, ...]]:
        wiring, inputs, event = self.wiring, self.inputs, self.event
        requests = requests_of(
            inputs,
            event,
            self.manifest,
            began=self._began,
            fetch=lambda repo, number: wiring.forge(repo).issue(repo, number),
        )
        asked = self.answering.acknowledge()
        found = tuple(self._poll()) if inputs.poll else ()
        self.answering.polled += [one for _, one in found]
        requests += tuple(request for request, _ in found)
        tasks = tasks_of(requests, self.manifest, self.playbooks)
        facts = carrying.facts_of(running(tasks), wiring.forge)
        skips = carrying.exposed(tasks, facts, event, inputs.private_plugins, wiring.desk.facts)
        polled = {tasks_of((request,), self.manifest, self.playbooks)[0].campaign: one for request, one in found}
        tasks = tasks_of(requests, self.manifest, self.playbooks, skips=skips)
        refused = self._refused(tasks, polled)
        going = running(tasks_of(requests, self.manifest, self.playbooks, skips=skips, refused=refused))
        budget = inputs.budget_usd
        each = budget / max(1, len(going)) if budget is not None else None
        tasks = tasks_of(requests, self.manifest, self.playbooks, cost_usd=each, skips=skips, refused=refused)
        repos = {task.plugin.repo for task in going}
        carried = {
            repo: carrying.carry(repo, found, wiring.forge(repo).remote(repo), self.plan_folder, wiring.scratch())
            for repo, found in facts.items()
            if inputs.command == "plan" and found.private and repo in repos
        }
        plan = PlanFile(
            requests=requests,
            tasks=tuple(map(planned_task, tasks)),
            cost_usd=each,
            skips=skips,
            refused=refused,
            carried=carried,
            asked=asked,
            polled={campaign: one for campaign, one in polled.items() if campaign not in refused},
        )
        return plan, tasks

    def _began(self) -> float:
        """When this run was created; it may have waited for others since."""
        event, now = self.event, self.wiring.clock.now()
        if not event.repository or not event.run:
            return now
        try:
            return self.wiring.desk.run_created(event.repository, event.run)
        except ForgeError as error:
            click.echo(f"What is due is reckoned from now (`actions: read`?): {error}", err=True)
            return now

    def _refused(self, tasks: tuple[Task, ...], polled: dict[str, Asked]) -> dict[str, str]:
        """The campaigns that are not cleared, which do not stop the others. Raises `RefusedError` when none is."""
        refused = refusals(self.common, tasks, self.wiring)
        for campaign, error in refused.items():
            if campaign in polled:
                self.answering.refused(polled[campaign], error)
        if refused and refused.keys() >= {task.campaign for task in running(tasks)}:
            raise next(iter(refused.values()))
        return {campaign: str(error) for campaign, error in refused.items()}

    def _poll(self) -> Iterator[tuple[Request, Asked]]:
        def told(text: str) -> None:
            click.echo(text, err=True)

        label, bots, playbook = self.inputs.label, self.inputs.allowed_bots, ""
        desk, voice = self.wiring.desk_of, partial(self.wiring.desk_of, talk=True)
        return waiting(self.manifest, desk, voice, label=label, playbook=playbook, allowed_bots=bots, told=told)

    def _look_for_artifacts(self) -> None:
        """Have the pull requests link the artifacts that hold their traces, and not just the page of this run."""
        event, wiring = self.event, self.wiring
        if not event.run_url or wiring.settings.trace_url != event.run_url:
            return
        try:
            found = wiring.desk.artifacts(event.repository, event.run)
        except FleetBotError as error:
            click.echo(f"Pull requests link the run and not its artifacts (`actions: read`?): {error}", err=True)
            return
        wiring.placed = placed(found, event.run_url, self.inputs.out)

    def _cleared(self, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        """The tasks, if the certificates that the fleet's policy wants are there. Raises `RefusedError`."""
        return cleared_tasks(self.common, tasks, self.wiring)

    def _plan(self) -> PlanFile:
        plan = read_plan(self.plan_folder, self.inputs.plan_digest)
        if plan is None:
            msg = f"There is no {FILE} in {self.plan_folder}."
            raise ConfigurationError(msg, "Run `command: plan` first, or use `command: run`.")
        return plan

    def _propose(self, plan: PlanFile, tasks: tuple[Task, ...], *, share: float = 1.0) -> list[Result]:
        self.wiring.reading = lambda others: carrying.CarriedRepositories(plan.carried, self.plan_folder, others)
        budget = self.wiring.budget(share=share)
        return propose_tasks(self.wiring, tasks, self.inputs.out, jobs=self.inputs.jobs, budget=budget)

    def _refuse_unplanned(self, plan: PlanFile) -> None:
        """A job that was taken over cannot have something published that nobody planned."""
        planned = {(task.campaign, task.plugin, task.repo, task.branch) for task in plan.tasks if task.skip is None}
        for folder in store.find(self.inputs.out):
            found = store.read(folder)
            if (found.campaign, found.plugin, found.repo, found.branch or None) not in planned and found.branch:
                msg = f"The proposal for {found.plugin} on {found.branch} is not in the plan."
                raise RefusedError(msg, "Look at the job that made it before anything is published.")

    def _end(self, results: list[Result]) -> Ending:
        return ending.of_reports(reports_of(results), self.inputs.out)
