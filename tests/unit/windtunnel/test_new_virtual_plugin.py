"""What `fleet-bot virtual new` makes flies as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.base.errors import UsageError
from bot.cli.main import run
from bot.fleet.playbook import find_playbooks, read_playbook
from bot.virtual.new import TEMPLATES, start
from bot.windtunnel.pilots import ScriptedPilot
from bot.windtunnel.scenario import find_scenarios
from bot.windtunnel.trial import fly

FLOWN = {
    "bug": "fix_bug",
    "version": "bump_version",
    "dependency": "update_dependency",
    "description": "update_description",
    "nothing": "update_description",
    "hostile": "fix_bug",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_it_is_complete(tmp_path: Path, template: str) -> None:
    assert run(["virtual", "new", "mine", "--from", template, "--dir", str(tmp_path)]) == 0
    playbook = read_playbook(find_playbooks(None)[FLOWN[template]])
    (scenario,) = find_scenarios(playbook, (tmp_path,), ("mine",))
    assert fly(scenario, 0, ScriptedPilot()).result == "passed"
    whole = b"".join(file.read_bytes() for file in (tmp_path / "mine").rglob("*") if file.is_file())
    assert TEMPLATES[template].encode() not in whole


def test_a_name_is_not_taken_twice_and_is_a_word(tmp_path: Path) -> None:
    start("mine", "bug", tmp_path)
    for name in ("mine", "My-Plugin", "../x"):
        with pytest.raises(UsageError):
            start(name, "bug", tmp_path)


@pytest.mark.parametrize("name", ["class", "test", "json", "tests", "conftest", "pytest", "true"])
def test_a_name_that_means_something_else_is_refused(tmp_path: Path, name: str) -> None:
    """A package of that name cannot be imported, or is found instead of what the tests import."""
    with pytest.raises(UsageError, match=f"{name} is no name for a virtual plugin"):
        start(name, "bug", tmp_path)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("words", [["new", "mine"], ["mutate", "mine"]], ids=lambda words: words[0])
def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert run(["virtual", *words, "--dir", str(tmp_path / "file")]) == 1
    assert f"{tmp_path / 'file' / 'mine'} cannot be written: Not a directory." in capsys.readouterr().err


def test_a_mutant_has_its_place_in_the_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["virtual", "mutate", "../mine", "--dir", str(tmp_path / "fleet")]) == 2
    assert "../mine is no name for a virtual plugin" in capsys.readouterr().err
