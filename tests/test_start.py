"""What happens before a command does anything: whose code is loaded, and how much of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SDKS = ("github", "git", "google.genai", "google", "rich", "jinja2", "dotenv", "multiprocessing")
FOREIGN = "raise SystemExit('a foreign bot was imported')\n"


def loaded(arguments: list[str], folder: Path) -> set[str]:
    """The modules that a command line loads, as the interpreter itself tells."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "bot", *arguments], cwd=folder, capture_output=True, text=True
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("arguments", [["--help"], ["validate"], ["--version"]])
def test_help_and_validate_load_no_sdk(arguments: list[str], project: Path) -> None:
    found = loaded(arguments, project)
    assert "bot.cli.main" in found
    assert not found & set(SDKS)


@pytest.mark.parametrize("how", ["console script", "module"])
def test_a_callers_own_folder_named_bot_is_not_imported_instead_of_ours(tmp_path: Path, how: str) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text(FOREIGN)
    (tmp_path / "bot" / "__main__.py").write_text(FOREIGN)
    script = Path(sys.executable).with_name("fleet-bot")
    command = [str(script)] if how == "console script" else [sys.executable, "-P", "-m", "bot"]
    done = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "fleet-bot" in done.stdout


def test_a_key_given_on_the_command_line_leaves_it_at_once(tmp_path: Path) -> None:
    """`validate` reads the manifest from a pipe that nobody writes, so the process can be looked at while it waits."""
    pipe = tmp_path / "fleet.yaml"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bot", "validate", "--manifest", str(pipe), "--api-key", "AIza-canary"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with pipe.open("w") as stream:  # returns when the process has opened the other end
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
            stream.write("version: 1\nplugins: []\n")
    finally:
        process.communicate(timeout=30)
    assert b"validate" in arguments
    assert b"canary" not in arguments
    assert b"canary" not in environment


def test_keys_and_tokens_leave_the_environment_before_a_repositorys_code_runs(tmp_path: Path) -> None:
    """What a process was started with stays readable in /proc, whatever it unsets afterwards."""
    pipe = tmp_path / "fleet.yaml"
    os.mkfifo(pipe)
    secrets = {"GEMINI_API_KEY": "AIza-canary", "GITHUB_TOKEN": "ghp-canary"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bot", "propose", "x", "--manifest", str(pipe), "--out", str(tmp_path / "out")],
        env=os.environ | secrets,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with pipe.open("w") as stream:
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
            stream.write("version: 1\nplugins: []\n")
    finally:
        process.communicate(timeout=30)
    assert b"PATH=" in environment
    assert b"canary" not in environment
