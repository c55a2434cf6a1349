"""Builds the collaborators. The only importer of adapters, and late: an SDK is loaded when its first object is made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bot.base.clock import Clock, SystemClock
from bot.base.redact import Redactor
from bot.fleet.manifest import Manifest
from bot.task.checkout import empty

DEFAULT_MODEL = "gemini-3-pro"
_SECRET_NAMES: tuple[str, ...] = (
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
)
_SECRET_NAMES += ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "FLEET_BOT_APP_PRIVATE_KEY")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line and the environment say, read once."""

    api_key: str | None = None
    model: str = DEFAULT_MODEL
    gemini_base_url: str | None = None
    github_token: str | None = None
    github_api_url: str = "https://api.github.com"
    github_server_url: str = "https://github.com"
    jobs: int = 1

    def __repr__(self) -> str:
        # Keys and tokens must not reach a log by way of a traceback or an assertion.
        return f"Settings(model={self.model!r}, github_api_url={self.github_api_url!r}, jobs={self.jobs})"


def from_environment(environ: Mapping[str, str], **given: object) -> Settings:
    """Settings from the environment; what is `given` and not None wins."""
    found: dict[str, object] = {
        "gemini_base_url": environ.get("GOOGLE_GEMINI_BASE_URL") or None,
        "github_token": environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or None,
    }
    for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL"):
        if environ.get(name):
            found[name.lower()] = environ[name].rstrip("/")
    return msgspec.convert(found | {k: v for k, v in given.items() if v is not None}, Settings)


def forget_secrets() -> None:
    """Take keys and tokens out of this process's environment, so that no child inherits them by accident."""
    for name in _SECRET_NAMES:
        os.environ.pop(name, None)


class Wiring:
    """One process's collaborators. A context manager: its scratch folders are gone afterwards."""

    def __init__(self, settings: Settings, manifest: Manifest, *, clock: Clock | None = None) -> None:
        """`settings` carries the secrets; everything that is written is redacted for them."""
        self.settings, self.manifest = settings, manifest
        self.clock = clock or SystemClock()
        self.redactor = Redactor([s for s in (settings.api_key, settings.github_token) if s])
        self._root: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._root is not None and self._root.exists():
            empty(self._root)
            self._root.rmdir()

    def scratch(self) -> Path:
        """A new empty folder that is gone in the end."""
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="fleet-bot-")).resolve()
        return Path(tempfile.mkdtemp(dir=self._root))
