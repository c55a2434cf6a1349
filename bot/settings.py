"""What the command line and the environment say, read once: keys, tokens and where things are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import msgspec

from bot.base.errors import ConfigurationError
from bot.base.secret_names import SECRET_NAMES
from bot.forge.client import AppKey
from bot.models.gemini import Vertex

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
    app: AppKey | None = None
    """A GitHub App, whose own tokens are taken instead of `github_token`: for one repository each."""
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
        key = self.app.key if self.app is not None else None
        return tuple(secret for secret in (self.api_key, self.github_token, self.event_token, key) if secret)

    @property
    def may_write(self) -> bool:
        """Whether there is a way to authenticate with GitHub: a token, or an App."""
        return self.github_token is not None or self.app is not None

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
        "app": _app(environ),
        "event_token": environ.get("FLEET_BOT_EVENT_TOKEN") or None,
    }
    for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL"):
        if environ.get(name):
            found[name.lower()] = environ[name].rstrip("/")
    return msgspec.convert(found | {k: v for k, v in given.items() if v is not None}, Settings)


def _app(environ: Mapping[str, str]) -> AppKey | None:
    """The App by its id and key. Raises `ConfigurationError` when only one of the two is given."""
    number, key = environ.get("FLEET_BOT_APP_ID", "").strip(), environ.get("FLEET_BOT_APP_PRIVATE_KEY", "")
    if not number and not key:
        return None
    if not number or not key:
        msg = "Of the GitHub App there is only the " + ("id." if number else "private key.")
        raise ConfigurationError(msg, "Set both FLEET_BOT_APP_ID and FLEET_BOT_APP_PRIVATE_KEY, or neither.")
    # Secrets are often pasted with their line ends spelled out.
    return AppKey(id=number, key=key.replace("\\n", "\n").strip() + "\n")


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
