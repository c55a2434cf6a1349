"""Files of a fleet, written by a test and read by the real readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.base.errors import ConfigurationError
from bot.base.values import Playbook
from bot.fleet.manifest import Manifest, read_manifest
from bot.fleet.playbook import read_playbook

WritePlaybook = Callable[..., Path]


@pytest.fixture
def fleet_file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes `fleet.yaml`."""

    def write(text: str | bytes) -> Path:
        file = tmp_path / "fleet.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


@pytest.fixture
def fleet(fleet_file: Callable[[str | bytes], Path]) -> Callable[[str], Manifest]:
    """Reads a manifest from its text."""
    return lambda text: read_manifest(fleet_file(text))


@pytest.fixture
def playbook_file(tmp_path: Path) -> WritePlaybook:
    """Writes a playbook from the lines of its front matter and its text; id, version and summary come by themselves."""

    def write(front: str = "", body: str = "Do it.\n", *, name: str = "work", whole: str | bytes | None = None) -> Path:
        folder = tmp_path / "playbooks"
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}.md"
        text = whole if whole is not None else f"---\nid: {name}\nversion: 1.0.0\nsummary: Works.\n{front}---\n{body}"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


@pytest.fixture
def playbook(playbook_file: WritePlaybook) -> Callable[..., Playbook]:
    """Reads a playbook from the lines of its front matter and its text."""

    def make(front: str = "pull_request: {title: Work}\n", body: str = "Do it.\n") -> Playbook:
        return read_playbook(playbook_file(front, body))

    return make


@pytest.fixture
def problems() -> Callable[[Callable[[], object]], list[str]]:
    """What a reader finds wrong, without the folder: `fleet.yaml:3: what → cure`."""

    def of(read: Callable[[], object]) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            read()
        return [_short(str(problem)) for problem in caught.value.problems]

    return of


def _short(text: str) -> str:
    path, colon, rest = text.partition(":")
    return Path(path).name + colon + rest
