"""The confinement suite once more as a user without any rights, for those who run the tests as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

NOBODY = 65534
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.mark.timeout(300)
def test_every_level_holds_for_a_user_without_rights(project: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("these tests run without rights already")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    drop = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    places = f"{project}:{sysconfig.get_path('purelib')}"
    # A user without rights may not execute a Python in root's home, so the system's own has to do.
    python = next((name for name in (SYSTEM_PYTHON, sys.executable) if usable(drop, name, places)), None)
    if python is None:
        pytest.skip("no Python that a user without rights can run with our packages")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        home = Path(name)
        os.chown(home, NOBODY, NOBODY)
        env = {"PATH": "/usr/bin:/bin", "HOME": name, "PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [*drop, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={home / 't'}"]
        done = subprocess.run(
            [*command, "tests/contract/sandbox/test_confinement.py"],
            cwd=project,
            env=env,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def usable(drop: list[str], python: str, places: str) -> bool:
    code = f"import msgspec, pytest, sys; raise SystemExit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        done = subprocess.run([*drop, python, "-c", code], env={"PYTHONPATH": places}, capture_output=True, cwd="/")
    except OSError:
        return False
    return done.returncode == 0
