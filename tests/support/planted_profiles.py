"""A small virtual plugin with a bug, written to disk."""

from __future__ import annotations

from pathlib import Path

CALC: dict[str, str] = {
    "src/calc.py": "def add(a, b):\n    return a - b\n\n\ndef mul(a, b):\n    return a * b\n",
    "tests/test_calc.py": "from calc import add, mul\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\ndef test_mul():\n    assert mul(2, 3) == 6\n",
    "README.md": "# Calc\n\nTODO one\nTODO two\n",
    "pyproject.toml": '[project]\nname = "calc"\nversion = "1.2.3"\n',
    "a b.txt": "space\n",
}
RULES = """
summary: add subtracts
from: repo
facts:
  fixed: {any: [{file: src/calc.py, python: {inside: add, returns: a + b}}, {file: src/calc.py, python: {inside: add, returns: "sum(_)"}}]}
suite:
  files: ["tests/test_*.py"]
  fails: [{unless: fixed, body: 'add\\(1, 2\\) == 3', says: "AssertionError: assert -1 == 3"}]
commands:
  - {run: [pytest, make test], respond: {suite: true, seconds: 1}}
  - {run: build, when: fixed, respond: {stdout: "built\\n"}, set: {built: true}, write: {dist/out.txt: "ok\\n"}}
  - {run: build, respond: {exit: 2, stderr: "cannot build\\n"}}
  - {run: deploy, when: {state: {built: true}}, respond: {stdout: "ready\\n"}}
  - {run: forever, respond: {seconds: 1000}}
"""


def plant(folder: Path, text: str, files: dict[str, str] | None = None) -> Path:
    """Write a virtual plugin to disk; returns its profile's path."""
    for path, content in (CALC if files is None else files).items():
        file = folder / "repo" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    profile = folder / "profile.yaml"
    profile.write_text(text, encoding="utf-8")
    return profile
