"""The forges that every implementation's suite runs on, each with one repository and a person beside us."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from forge_world import StillClock, commit
from openapi_contract import OpenApi

from bot.base.git import GitDir
from bot.forge.github import GitHubForge
from bot.forge.path import PathForge
from bot.ports import ForgeWrite
from bot.virtual.github.server import VirtualGitHub

TOKEN = "ghp_ours0000000000000000000000000000000"
ALICE = "ghp_alice000000000000000000000000000000"


@dataclass
class World:
    """A forge with the repository `repo`, whose branch `main` is at `base`."""

    forge: ForgeWrite
    repo: str
    bare: GitDir
    objects: GitDir
    base: str
    github: VirtualGitHub | None = None
    clock: StillClock | None = None

    def change(self, name: str = "a.txt", text: str = "new\n", parent: str | None = None) -> str:
        """A commit of ours on top of the base."""
        return commit(self.objects, {"README.md": "hello\n", name: text}, parent or self.base)

    def head(self, branch: str) -> str | None:
        """Where a branch really is."""
        return self.bare.resolve(f"refs/heads/{branch}")


@pytest.fixture(scope="session")
def openapi() -> OpenApi:
    """GitHub's own description of its API."""
    return OpenApi()


def _filled(bare: GitDir, objects: GitDir) -> str:
    base = commit(bare, {"README.md": "hello\n"}, message="first")
    bare.run("update-ref", "refs/heads/main", base)
    bare.run("symbolic-ref", "HEAD", "refs/heads/main")
    objects.fetch(str(bare.path), ["+refs/heads/main:refs/heads/main"])
    return base


@pytest.fixture
def github_world(tmp_path: Path, openapi: OpenApi) -> Iterator[World]:
    """GitHubForge, by real PyGithub and git, at the virtual GitHub."""
    clock = StillClock()
    people = {ALICE: "alice"}
    with VirtualGitHub(
        tmp_path / "github", token=TOKEN, login="fleet-bot", people=people, clock=clock, record=True
    ) as github:
        github.add_repository("acme/widget", default_branch="main")
        bare = GitDir(tmp_path / "github" / "acme" / "widget.git")
        objects = GitDir.init(tmp_path / "objects")
        base = _filled(bare, objects)
        forge = GitHubForge(token=TOKEN, api_url=github.api_url, server_url=github.url, clock=clock)
        yield World(forge=forge, repo="acme/widget", bare=bare, objects=objects, base=base, github=github, clock=clock)
        forge.close()
        assert not github.violations
        # Whatever a test did, what went over the wire has to be what GitHub describes.
        assert not [fault for exchange in github.requests for fault in openapi.faults(exchange)]


@pytest.fixture
def path_world(tmp_path: Path) -> World:
    """PathForge at a bare repository."""
    bare, objects = GitDir.init(tmp_path / "widget.git"), GitDir.init(tmp_path / "objects")
    base = _filled(bare, objects)
    return World(forge=PathForge(), repo=str(bare.path), bare=bare, objects=objects, base=base)


@pytest.fixture(params=["github", "path"])
def world(request: pytest.FixtureRequest) -> World:
    """Every forge in turn."""
    return request.getfixturevalue(f"{request.param}_world")
