"""Real code: three pytest plugins as they are on PyPI, each a repository in a folder, with their own test suites and
set-ups (versions from git tags, extras, a dependency group). Skipped where no package index can be reached.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from once import once
from small_playbooks import STAMP
from small_world import World, commit, git

pytestmark = pytest.mark.thorough

TEST = "python -m pytest -q -p no:cacheprovider"
PLUGINS = {
    "pytest-repeat": {"setup": "python -m pip install -e .", "test": TEST},
    "pytest-mock": {"setup": "python -m pip install -e . pytest-asyncio", "test": TEST},
    "pytest-env": {"setup": "python -m pip install -e . --group test", "test": TEST},
}
RIGHT, WRONG = "            range(count),\n", "            range(min(count, 9)),\n"
LAST = "        result = testdir.runpytest('--count', '2', '--repeat-scope', 'a')\n        assert result.ret == 4\n"
NEW_TEST = """
    def test_a_large_count_is_not_cut(self, testdir):
        testdir.makepyfile("def test_it(): pass")
        testdir.runpytest('--count', '12').assert_outcomes(passed=12)
"""
FIX = {
    "rules": [
        {"when": {"step": 0}, "calls": [{"read_file": {"path": p}} for p in ("test_repeat.py", "pytest_repeat.py")]},
        {
            "when": {"result": {"tool": "read_file", "contains": WRONG.strip()}},
            "calls": [{"edit_file": {"path": "test_repeat.py", "old": LAST, "new": LAST + NEW_TEST}}],
        },
        {
            "when": {"result": {"tool": "edit_file", "contains": "test_repeat.py"}},
            "calls": [{"run_shell_command": {"command": TEST}}],
        },
        {
            "when": {"result": {"tool": "run_shell_command", "contains": "1 failed"}},
            "calls": [{"edit_file": {"path": "pytest_repeat.py", "old": WRONG, "new": RIGHT}}],
        },
        {
            "when": {"result": {"tool": "edit_file", "contains": "edited pytest_repeat.py"}},
            "calls": [{"run_shell_command": {"command": TEST}}],
        },
        {
            "when": {"result": {"tool": "run_shell_command", "contains": "passed", "lacks": "failed"}},
            "say": "**Error:** 12 repeats were 9. **Cause:** the count was cut. **Fix:** it is not. **Test:** one more.",
        },
    ]
}


def source(name: str, folder: Path) -> str:
    """The source distribution of a package; where there is none to be had, why not."""
    words = ["download", "--quiet", "--no-deps", "--no-binary", name, "--retries", "1", "--timeout", "5", "-d"]
    try:
        command = [sys.executable, "-m", "pip", *words, str(folder), name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    except subprocess.TimeoutExpired:
        return "no answer in time"
    if done.returncode != 0:
        return next(iter(done.stderr.strip().splitlines()[-1:]), "pip failed")[:200]
    return str(next(folder.glob(f"{name.replace('-', '_')}-*.tar.gz")))


def unpacked(archive: Path, folder: Path) -> Path:
    """A repository with the files of a source distribution, tagged with its version."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    place = folder / archive.name.removesuffix(".tar.gz")
    git(place, "init", "--quiet", "--initial-branch=main")
    commit(place, {}, "as released")
    git(place, "tag", f"v{place.name.rpartition('-')[2]}")
    return place


def download(folder: Path) -> dict[str, Any]:
    with ThreadPoolExecutor(len(PLUGINS)) as pool:
        return dict(zip(PLUGINS, pool.map(lambda name: source(name, folder), PLUGINS), strict=True))


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The three plugins as a fleet of folders."""
    archives = once(tmp_path_factory, "real-plugins", download)
    if missing := [why for why in archives.values() if not Path(why).is_file()]:
        pytest.skip(f"no package index can be reached: {missing[0]}")
    with World(tmp_path / "world") as running:
        for name, archive in archives.items():
            place = unpacked(Path(archive), tmp_path / "sources")
            running.entries.append({"name": name, "repo": str(place)} | PLUGINS[name])
        yield running


def place(world: World, name: str) -> Path:
    return Path(next(entry["repo"] for entry in world.entries if entry["name"] == name))


def verification(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(row["proposal"]).read_text(encoding="utf-8"))["verification"]
    return found


@pytest.mark.timeout(600)
def test_a_bug_fix_goes_from_red_to_green(world: World) -> None:
    repeat = place(world, "pytest-repeat")
    bug = (repeat / "pytest_repeat.py").read_text(encoding="utf-8").replace(RIGHT, WRONG)
    commit(repeat, {"pytest_repeat.py": bug}, "a bug")
    world.script("pytest-repeat", "fix_bug", json.dumps(FIX))
    done = world.run("fix_bug", "pytest-repeat", "--bug", "--count 12 repeats only 9 times")
    row = done.task("pytest-repeat")
    assert row["outcome"] == "changed", (row["reason"], done.err)
    proof = verification(row)
    assert [name.rpartition("::")[2] for name in proof["red_before"]] == ["test_a_large_count_is_not_cut"]
    assert proof["base"]["failed"] + proof["base"]["errors"] == 0
    assert proof["head"]["passed"] == proof["base"]["passed"] + 1
    assert RIGHT in git(repeat, "show", f"{row['branch']}:pytest_repeat.py")


@pytest.mark.timeout(600)
def test_a_script_goes_over_all_three(world: World) -> None:
    world.playbook("stamp", STAMP)
    done = world.run("stamp")
    for name in PLUGINS:
        row, repository = done.task(name), place(world, name)
        assert row["outcome"] == "changed", (row["reason"], done.err)
        assert row["files"] == ["STAMP"]
        seen = verification(row)
        assert seen["head"]["per_test"]
        assert seen["head"]["passed"] == seen["base"]["passed"] > 10
        assert git(repository, "show", f"{row['branch']}:STAMP") == "stamped"
        assert git(repository, "status", "--porcelain") == ""
