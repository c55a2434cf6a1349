"""Runs a recorded task again: the loop with the recorded model, the tools for real, each event held against the trace.

The trace may come from anywhere, so it decides nothing about power: where the repository is, what a command may reach
and how it is confined is said by whoever replays; no model is asked, and nothing is published.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.base.errors import ConfigurationError, GitError, WorldError
from bot.base.git import GitDir
from bot.base.values import Network, Report, Task
from bot.expected.guard import guard_of
from bot.models.replay import ReplayModel
from bot.ports import Answer, ModelId, PullRequest, Remote, RepositoryFacts
from bot.task.pipeline import run_task
from bot.task.recorded import task_of
from bot.task.recording import Recording, Replayed, look
from bot.task.workshop import Workshop
from bot.trace.echo import Comparison, EchoTrace, ReplayClock, ReplayOver
from bot.trace.events import ApprovalAsked, RunStarted

_REACH: tuple[Network, ...] = ("none", "loopback", "full")


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever replays lets the recorded commands do."""

    network: Network = "none"
    setup: str | None = None
    """The plugin's set-up as the manifest has it; another one would reach the network in its name."""


def replay(file: Path, shop: Workshop, remote: Callable[[Task], Remote], allowed: Allowed) -> Replayed:
    """Run the task of a trace again, tools and all, in the sandbox on a checkout of the recorded base.

    `remote` says where that repository is. Raises `ConfigurationError` for a trace that does not hold enough or wants
    more than is `allowed`, `WorldError` when the repository does not have the base.
    """
    recording = look(file)
    task = task_of(recording.started)
    if not recording.started.base_sha:
        return recording.nothing("the run never got to a checkout")
    if recording.started.sandbox.get("level") == "virtual":
        msg = "This trace comes from a virtual plugin, which has no repository to run the tools on."
        raise ConfigurationError(msg, "Replay its conversation with --no-tools.")
    _check(task, allowed)
    comparison = recording.comparison()
    again = _workshop(shop, recording, comparison, _Mirror(shop.scratch(), recording.started, remote(task)))
    try:
        ended, _ = run_task(task, shop.scratch(), again)
        comparison.ended()
        if comparison.divergence is None and ended.trace is None:
            raise WorldError(ended.reason)
    except (ReplayOver, KeyboardInterrupt):
        if comparison.divergence is None and comparison.next is not None:
            raise  # a person's own ^C
    return recording.result(comparison, "tools")


def _check(task: Task, allowed: Allowed) -> None:
    needs = "full" if task.plugin.setup not in {None, allowed.setup} else task.plugin.network
    if _REACH.index(needs) > _REACH.index(allowed.network):
        why = "a set-up" if needs != task.plugin.network else "its commands"
        msg = f"The recorded run had `network: {needs}` for {why}; this replay allows `{allowed.network}`."
        raise ConfigurationError(msg, f"Give --network {needs} if you trust where the trace comes from.")


def _workshop(shop: Workshop, recording: Recording, comparison: Comparison, mirror: _Mirror) -> Workshop:
    """The same workshop with the past in it: repository, model, clock, person and rules are the recorded ones."""
    started = recording.started
    model = ReplayModel(recording.file)
    clock = ReplayClock(comparison, recording.began)
    return dataclasses.replace(
        shop,
        forge=mirror,
        model=lambda task: model,
        model_id=msgspec.convert(started.model, ModelId) if started.model else None,
        guard=lambda task: guard_of(task, started.protected),
        protected=started.protected,
        trace=lambda place, run: EchoTrace(place, run=run, redactor=shop.redactor, clock=clock, comparison=comparison),
        clock=clock,
        approver=_RecordedApprover(recording.approvals) if recording.approvals else None,
    )


class _Mirror:
    """The repository as it was: a copy of our own in which the base branch is at the recorded commit."""

    def __init__(self, folder: Path, started: RunStarted, remote: Remote) -> None:
        self._git = GitDir.init(folder / "mirror")
        self._branch = started.base_branch or "main"
        self._git.fetch(remote.url, ["+refs/heads/*:refs/remotes/origin/*"], token=remote.token)
        head = started.base_head or started.base_sha
        for commit in dict.fromkeys((head, started.base_sha)):
            self._find(commit, remote)
        self._git.run("update-ref", f"refs/heads/{self._branch}", head)
        if head != started.base_sha:
            self._git.run("update-ref", "refs/heads/fleet-bot-replayed-commit", started.base_sha)
        self._git.run("symbolic-ref", "HEAD", f"refs/heads/{self._branch}")

    def _find(self, commit: str, remote: Remote) -> None:
        if self._git.resolve(commit) is not None:
            return
        try:
            self._git.fetch(remote.url, [commit], token=remote.token, tags=False)
        except GitError as error:
            msg = f"The repository does not have the recorded base {commit[:12]}."
            raise WorldError(msg, "Name one that has it with --repo PATH.") from error

    def remote(self, repo: str) -> Remote:
        """The copy, whatever is asked for."""
        return Remote(url=str(self._git.path))

    def facts(self, repo: str) -> RepositoryFacts:
        """As it was when the run began: the run got as far as a checkout."""
        return RepositoryFacts(full_name=repo, default_branch=self._branch, private=True)

    def find_pulls(self, repo: str, branch: str) -> tuple[PullRequest, ...]:
        """None stood in the way: the run got as far as a checkout."""
        return ()

    def issue(self, repo: str, number: int) -> Report:
        """The report is in the task."""
        raise AssertionError


class _RecordedApprover:
    """Says what the person said."""

    def __init__(self, answers: tuple[ApprovalAsked, ...]) -> None:
        self._answers = iter(answers)

    def ask(self, title: str, preview: str, *, plugin: str) -> Answer:
        """The next answer. One question too many is refused, which shows as a divergence."""
        said = next(self._answers, None)
        if said is None:
            return Answer(allow=False, reason="not asked in the recorded run")
        return Answer(allow=said.allowed, reason=said.reason, stop=said.stop)
