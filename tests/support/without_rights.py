"""Runs a part of the suite as a user without any rights, for those who run the tests as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

NOBODY = 65534
SYSTEM_PYTHON = "/usr/bin/python3"


def without_rights(project: Path, *tests: str) -> str:
    """What pytest said of these tests. Skips where we have no rights to drop, or nobody can run our Python."""
    if os.geteuid() != 0:
        pytest.skip("these tests run without rights already")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    drop = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    places = f"{project}:{sysconfig.get_path('purelib')}"
    # A user without rights may not execute a Python in root's home, so the system's own has to do.
    python = next((name for name in (SYSTEM_PYTHON, sys.executable) if _usable(drop, name, places)), None)
    if python is None:
        pytest.skip("no Python that a user without rights can run with our packages")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        home = Path(name)
        os.chown(home, NOBODY, NOBODY)
        env = {"PATH": "/usr/bin:/bin", "HOME": name, "PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["-q", "-p", "no:cacheprovider", f"--basetemp={home / 't'}", "-m", "thorough or not thorough"]
        command = [*drop, python, "-m", "pytest", *options, *tests]
        done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def _usable(drop: list[str], python: str, places: str) -> bool:
    code = f"import msgspec, pytest, sys; raise SystemExit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        done = subprocess.run([*drop, python, "-c", code], env={"PYTHONPATH": places}, capture_output=True, cwd="/")
    except OSError:
        return False
    return done.returncode == 0
