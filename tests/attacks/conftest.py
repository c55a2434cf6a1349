"""The attack suite's world: an arena on each level that confines, and the table of attacks in docs/security.md.

Each test names the cases it stands for with `@attack("13", "…", "…")`. `--write-security` writes the table anew, with
what became of each attack in this run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attack_table
import pytest
from arena import KEY, TOKEN, Arena, cannot
from small_world import World

RESULTS = pytest.StashKey[dict[str, bool]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-security", action="store_true", help="Write the table in docs/security.md anew.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "attack(cases, what, refusal): which attacks a test stands for")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    held = item.session.stash.setdefault(RESULTS, {})
    name = f"{item.path.stem}::{item.originalname if isinstance(item, pytest.Function) else item.name}"
    held[name] = held.get(name, True) and not report.failed
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--write-security", default=False):
        attack_table.write(session.stash.get(RESULTS, {}))


@pytest.fixture(params=["bubblewrap", "landlock"])
def arena(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arena]:
    """On each level in turn. Whatever the test looks at, no canary may have been touched in the end."""
    if (lack := cannot(request.param)) is not None:
        pytest.skip(lack)
    yield from _arena(request.param, tmp_path, monkeypatch)


@pytest.fixture
def anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arena]:
    """On one level, for attacks on what lies outside of the sandbox."""
    level = next((level for level in ("bubblewrap", "landlock") if cannot(level) is None), None)
    if level is None:
        pytest.skip("nothing here confines")
    yield from _arena(level, tmp_path, monkeypatch)


def _arena(level: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arena]:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    opened = Arena(folder, level)  # type: ignore[arg-type]
    try:
        yield opened
        opened.untouched()
    finally:
        opened.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A virtual GitHub, a virtual Gemini and the real command line."""
    with World(tmp_path) as running:
        running.settings["sandbox"] = "strict"
        yield running
