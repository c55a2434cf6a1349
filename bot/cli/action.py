"""`fleet-bot action`: what `action.yml` starts. Reads the environment once and drives what the command line drives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import msgspec

from bot.base.errors import ConfigurationError, FleetBotError, ForgeError, RefusedError, UsageError
from bot.base.values import Task
from bot.cli.campaign import propose_tasks
from bot.cli.clearance import certified_by, cleared_tasks
from bot.cli.options import Common
from bot.cli.publishing import publish_folder, publish_these
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
from bot.gha.polling import mark, waiting
from bot.gha.requests import requests_of
from bot.gha.runner import Runner
from bot.settings import Settings, forget_secrets
from bot.task import store
from bot.wiring import Wiring

_MARK = "<!-- fleet-bot:status -->"
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
        with Wiring(settings, common.fleet()) as wiring:
            job = _Job(inputs, event, common, wiring)
            commands = {"plan": job.plan, "propose": job.propose, "publish": job.publish, "report": job.report}
            return commands.get(inputs.command, job.run)()
    except FleetBotError as error:
        end = _failed(error)
        for _, _, text in end.notes:
            click.echo(f"error: {text}", err=True)
        return end


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
        return Ending(
            outputs={
                "matrix": table,
                "tasks": str(len(due)),
                "campaign": ",".join(plan.campaigns),
                "plan-digest": digest,
            },
            summary=f"{campaigns}: {len(due)} of {len(tasks)} tasks to run.\n" if campaigns else "Nothing is due.\n",
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
        self._answer_polled(plan, results)
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
        self._answer(plan, ending.answer(plan, complete, self.event.run_url))
        return ending.of_reports(complete, self.inputs.out)

    def run(self) -> Ending:
        """Everything in one job."""
        plan, tasks = self._decide()
        results = self._propose(plan, running(tasks))
        if not self.inputs.dry_run:
            results = publish_these(self.wiring, results, self.known, self.inputs.out, self.certified)
        complete = ending.complete(plan, reports_of(results))
        self._answer(plan, ending.answer(plan, complete, self.event.run_url))
        if not self.inputs.dry_run:
            self._answer_polled(plan, results)
        return ending.of_reports(complete, self.inputs.out)

    def _decide(self) -> tuple[PlanFile, tuple[Task, ...]]:
        wiring, inputs, event = self.wiring, self.inputs, self.event
        admit(event, wiring.desk, inputs.allowed_bots)
        try:
            requests = requests_of(
                inputs,
                event,
                self.manifest,
                now=wiring.clock.now(),
                fetch=lambda repo, number: wiring.forge(repo).issue(repo, number),
            )
            asked = self._acknowledge() if requests else None
            found = tuple(self._poll()) if inputs.poll else ()
            requests += tuple(request for request, _ in found)
            tasks = tasks_of(requests, self.manifest, self.playbooks)
            facts = carrying.facts_of(running(tasks), wiring.forge)
            skips = carrying.exposed(tasks, facts, event, inputs.private_plugins, wiring.desk.facts)
            budget = inputs.budget_usd
            each = budget / max(1, len(running(tasks))) if budget is not None else None
            tasks = tasks_of(requests, self.manifest, self.playbooks, cost_usd=each, skips=skips)
            tasks = self._cleared(tasks)
        except (UsageError, RefusedError) as error:
            self._answer(PlanFile(asked=self._asked()), f"This cannot be run: {error}")
            raise
        carried = {
            repo: carrying.carry(repo, found, wiring.forge(repo).remote(repo), self.plan_folder, wiring.scratch())
            for repo, found in facts.items()
            if inputs.command == "plan" and found.private and repo in {task.plugin.repo for task in running(tasks)}
        }
        plan = PlanFile(
            requests=requests,
            tasks=tuple(map(planned_task, tasks)),
            cost_usd=each,
            skips=skips,
            carried=carried,
            asked=asked,
            polled={tasks_of((request,), self.manifest, self.playbooks)[0].campaign: one for request, one in found},
        )
        return plan, tasks

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

    def _answer_polled(self, plan: PlanFile, results: list[Result]) -> None:
        """One comment under each issue that was found by polling, by the token that may write there."""
        reports = {report.campaign: report for report in ending.complete(plan, reports_of(results))}
        for campaign, asked in plan.polled.items():
            alone = msgspec.structs.replace(plan, asked=asked)
            said = ending.answer(alone, [reports[campaign]], self.event.run_url)
            text = self.wiring.redactor.text(f"{mark(asked.event)}\n{said}")
            try:
                self.wiring.desk_of(asked.repo, talk=True).answer(asked.repo, asked.number, _MARK, text)
            except FleetBotError as error:
                click.echo(f"The issue {asked.repo}#{asked.number} cannot be answered: {error}", err=True)

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

    def _asked(self) -> Asked | None:
        issue = self.event.issue
        return Asked(repo=self.event.repository, number=issue.number) if issue is not None else None

    def _acknowledge(self) -> Asked | None:
        """Show that the request was seen, and look whether its text is still the one that the label was set on."""
        asked, issue = self._asked(), self.event.issue
        if asked is None or issue is None:
            return None
        from bot.gha.event import text_digest

        try:
            self.wiring.desk.seen(asked.repo, asked.number)
            edited = text_digest(*self.wiring.desk.words(asked.repo, asked.number)) != issue.digest
        except ForgeError as error:
            click.echo(f"The issue cannot be answered: {error}", err=True)
            return asked
        note = "The issue was edited after the label was set; the run used the text from before." if edited else ""
        return msgspec.structs.replace(asked, note=note)

    def _answer(self, plan: PlanFile, text: str) -> None:
        if plan.asked is None:
            return
        try:
            text = self.wiring.redactor.text(text)
            self.wiring.desk.answer(plan.asked.repo, plan.asked.number, _MARK, text)
        except ForgeError as error:
            click.echo(f"The issue cannot be answered: {error}", err=True)

    def _end(self, results: list[Result]) -> Ending:
        return ending.of_reports(reports_of(results), self.inputs.out)
