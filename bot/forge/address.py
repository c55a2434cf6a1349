"""How a plugin's `repo` names a repository on a server, and where git reaches it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from bot.base.errors import ConfigurationError, ForgeError
from bot.forge.words import plain

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_CURE = "Write `repo` as `owner/name`, or as an https URL on the server of GITHUB_SERVER_URL."


def is_loopback(url: str) -> bool:
    """Whether the URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_server(url: str, name: str) -> str:
    """The URL without a trailing slash. `name` is the setting it came from.

    Raises `ConfigurationError` for what is no http(s) URL, and for plain http to another machine: a token would travel
    in the clear.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname or parts.username is not None:
        msg = f"{name} is no URL of a server."
        raise ConfigurationError(msg, "Write it like https://github.example.com, without a user name.")
    if parts.scheme == "http" and not is_loopback(url):
        msg = f"{name} uses plain http, where everybody on the way could read the token."
        raise ConfigurationError(msg, "Use https.")
    return url.rstrip("/")


def full_name(repo: str, server: str) -> str:
    """`owner/name` of what `repo` says. Raises `ForgeError` for another server, or no name at all."""
    name = repo
    if "://" in repo:
        there, here = _split(repo), urlsplit(server)
        if there is not None and (there.username is not None or there.password is not None):
            # The URL is not repeated: what stands before the @ is a secret.
            raise ForgeError("A `repo` carries a credential in its URL.", "Take it out; GITHUB_TOKEN is used.")
        if there is None or (there.scheme, there.netloc.lower()) != (here.scheme, here.netloc.lower()):
            msg = f"{plain(repo)} is not on {server}."
            raise ForgeError(msg, _CURE)
        if there.query or there.fragment or not there.path.startswith(here.path):
            msg = f"{plain(repo)} is no address of a repository."
            raise ForgeError(msg, _CURE)
        name = there.path.removeprefix(here.path).strip("/")
    name = name.removesuffix(".git")
    if not _NAME.fullmatch(name):
        msg = f"{plain(repo)} names no repository."
        raise ForgeError(msg, _CURE)
    return name


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
