"""The demo's world: a virtual GitHub with the virtual fleet on it, and a virtual Gemini, on loopback."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.base.errors import UsageError
from bot.settings import Settings
from bot.virtual.gemini.server import VirtualGemini
from bot.virtual.github.server import VirtualGitHub
from bot.virtual.materialise import commit_ids, fill
from bot.virtual.plugin import VirtualPlugin

BOT = "fleet-bot"


class Stage:
    """Everything that the demo needs of the world; a context manager.

    What happens on the virtual GitHub stays in `folder`, so that a second demo in it finds the first one's work.
    """

    def __init__(self, folder: Path, fleet: tuple[VirtualPlugin, ...]) -> None:
        """`folder` is made; one that holds something else is refused."""
        self.folder, self.fleet = folder, fleet
        self.commits: dict[str, dict[str, str]] = {}
        self._token = f"ghp_{secrets.token_hex(18)}"
        self._key = f"demo-{secrets.token_hex(16)}"
        self._open = ExitStack()

    def __enter__(self) -> Self:
        mark = self.folder / ".fleet-bot-demo"
        if self.folder.exists() and any(self.folder.iterdir()) and not mark.exists():
            msg = f"{self.folder} holds something that is no demo."
            raise UsageError(msg, "Choose a new or empty folder with --dir.")
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.touch()
        self.github = VirtualGitHub(self.folder / "github", token=self._token, login=BOT)
        for plugin in self.fleet:
            self._add(plugin)
        self._open.enter_context(self.github)
        scripts = {plugin.name: plugin for plugin in self.fleet}

        def script(name: str, playbook: str) -> Path | None:
            file = scripts[name].answers(playbook) if name in scripts else None
            return file if file is not None and file.is_file() else None

        self.gemini = self._open.enter_context(VirtualGemini(script, key=self._key))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._open.close()

    def settings(self) -> Settings:
        """What the environment would say, were it this world."""
        return Settings(
            api_key=self._key,
            gemini_base_url=self.gemini.url,
            github_token=self._token,
            github_api_url=self.github.api_url,
            github_server_url=self.github.url,
        )

    def text(self, plugin: VirtualPlugin, file: str) -> str:
        """A report of a plugin, with its commits filled in."""
        return fill((plugin.folder / file).read_text(encoding="utf-8"), self.commits[plugin.name])

    def _add(self, plugin: VirtualPlugin) -> None:
        bare = self.folder / "github" / f"{plugin.entry.repo}.git"
        self.commits[plugin.name] = commit_ids(plugin, bare)
        if plugin.shares is None:
            self.github.add_repository(
                plugin.entry.repo,
                default_branch=plugin.history.branch,
                private=plugin.remote.private,
                archived=plugin.remote.archived,
                drafts=plugin.remote.drafts,
                refuse_push=plugin.remote.refuse_push,
            )
            for issue in plugin.issues:
                body = fill(issue.body, self.commits[plugin.name])
                self.github.add_issue(
                    plugin.entry.repo,
                    number=issue.number,
                    title=issue.title,
                    body=body,
                    author=issue.author,
                    labels=issue.labels,
                )
