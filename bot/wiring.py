"""Builds the collaborators. The only importer of adapters, and late: an SDK is loaded when its first object is made."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bot.agent.limits import Purse
from bot.base.clock import Clock, SystemClock
from bot.base.git import GitDir, end_running
from bot.base.redact import Redactor
from bot.base.values import Playbook, Report, Task, is_path
from bot.expected.guard import guard_of
from bot.fleet.keys import missing_key
from bot.fleet.manifest import CampaignBudget, Manifest
from bot.models.gemini import GeminiModel, identity_of
from bot.ports import (
    Approver,
    Enforced,
    ForgeRead,
    ForgeWrite,
    Guard,
    Model,
    ModelId,
    PullRequest,
    Remote,
    RepositoryFacts,
    Sandbox,
)
from bot.publish.comment import Place, place_of
from bot.publish.publisher import Press
from bot.sandbox.launcher import Launcher, Room
from bot.settings import Settings
from bot.task.emptying import empty
from bot.task.proposal import Proposal
from bot.task.workshop import Progress, Workshop
from bot.trace.writer import TraceWriter

if TYPE_CHECKING:
    from bot.forge.app import AppTokens
    from bot.forge.desk import GitHubDesk
    from bot.forge.github import GitHubForge


class Wiring:
    """One process's collaborators. A context manager: its scratch folders are gone afterwards."""

    def __init__(self, settings: Settings, manifest: Manifest, *, clock: Clock | None = None) -> None:
        """`settings` carries the secrets; everything that is written is redacted for them."""
        self.settings, self.manifest = settings, manifest
        self.clock = clock or SystemClock()
        self.redactor = Redactor(list(settings.secrets))
        self.stop = threading.Event()
        self.reading: Callable[[ForgeRead], ForgeRead] = lambda forge: forge
        """Put before the read access of proposing: repositories that are already here."""
        self.placed: Callable[[Path], Place | None] = lambda folder: None
        """Where people find the trace of a proposal, if that is known better than `settings` say it."""
        self._root: Path | None = None
        self._forges: dict[str, GitHubForge] = {}
        """With an App: by the token that each was made for."""
        self._making = threading.RLock()
        """Tasks side by side ask for their first folder, forge and model at the same moment."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._root is not None and self._root.exists():
            try:
                empty(self._root)
                self._root.rmdir()
            except OSError:
                # After ^C a task that hangs may still write there; there is nobody left to wait for it.
                if kind is None:
                    raise
        for forge in (*self._forges.values(), *([self.github] if "github" in self.__dict__ else [])):
            forge.close()

    def scratch(self) -> Path:
        """A new empty folder that is gone in the end."""
        with self._making:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="fleet-bot-")).resolve()
        return Path(tempfile.mkdtemp(dir=self._root))

    def forge(self, repo: str, *, write: bool = False, workflows: bool = False) -> ForgeWrite:
        """What a repository of the manifest lives on: a folder of this machine, or the configured GitHub.

        With an App it gets a token of its own, that may write only where `write` asks for that, and files below
        `.github/workflows` only where `workflows` asks for those too.
        """
        if is_path(repo):
            from bot.forge.path import PathForge

            return PathForge()
        with self._making:
            return self.github if self.settings.app is None else self._as_app(repo, write=write, workflows=workflows)

    def _as_app(self, repo: str, *, write: bool, workflows: bool) -> GitHubForge:
        from bot.forge.app import READING, WRITING, WRITING_WORKFLOWS
        from bot.forge.github import GitHubForge

        power = READING if not write else WRITING_WORKFLOWS if workflows else WRITING
        token = self._app_tokens.token(repo, power)
        if token not in self._forges:
            self._forges[token] = GitHubForge(
                token=token,
                api_url=self.settings.github_api_url,
                server_url=self.settings.github_server_url,
                clock=self.clock,
                app=True,
            )
        return self._forges[token]

    @cached_property
    def _app_tokens(self) -> AppTokens:
        from bot.forge.app import AppTokens

        settings = self.settings
        if settings.app is None:
            raise AssertionError
        return AppTokens(
            settings.app, api_url=settings.github_api_url, server_url=settings.github_server_url, clock=self.clock
        )

    @cached_property
    def github(self) -> GitHubForge:
        """The configured GitHub; PyGithub loads with it."""
        from bot.forge.github import GitHubForge

        return GitHubForge(
            token=self.settings.github_token,
            api_url=self.settings.github_api_url,
            server_url=self.settings.github_server_url,
            clock=self.clock,
        )

    @cached_property
    def desk(self) -> GitHubDesk:
        """Who may ask, and what people who ask are told; PyGithub loads with its first question."""
        from bot.forge.desk import GitHubDesk

        return GitHubDesk(
            token=self.settings.event_token or self.settings.github_token,
            api_url=self.settings.github_api_url,
            server_url=self.settings.github_server_url,
            clock=self.clock,
        )

    def desk_of(self, repo: str, *, talk: bool = False) -> GitHubDesk:
        """The same for a repository of the fleet. With an App its token reads, or may `talk` under issues."""
        from bot.forge.app import READING, TALKING
        from bot.forge.desk import GitHubDesk

        app = self.settings.app is not None
        token = self._app_tokens.token(repo, TALKING if talk else READING) if app else self.settings.github_token
        return GitHubDesk(
            token=token,
            api_url=self.settings.github_api_url,
            server_url=self.settings.github_server_url,
            clock=self.clock,
            app=app,
        )

    @property
    def model_id(self) -> ModelId:
        """Who will answer, known without loading the SDK."""
        settings = self.settings
        return identity_of(settings.model, base_url=settings.gemini_base_url, vertex=settings.vertex)

    def model(self, task: Task) -> Model:
        """The model of a task. Raises `ConfigurationError` without a key."""
        with self._making:
            return self._model

    @cached_property
    def _model(self) -> Model:
        if not self.settings.may_ask:
            raise missing_key()
        return GeminiModel(
            key=self.settings.api_key,
            name=self.settings.model,
            base_url=self.settings.gemini_base_url,
            vertex=self.settings.vertex,
            clock=self.clock,
        )

    def guard(self, task: Task) -> Guard:
        """The runtime rules of a task."""
        return guard_of(task, self.manifest.policy.protected)

    def confinement(self) -> Enforced:
        """What the sandbox enforces here, by its self-test. Raises `SandboxError` when that is not enough."""
        return Launcher(best_effort=self.manifest.sandbox == "best-effort").facts("none")

    def workshop(
        self,
        *,
        approver: Approver | None = None,
        progress: Progress | None = None,
        closed: Callable[[], str | None] = lambda: None,
        budget: CampaignBudget | None = None,
    ) -> Workshop:
        """What proposing needs; it offers no way to write to a forge. `budget` stands in for the manifest's."""
        budget = budget or self.budget()
        launcher = Launcher(best_effort=self.manifest.sandbox == "best-effort")

        def interrupt() -> None:
            launcher.interrupt()
            end_running()

        return Workshop(
            forge=self.reading(_Repositories(self.forge)),
            sandboxes=launcher,
            model=self.model,
            model_id=self.model_id,
            guard=self.guard,
            protected=self.manifest.policy.protected,
            trace=lambda file, run: TraceWriter(file, run=run, redactor=self.redactor, clock=self.clock),
            redactor=self.redactor,
            clock=self.clock,
            scratch=self.scratch,
            reaching=self.settings.reaching,
            approver=approver,
            progress=progress or (lambda task, step: None),
            closed=closed,
            purse=Purse(cost_usd=budget.cost_usd, tokens=budget.tokens),
            stop=self.stop,
            interrupt=interrupt,
        )

    def budget(self, *, cost_usd: float | None = None, share: float = 1.0) -> CampaignBudget:
        """What the campaign may spend: `cost_usd`, or else what the manifest says; `share` of it for a shard."""
        whole = self.manifest.campaign
        cost, tokens = whole.cost_usd if cost_usd is None else cost_usd, whole.tokens
        return CampaignBudget(
            cost_usd=None if cost is None else cost * share, tokens=None if tokens is None else int(tokens * share)
        )

    def press(
        self,
        playbook: Callable[[str], Playbook | None],
        certified: Callable[[Proposal, Path], str] = lambda proposal, folder: "",
    ) -> Press:
        """What publishing needs; holds the write power, and neither model nor sandbox.

        `playbook` finds a playbook as it is here by its id: what a proposal claims is held against it. `certified` says
        whether its run stayed inside what the wind tunnel has seen.
        """
        plugins = {plugin.name: plugin for plugin in self.manifest.plugins}
        return Press(
            forge=lambda repo, workflows: self.forge(repo, write=True, workflows=workflows),
            policy=self.manifest.policy,
            plugin=plugins.get,
            playbook=playbook,
            redactor=self.redactor,
            journal=self._journal,
            scratch=self.scratch,
            certified=certified,
            place=lambda folder: self.placed(folder) or place_of(folder, self.settings.trace_url),
        )

    def _journal(self, file: Path, proposal: Proposal) -> TraceWriter:
        head = proposal.trace.head if proposal.trace else ""
        run = f"{proposal.campaign}/{proposal.plugin}"
        return TraceWriter(file, run=run, redactor=self.redactor, clock=self.clock, previous=head)


def mutation_room() -> Callable[[Path], Sandbox]:
    """Opens sandboxes on workspaces that lie beside nothing of value: for the suites of mutants."""
    launcher = Launcher(best_effort=True)

    def open_(workspace: Path) -> Sandbox:
        private = workspace.with_name("private")
        private.mkdir()
        path = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
        history = GitDir.init(workspace.with_name("history"))
        env = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        return launcher.open(Room(workspace=workspace, history=history, private=private, env=env))

    return open_


class _Repositories:
    """Read access to every repository of the fleet, wherever each lives."""

    def __init__(self, of: Callable[[str], ForgeRead]) -> None:
        self._of = of

    def remote(self, repo: str) -> Remote:
        """Where git fetches it from."""
        return self._of(repo).remote(repo)

    def facts(self, repo: str) -> RepositoryFacts:
        """What is known of it."""
        return self._of(repo).facts(repo)

    def issue(self, repo: str, number: int) -> Report:
        """An issue as it is now."""
        return self._of(repo).issue(repo, number)

    def find_pulls(self, repo: str, branch: str) -> tuple[PullRequest, ...]:
        """The pull requests from a branch."""
        return self._of(repo).find_pulls(repo, branch)
