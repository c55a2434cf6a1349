"""Where the model's key comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.base.errors import ConfigurationError
from bot.fleet.keys import find_key, missing_key


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A project and an environment in which every source has a key of its own."""
    project, home = tmp_path / "project", tmp_path / "home"
    for folder, key in ((project, "from-project"), (home, "from-home")):
        folder.mkdir()
        (folder / ".env").write_text(f"# keys\nOTHER=x\nexport GEMINI_API_KEY='{key}'\n")
    return project, {"HOME": str(home), "GEMINI_API_KEY": "from-environment"}


def test_the_order_is_command_line_project_environment_home(places: tuple[Path, dict[str, str]]) -> None:
    project, environ = places
    assert find_key("given", project, environ) == "given"
    assert find_key(None, project, environ) == "from-project"
    (project / ".env").unlink()
    assert find_key(None, project, environ) == "from-environment"
    del environ["GEMINI_API_KEY"]
    assert find_key(None, project, environ) == "from-home"
    (Path(environ["HOME"]) / ".env").unlink()
    assert find_key(None, project, environ) is None


def test_inside_actions_only_the_input_and_the_environment_count(places: tuple[Path, dict[str, str]]) -> None:
    project, environ = places
    environ["GITHUB_ACTIONS"] = "true"
    assert find_key("given", project, environ) == "given"
    assert find_key(None, project, environ) == "from-environment"
    del environ["GEMINI_API_KEY"]
    assert find_key(None, project, environ) is None


@pytest.mark.parametrize("nothing", ["", "   "])
def test_what_is_empty_is_not_a_key(places: tuple[Path, dict[str, str]], nothing: str) -> None:
    project, environ = places
    (project / ".env").write_text(f"GEMINI_API_KEY={nothing}\n")
    assert find_key(nothing, project, environ | {"GEMINI_API_KEY": nothing}) == "from-home"


def test_white_space_around_a_key_is_not_part_of_it(tmp_path: Path) -> None:
    assert find_key(" key\n", tmp_path, {"HOME": str(tmp_path)}) == "key"


def test_nothing_else_of_an_env_file_takes_effect_and_nothing_is_expanded(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTPS_PROXY=http://evil.example\nGEMINI_API_KEY=a$HOME${HOME}\n")
    before = dict(os.environ)
    assert find_key(None, tmp_path, {"HOME": "/nowhere"}) == "a$HOME${HOME}"
    assert dict(os.environ) == before


def test_an_env_file_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfGEMINI_API_KEY=key\r\n")
    assert find_key(None, tmp_path, {"HOME": "/nowhere"}) == "key"


def test_an_env_file_that_is_no_text_is_said_without_its_content(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"GEMINI_API_KEY=secret\xff\n")
    with pytest.raises(ConfigurationError, match="it is not UTF-8") as caught:
        find_key(None, tmp_path, {"HOME": "/nowhere"})
    assert "secret" not in str(caught.value)


def test_a_folder_called_env_is_no_file(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert find_key(None, tmp_path, {"HOME": "/nowhere"}) is None


def test_without_home_in_the_environment_the_users_own_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".env").write_text("GEMINI_API_KEY=key\n")
    assert find_key(None, tmp_path / "project", {}) == "key"


def test_a_missing_key_says_all_four_ways() -> None:
    said = str(missing_key())
    for way in ("--api-key KEY", ".env beside fleet.yaml", "environment variable GEMINI_API_KEY", "~/.env", "Actions"):
        assert way in said
