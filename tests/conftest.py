"""Guards for the whole suite: no network but loopback, no keys, a home and git configuration of its own."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("same-every-time", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("same-every-time")

for name in list(os.environ):
    if name.startswith(("GIT_", "GITHUB_", "GEMINI_", "GOOGLE_", "ACTIONS_", "FLEET_BOT_")):
        del os.environ[name]
os.environ |= {
    "NO_PROXY": "127.0.0.1,localhost",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.invalid",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.invalid",
    "NO_COLOR": "1",
    "TZ": "UTC",
}

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    if self.family in {socket.AF_INET, socket.AF_INET6}:
        host = address[0]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            msg = f"a test wants to reach {host}: only loopback is allowed here"
            raise AssertionError(msg)
    _connect(self, address)


@pytest.fixture(autouse=True)
def _guards(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="session")
def fleet_bot() -> list[str]:
    """The command line of the real program, run as a process from any folder."""
    return [sys.executable, "-P", "-m", "bot"]


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's own root."""
    return Path(__file__).resolve().parent.parent


_LONG = ("tests/attacks/", "tests/contract/sandbox/")
"""Folders whose tests start so many processes, on each level, that they are for `make thorough`; the virtual sandbox starts none."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(_LONG) and "[virtual" not in item.nodeid:
            item.add_marker(pytest.mark.thorough)
