"""Set-ups as real plugins have them: extras from a wheelhouse, an editable install, a version from git tags. Dependency
groups, which need an index for a pip that knows them, are in `test_real_plugins.py`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path

from raw_git import raw_tree
from small_world import World, commit, git

STAMP = """
    ---
    id: stamp
    version: 1.0.0
    summary: Put a stamp into every plugin.
    mode: script
    script: |
        printf 'stamped\\n' > STAMP
        printf 'VALUE = 2\\n' > src/plugin_of_ours/value.py
    pull_request: {title: Stamp, body: A stamp.}
    ---
    """
# A build backend of the plugin's own, so that nothing has to be downloaded.
BACKEND = """
import base64, hashlib, os, subprocess, zipfile


def version():
    words = ["git", "describe", "--tags", "--abbrev=0"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip().lstrip("v")


def get_requires_for_build_editable(config_settings=None):
    return []


def build_editable(folder, config_settings=None, metadata_directory=None):
    name = f"plugin_of_ours-{version()}"
    with open("src/plugin_of_ours/_version.py", "w") as file:
        file.write(f"VERSION = {version()!r}\\n")
    metadata = f"Metadata-Version: 2.1\\nName: plugin-of-ours\\nVersion: {version()}\\nProvides-Extra: test\\n"
    metadata += "Requires-Dist: helper-of-ours>=1; extra == \\"test\\"\\n"
    files = {
        "plugin_of_ours.pth": os.path.abspath("src") + "\\n",
        f"{name}.dist-info/METADATA": metadata,
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\\n"
    files[f"{name}.dist-info/RECORD"] = record
    with zipfile.ZipFile(os.path.join(folder, f"{name}-py3-none-any.whl"), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return f"{name}-py3-none-any.whl"
"""
CHECK = """
import importlib.metadata
import sys
import unittest

import helper_of_ours
import plugin_of_ours.value


class It(unittest.TestCase):
    def test_it(self):
        self.assertEqual(importlib.metadata.version("plugin-of-ours"), "1.4.0")
        self.assertEqual(helper_of_ours.ANSWER, 42)
        self.assertNotEqual(sys.prefix, sys.base_prefix)
        self.assertIn(plugin_of_ours.value.VALUE, {1, 2})
"""
FILES: dict[str, str | bytes] = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": BACKEND,
    "src/plugin_of_ours/__init__.py": "",
    "src/plugin_of_ours/value.py": "VALUE = 1\n",
    "test_it.py": CHECK,
}


def wheel(name: str, version: str, module: str) -> bytes:
    """A wheel with one module."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return data.getvalue()


def test_extras_an_editable_install_and_a_version_from_tags(world: World) -> None:
    world.playbook("stamp", STAMP)
    setup = "python -m pip install --no-index --find-links wheels -e .[test]"
    work = world.plugin("scm", None, setup=setup, test="python -m unittest")
    commit(
        work, FILES | {"wheels/helper_of_ours-1.0-py3-none-any.whl": wheel("helper_of_ours", "1.0", "ANSWER = 42\n")}
    )
    git(work, "tag", "v1.4.0")
    commit(work, {"later": "x\n"})
    git(work, "push", "--quiet", "origin", "main", "--tags")
    done = world.run("stamp")
    row = done.task("scm")
    assert row["outcome"] == "changed", (row["reason"], done.err)
    assert row["files"] == ["STAMP", "src/plugin_of_ours/value.py"]
    verification = json.loads(Path(row["proposal"]).read_text(encoding="utf-8"))["verification"]
    assert (verification["base"]["passed"], verification["head"]["passed"]) == (1, 1)
    assert b"src/plugin_of_ours/_version.py" not in raw_tree(world.bare("scm"), f"refs/heads/{row['branch']}")


def test_a_set_up_that_fails_says_what_the_tool_said(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", FILES, setup="echo 'no matching distribution: left-pad' >&2; exit 7")
    world.plugin("slow", FILES, setup="sleep 60", limits={"command_seconds": 0.5})
    done = world.run("stamp")
    assert done.json["totals"] == {"failed": 2}
    assert "no matching distribution: left-pad" in done.task("a")["reason"]
    assert "by hand in a fresh clone" in done.task("a")["reason"]
    assert "no end after 0.5 s" in done.task("slow")["reason"]
