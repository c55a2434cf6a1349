"""Rooms and sandboxes on every level that this machine has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from planted_profiles import plant

from bot.base.git import GitDir
from bot.base.values import Network
from bot.ports import Sandbox
from bot.sandbox.ground import Ground
from bot.sandbox.launcher import Launcher, Level, Room
from bot.virtual.profile_reader import read_profile
from bot.virtual.sandbox import VirtualSandbox


class Opener:
    """Opens sandboxes of one level on a workspace, and closes them after the test."""

    def __init__(self, level: Level, folder: Path) -> None:
        self.level, self.launcher = level, launcher(level)
        self.folder = folder
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.git = GitDir.init(folder / "git")
        self.opened: list[Sandbox] = []

    def __call__(self, network: Network = "none", **more: object) -> Sandbox:
        private = self.folder / f"private-{len(self.opened)}"
        private.mkdir()
        room = Room(workspace=self.workspace, history=self.git, private=private, network=network, **more)  # type: ignore[arg-type]
        sandbox = self.launcher.open(room)
        self.opened.append(sandbox)
        return sandbox


_LAUNCHERS: dict[Level, Launcher] = {}


def launcher(level: Level) -> Launcher:
    """One per process and level, because each proves its level once."""
    if level != "none" and (lack := Ground.survey().lacks(level, "none")):
        pytest.skip(lack)
    return _LAUNCHERS.setdefault(level, Launcher(level=level, best_effort=level == "none"))


@pytest.fixture(params=["bubblewrap", "landlock", "none"])
def level(request: pytest.FixtureRequest) -> Level:
    return request.param


@pytest.fixture(params=["bubblewrap", "landlock"])
def confined(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Only the levels that confine."""
    yield from _opener(request.param, tmp_path)


@pytest.fixture
def opener(level: Level, tmp_path: Path) -> Iterator[Opener]:
    yield from _opener(level, tmp_path)


@pytest.fixture
def sandbox(opener: Opener) -> Sandbox:
    return opener()


def _opener(level: Level, folder: Path) -> Iterator[Opener]:
    opener = Opener(level, folder)
    yield opener
    for sandbox in opener.opened:
        sandbox.close()


@pytest.fixture(params=["virtual", "bubblewrap", "landlock", "none"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sandbox]:
    """Every implementation of the port, on an empty workspace."""
    if request.param != "virtual":
        for opener in _opener(request.param, tmp_path):
            yield opener()
        return
    profile = plant(tmp_path / "empty", "summary: nothing yet\n", {})
    yield VirtualSandbox(read_profile(profile), seed=1)


@pytest.fixture(scope="session")
def python() -> str:
    """An interpreter without a virtual environment, which every sandbox shows."""
    return str(getattr(sys, "_base_executable", sys.executable))
