"""Builds the collaborators. The only importer of adapters, and late: an SDK is loaded when its first object is made."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from bot.agent.limits import Purse
from bot.base.clock import Clock, SystemClock
from bot.base.git import end_running
from bot.base.redact import Redactor
from bot.base.secret_names import SECRET_NAMES
from bot.base.values import Playbook, Report, Task, is_path
from bot.expected.guard import guard_of
from bot.fleet.keys import missing_key
from bot.fleet.manifest import CampaignBudget, Manifest
from bot.models.gemini import GeminiModel, Vertex, identity_of
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
)
from bot.publish.comment import place_of
from bot.publish.publisher import Press
from bot.sandbox.launcher import Launcher
from bot.task.emptying import empty
from bot.task.proposal import Proposal
from bot.task.run import Progress, Workshop
from bot.trace.writer import TraceWriter

if TYPE_CHECKING:
    from bot.forge.desk import GitHubDesk
    from bot.forge.github import GitHubForge

DEFAULT_MODEL = "gemini-3.8-flash"
_PASSWORD = re.compile(r"://[^/@\s]*:?[^/@\s]*@")
_REACHING = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "UV_DEFAULT_INDEX",
    "UV_FIND_LINKS",
    "NPM_CONFIG_REGISTRY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
"""What a plugin's set-up may know of this machine, in capitals or not, unless a value holds a password."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line and the environment say, read once."""

    api_key: str | None = None
    model: str = DEFAULT_MODEL
    gemini_base_url: str | None = None
    reaching: dict[str, str] = {}
    """Variables that a plugin's set-up gets, to reach package indexes."""
    github_token: str | None = None
    event_token: str | None = None
    """The workflow's own token, for the issue that asked; without it the other one does that too."""
    github_api_url: str = "https://api.github.com"
    github_server_url: str = "https://github.com"
    vertex: Vertex | None = None
    """Where on Vertex AI the model is asked, and not at the Gemini API."""
    trace_url: str | None = None
    """Where people find the traces of this process; None: in its own folders."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """All keys and tokens, for what has to hide them."""
        return tuple(secret for secret in (self.api_key, self.github_token, self.event_token) if secret)

    @property
    def may_ask(self) -> bool:
        """Whether there is a way to authenticate with the model: a key, or a project on Vertex AI."""
        return self.api_key is not None or (self.vertex is not None and self.vertex.project is not None)

    def __repr__(self) -> str:
        # Keys and tokens must not reach a log by way of a traceback or an assertion.
        return f"Settings(model={self.model!r}, github_api_url={self.github_api_url!r})"


def from_environment(environ: Mapping[str, str], **given: object) -> Settings:
    """Settings from the environment; what is `given` and not None wins."""
    vertex = _vertex(environ)
    found: dict[str, object] = {
        "reaching": {
            name: value
            for name, value in environ.items()
            if name.upper() in _REACHING and value and not _PASSWORD.search(value)
        },
        "gemini_base_url": environ.get("GOOGLE_VERTEX_BASE_URL" if vertex else "GOOGLE_GEMINI_BASE_URL") or None,
        "vertex": vertex,
        "github_token": environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or None,
        "trace_url": environ.get("FLEET_BOT_TRACE_URL") or _page_of_this_job(environ),
        "event_token": environ.get("FLEET_BOT_EVENT_TOKEN") or None,
    }
    for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL"):
        if environ.get(name):
            found[name.lower()] = environ[name].rstrip("/")
    return msgspec.convert(found | {k: v for k, v in given.items() if v is not None}, Settings)


def _vertex(environ: Mapping[str, str]) -> Vertex | None:
    """Vertex AI by the SDK's own variables; it takes the newer of the two switches first."""
    switches = (environ.get(f"GOOGLE_GENAI_USE_{name}") for name in ("ENTERPRISE", "VERTEXAI"))
    if next((switch for switch in switches if switch), "").lower() not in {"true", "1"}:
        return None
    project, location = (environ.get(f"GOOGLE_CLOUD_{name}") or None for name in ("PROJECT", "LOCATION"))
    return Vertex(project=project, location=location)


def _page_of_this_job(environ: Mapping[str, str]) -> str | None:
    """The page of an Actions run, where its artifacts are."""
    server, repo, run = (environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repo}/actions/runs/{run}" if environ.get("GITHUB_ACTIONS") and server and repo and run else None


def forget_secrets() -> None:
    """Take keys and tokens out of this process's environment, so that no child inherits them by accident."""
    for name in SECRET_NAMES:
        os.environ.pop(name, None)


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
        self._root: Path | None = None
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
        if "github" in self.__dict__:
            self.github.close()

    def scratch(self) -> Path:
        """A new empty folder that is gone in the end."""
        with self._making:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="fleet-bot-")).resolve()
        return Path(tempfile.mkdtemp(dir=self._root))

    def forge(self, repo: str) -> ForgeWrite:
        """What a repository of the manifest lives on: a folder of this machine, or the configured GitHub."""
        if is_path(repo):
            from bot.forge.path import PathForge

            return PathForge()
        with self._making:
            return self.github

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

    def press(self, playbook: Callable[[str], Playbook | None]) -> Press:
        """What publishing needs; holds the write power, and neither model nor sandbox.

        `playbook` finds a playbook as it is here by its id: what a proposal claims is held against it.
        """
        plugins = {plugin.name: plugin for plugin in self.manifest.plugins}
        return Press(
            forge=self.forge,
            policy=self.manifest.policy,
            plugin=plugins.get,
            playbook=playbook,
            redactor=self.redactor,
            journal=self._journal,
            scratch=self.scratch,
            trace_link=lambda folder: place_of(folder, self.settings.trace_url),
        )

    def _journal(self, file: Path, proposal: Proposal) -> TraceWriter:
        head = proposal.trace.head if proposal.trace else ""
        run = f"{proposal.campaign}/{proposal.plugin}"
        return TraceWriter(file, run=run, redactor=self.redactor, clock=self.clock, previous=head)


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
