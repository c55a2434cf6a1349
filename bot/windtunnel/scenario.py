"""Scenarios: a virtual plugin, a playbook with its variables, and how that has to end.

They stand in `virtual_fleet/<name>/`: in `plugin.yaml` where there is a materialised twin, in `profile.yaml` otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

import msgspec

from bot.base.canonical import digest, sha256
from bot.base.errors import UsageError
from bot.base.redact import Redactor
from bot.base.schema import near
from bot.base.values import Outcome, Playbook, Plugin, Report, Scalar, Task, TestCommand
from bot.expected.check import RuleBook
from bot.expected.document import rules_of
from bot.fleet.bug_report import find_report
from bot.fleet.manifest import Manifest
from bot.fleet.plan import make_plan
from bot.task.recorded import run_started
from bot.trace.events import RunStarted
from bot.trace.known import Known, known
from bot.virtual.materialise import fill
from bot.virtual.plugin import Scenario as Planned
from bot.virtual.plugin import VirtualPlugin, find_virtual_fleet, read_virtual_fleet
from bot.virtual.profile import DeclaredScenario, Profile, find_profiles
from bot.virtual.profile_reader import read_profile

_MANIFEST = Path("fleet.yaml")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One thing to try, complete. `task.seed` is filled in by the trial."""

    name: str
    profile: Profile
    task: Task
    outcomes: tuple[Outcome, ...]
    """How a good run may end."""
    red_to_green: bool = False
    """Whether a test has to be shown red without the change and green with it."""
    answers: Path | None = None
    """What the virtual Gemini says to it, for flights with a scripted model."""
    twin: VirtualPlugin | None = None
    """The same plugin as a real repository, where there is one."""
    planned: Planned | None = None

    @cached_property
    def book(self) -> RuleBook:
        """The playbook's rules for these variables."""
        return rules_of(self.task.playbook, self.task.variables)

    @cached_property
    def started(self) -> RunStarted:
        """The first event of its trials, without what differs from one to the next: seed, model, sandbox, snapshot."""
        return run_started(self.task, base="", model=None, sandbox={})

    def opening(self, redactor: Redactor) -> Known | None:
        """The long fields of `started`, where the redactor has nothing to take out of them. It need not be looked at,
        nor spelled, in every trial again.
        """
        if redactor not in self._openings:
            texts = {name: getattr(self.started, name) for name in ("system", "prompt", "tools", "task")}
            self._openings[redactor] = known(texts, redactor)
        return self._openings[redactor]

    @cached_property
    def _openings(self) -> WeakKeyDictionary[Redactor, Known | None]:
        return WeakKeyDictionary()

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the virtual plugin and what is asked of the run on it."""
        task = self.task
        asked = [task.variables, task.report, task.limits, task.plugin, self.outcomes, self.red_to_green]
        answers = sha256(self.answers.read_bytes()) if self.answers else ""
        return digest([self.profile.hash, asked, answers])


def find_scenarios(
    playbook: Playbook, folders: tuple[Path, ...], names: tuple[str, ...] = (), *, scripted: bool = False
) -> tuple[Scenario, ...]:
    """All scenarios of a playbook in virtual fleets, by name; with `names`, on these virtual plugins only.

    Of two virtual plugins with the same name the one in the earlier folder counts.

    `scripted` leaves out those that have no honest answers. Raises `UsageError` for a name that is not there or has
    none for the playbook, and when nothing is left, `ConfigurationError` for files with mistakes.
    """
    profiles: dict[str, Path] = {}
    twins: dict[str, VirtualPlugin] = {}
    for folder in reversed(folders):
        profiles |= find_profiles(folder)
        twins |= {plugin.name: plugin for plugin in read_virtual_fleet(folder)}
    places = " and ".join(map(str, folders))
    for name in names:
        if name not in profiles:
            guess = near(name, list(profiles))
            msg = f"There is no virtual plugin {name} with a profile in {places}."
            raise UsageError(msg, f"Did you mean {guess}?" if guess else f"There are: {', '.join(profiles)}.")
    found: list[Scenario] = []
    for name, file in sorted(profiles.items()):
        if not names or name in names:
            found += _of(playbook, name, file, twins.get(name), scripted=scripted)
    left = [name for name in names if name not in {one.profile.name for one in found}]
    if left or not found:
        which = f"on {', '.join(left)}" if names else f"in {places}"
        with_answers = " with answers for a scripted model" if scripted else ""
        msg = f"There is no scenario of {playbook.id}{with_answers} {which}."
        raise UsageError(msg, "Add one to `scenarios:` of a virtual plugin, see docs/wind-tunnel.md.")
    return tuple(found)


def _of(playbook: Playbook, name: str, file: Path, twin: VirtualPlugin | None, *, scripted: bool) -> Iterator[Scenario]:
    planned = [one for one in twin.scenarios if one.playbook == playbook.id] if twin else []
    answers = file.parent / "answers" / f"{playbook.id}.yaml"
    if scripted and (not answers.is_file() or any(not one.tunnel.scripted for one in planned)):
        return
    if not planned and f"playbook: {playbook.id}" not in file.read_text(encoding="utf-8"):
        return
    profile = read_profile(file, twin=twin)
    declared = [one for one in profile.scenarios if one.playbook == playbook.id]
    script = answers if answers.is_file() else None
    titles = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
    if twin is not None:
        for plan in planned:
            yield _from_plan(next(titles), playbook, profile, twin, plan, script)
    for scenario in declared:
        yield _from_profile(next(titles), playbook, profile, scenario, script)


def _from_plan(
    title: str, playbook: Playbook, profile: Profile, twin: VirtualPlugin, scenario: Planned, answers: Path | None
) -> Scenario:
    # A declarative plugin has no commits; what speaks of them gets ids that look like it.
    commits = {commit.name: sha256(f"{twin.name} {commit.name}")[:40] for commit in twin.history.commits}
    commits.setdefault("head", sha256(f"{twin.name} head")[:40])
    issue = next((one for one in twin.issues if one.number == scenario.issue), None)
    text = fill((twin.folder / scenario.report).read_text(encoding="utf-8"), commits) if scenario.report else None
    fetched = None
    if issue is not None:
        fetched = Report(text=fill(issue.body, commits), title=issue.title, source="issue")
    task = _task(
        playbook,
        twin.entry,
        scenario.variables,
        text=text,
        issue=scenario.issue,
        fetched=fetched,
        commit=fill(scenario.commit, commits) if scenario.commit else None,
    )
    return Scenario(
        name=title,
        profile=profile,
        task=task,
        outcomes=scenario.tunnel.outcomes or scenario.expect.outcomes,
        red_to_green=scenario.expect.red_to_green,
        answers=answers,
        twin=twin,
        planned=scenario,
    )


def _from_profile(
    title: str, playbook: Playbook, profile: Profile, scenario: DeclaredScenario, answers: Path | None
) -> Scenario:
    entry = Plugin(
        name=profile.name,
        repo=f"virtual/{profile.name}",
        test=TestCommand(command=profile.test) if profile.test else None,
        version_file=profile.version_file,
        changelog=profile.changelog,
    )
    from_issue = scenario.issue is not None
    fetched = Report(text=scenario.report or "", source="issue") if from_issue else None
    text = None if from_issue else scenario.report
    task = _task(playbook, entry, scenario.variables, text=text, issue=scenario.issue, fetched=fetched)
    return Scenario(name=title, profile=profile, task=task, outcomes=scenario.outcomes, answers=answers)


def _task(
    playbook: Playbook,
    plugin: Plugin,
    variables: dict[str, Scalar],
    *,
    text: str | None,
    issue: int | None,
    fetched: Report | None,
    commit: str | None = None,
) -> Task:
    """The task as a campaign over this one plugin would have it."""
    manifest = Manifest(file=_MANIFEST, plugins=(plugin,))
    report = find_report(
        bug=text,
        issue=str(issue) if issue else None,
        file=None,
        plugins=(),
        manifest=manifest,
        fetch=lambda repo, number: fetched or Report(text=""),
    )
    given = {name: str(value) if isinstance(value, str) else value for name, value in variables.items()}
    return make_plan(manifest, playbook, variables=given, report=report, commit=commit).tasks[0]


def virtual_fleets(beside: Path) -> tuple[Path, ...]:
    """Where virtual plugins are looked for: `virtual_fleet/` beside a manifest, if it is there, then the shipped."""
    own = beside.resolve().parent / "virtual_fleet"
    shipped = find_virtual_fleet()
    return (own, shipped) if own.is_dir() and own != shipped.resolve() else (shipped,)


def hashes(scenarios: Iterable[Scenario]) -> dict[str, str]:
    """Name → hash, as a certificate lists its virtual plugins."""
    return {scenario.name: scenario.hash for scenario in scenarios}
