"""The command line as a whole: what it lists is there, and what breaks is told in a sentence."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable

import click
import pytest

from bot.base.errors import UsageError
from bot.cli import main as command_line
from bot.cli import secrets


def broken(monkeypatch: pytest.MonkeyPatch, error: Callable[[], BaseException]) -> int:
    """Run a command that raises."""

    @click.command()
    def command() -> None:
        raise error()

    monkeypatch.setitem(command_line.COMMANDS, "broken", (f"{__name__}:command", "Breaks."))
    monkeypatch.setattr(sys.modules[__name__], "command", command, raising=False)
    return command_line.run(["broken"])


@pytest.mark.parametrize("name", command_line.COMMANDS)
def test_every_command_that_help_lists_is_there(name: str) -> None:
    module, _, attribute = command_line.COMMANDS[name][0].partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name == name


def test_a_disk_that_fails_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broken(monkeypatch, lambda: OSError(28, "No space left on device", "/out/report.json")) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: /out/report.json: No space left on device.")
    assert "Traceback" not in said


def test_a_mistake_of_ours_is_one_line_and_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broken(monkeypatch, lambda: KeyError("x\x1b[2J")) == 1
    said = capsys.readouterr().err
    assert "KeyError: 'x" in said
    assert "FLEET_BOT_TRACEBACK=1" in said
    assert "Traceback" not in said
    monkeypatch.setenv("FLEET_BOT_TRACEBACK", "1")
    assert broken(monkeypatch, lambda: KeyError("x")) == 1
    assert "Traceback" in capsys.readouterr().err


def test_no_error_shows_what_looks_like_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "ghp_" + "A1b2C3d4" * 4 + "E5f6"
    monkeypatch.setenv("FLEET_BOT_TRACEBACK", "1")
    assert broken(monkeypatch, lambda: ValueError(f"bad header {token}")) == 1
    assert token not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["run", "x", "--api-key"], ["run", "--api-key", "--json"], ["run", "--api-key="], ["run", "--api-key", ""]],
)
def test_api_key_without_a_key_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(UsageError, match="--api-key needs a key"):
        secrets.take_secrets_from_argv(words)


def test_what_is_wrong_with_the_key_is_told_before_anything_else(fleet_bot: list[str]) -> None:
    done = subprocess.run([*fleet_bot, "run", "x", "--api-key"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --api-key needs a key.")


def test_words_after_two_dashes_are_no_options() -> None:
    assert secrets.take_secrets_from_argv(["run", "--", "--api-key"]) == ["run", "--", "--api-key"]
