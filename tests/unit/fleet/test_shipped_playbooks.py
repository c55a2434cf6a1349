"""What the shipped playbooks ask and do, tried out in real folders with a real shell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.base.glob import matches
from bot.base.values import Plugin, Task
from bot.fleet.manifest import Manifest
from bot.fleet.plan import make_plan
from bot.fleet.playbook import find_playbooks, read_playbook

Planned = Callable[..., Task]


@pytest.fixture
def planned() -> Planned:
    """A task of a shipped playbook."""

    def make(name: str, version_file: str | None = "pyproject.toml", **variables: str) -> Task:
        fleet = Manifest(file=Path("f"), plugins=(Plugin(name="a", repo="acme/a", version_file=version_file),))
        return make_plan(fleet, read_playbook(find_playbooks(None)[name]), variables=variables).tasks[0]

    return make


def succeeds(command: str | None, folder: Path, **variables: str) -> bool:
    assert command is not None
    return subprocess.run(["sh", "-c", command], cwd=folder, env=variables or None, capture_output=True).returncode == 0


def test_a_bump_is_done_when_version_file_and_change_log_have_the_version(planned: Planned, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('version = "1.4.2"\n')
    (tmp_path / "CHANGE_LOG.md").write_text("# Change log\n")
    (asked,) = planned("bump_version", version="1.5.0").playbook.done_if
    assert not succeeds(asked.command, tmp_path)
    (tmp_path / "pyproject.toml").write_text('version = "1.5.0"\n')
    assert not succeeds(asked.command, tmp_path)
    (tmp_path / "CHANGE_LOG.md").write_text("# Change log\n\n## 1.5.0\n")
    assert succeeds(asked.command, tmp_path)


@pytest.mark.parametrize(("version_file", "variables"), [("pyproject.toml", {}), (None, {"version": "1.5.0"})])
def test_a_bump_that_nobody_can_ask_about_is_not_done(
    planned: Planned, tmp_path: Path, version_file: str | None, variables: dict[str, str]
) -> None:
    (tmp_path / "pyproject.toml").write_text('version = "1.5.0"\n')
    (tmp_path / "CHANGE_LOG.md").write_text("1.5.0\n")
    (asked,) = planned("bump_version", version_file, **variables).playbook.done_if
    assert not succeeds(asked.command, tmp_path)


def test_a_copy_is_done_when_the_files_are_the_same(planned: Planned, tmp_path: Path) -> None:
    playbook = planned("copy_file", source="a file.txt", target="b.txt").playbook
    (asked,) = playbook.done_if
    (tmp_path / "a file.txt").write_bytes(b"x\r\n")
    assert not succeeds(asked.command, tmp_path)
    (tmp_path / "b.txt").write_bytes(b"x\n")
    assert not succeeds(asked.command, tmp_path)
    (tmp_path / "b.txt").write_bytes(b"x\r\n")
    assert succeeds(asked.command, tmp_path)
    assert succeeds(playbook.verification.commands[0], tmp_path)
    assert playbook.allowed_paths == ("b.txt",)


def test_a_description_is_done_when_some_metadata_has_it(planned: Planned, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"description": "Counts -- and sums"}')
    (asked,) = planned("update_description", description="Counts -- and sums").playbook.done_if
    assert succeeds(asked.command, tmp_path)
    (other,) = planned("update_description", description="Sums").playbook.done_if
    assert not succeeds(other.command, tmp_path)
    (none,) = planned("update_description").playbook.done_if
    assert not succeeds(none.command, tmp_path)


@pytest.mark.parametrize(
    ("path", "line", "applies"),
    [
        ("pyproject.toml", 'dependencies = ["requests>=2.1", "rich"]', True),
        ("requirements/dev-requirements.txt", "Requests==2.1  # web", True),
        ("packages/a/package.json", '    "requests": "^2.1.0",', True),
        ("requirements.txt", "requests", True),
        ("requirements.txt", "requests-mock==1.0", False),
        ("requirements.txt", "types-requests==1.0", False),
        ("README.md", "requests>=2.1", False),
    ],
)
def test_a_dependency_is_updated_where_somebody_asks_for_it(
    planned: Planned, path: str, line: str, applies: bool
) -> None:
    (asked,) = planned("update_dependency", dependency="requests", version="2.32.5").playbook.applies_if
    assert asked.contains is not None
    found = matches(path, asked.contains.path) and re.search(asked.contains.pattern, line, re.MULTILINE)
    assert bool(found) is applies


def test_the_script_writes_an_editorconfig_and_leaves_one_that_is_there(planned: Planned, tmp_path: Path) -> None:
    playbook = planned("add_editorconfig", indent_size="2").playbook
    assert succeeds(playbook.script, tmp_path, VAR_INDENT_SIZE="2", VAR_LINE_LENGTH="100")
    text = (tmp_path / ".editorconfig").read_text()
    assert text.startswith("root = true\n\n[*]\ncharset = utf-8\n")
    assert "indent_size = 2\nmax_line_length = 100\n" in text
    assert "[*.md]\ntrim_trailing_whitespace = false" in text
    assert succeeds(playbook.script, tmp_path, VAR_INDENT_SIZE="8", VAR_LINE_LENGTH="0")
    assert (tmp_path / ".editorconfig").read_text() == text
    assert [condition.exists for condition in playbook.done_if] == [".editorconfig"]


def test_the_script_fails_when_it_cannot_write(planned: Planned, tmp_path: Path) -> None:
    (tmp_path / ".editorconfig").symlink_to(tmp_path / "none" / "there")
    script = planned("add_editorconfig").playbook.script
    assert not succeeds(script, tmp_path, VAR_INDENT_SIZE="4", VAR_LINE_LENGTH="0")
