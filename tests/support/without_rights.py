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
    """What pytest said of these tests. Skips where we have no rights to drop, or nobody can run our packages."""
    if os.geteuid() != 0:
        pytest.skip("these tests run without rights already")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    drop = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        home = Path(name)
        home.chmod(0o755)
        python = _python(home / "env")
        place = home / "nobody"
        place.mkdir()
        os.chown(place, NOBODY, NOBODY)
        env = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["-q", "-p", "no:cacheprovider", f"--basetemp={place / 't'}", "-m", "thorough or not thorough"]
        command = [*drop, str(python), "-P", "-m", "pytest", *options, *tests]
        done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def _python(env: Path) -> Path:
    """An environment of the system's own Python with our packages in it: ours may lie where nobody can look."""
    try:
        told = subprocess.run([SYSTEM_PYTHON, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True)
    except OSError:
        pytest.skip(f"there is no {SYSTEM_PYTHON}")
    if told.stdout.decode().strip() != str(sys.version_info[:2]):
        pytest.skip(f"{SYSTEM_PYTHON} is another version than the one that our packages are for")
    made = subprocess.run([SYSTEM_PYTHON, "-m", "venv", "--without-pip", str(env)], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"{SYSTEM_PYTHON} makes no environments: {made.stderr[-200:]}")
    site = next((env / "lib").iterdir()) / "site-packages"
    # Links where that is possible: only read, and two hundred megabytes.
    subprocess.run(["cp", "-rlT", sysconfig.get_path("purelib"), str(site)], check=False, capture_output=True)
    if not (site / "pytest").is_dir():
        subprocess.run(["cp", "-rT", sysconfig.get_path("purelib"), str(site)], check=True)
    return env / "bin" / "python"
