"""node's own test runner, virtual and real on the same files: the same tests, the same ends, the same exit code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from planted_profiles import plant

from bot.trace.junit import junit
from bot.virtual.js_tests import closes, found
from bot.virtual.profile_reader import read_profile
from bot.virtual.sandbox import VirtualSandbox
from bot.virtual.tree import node

HEAD = 'import assert from "node:assert/strict";\nimport { test, it } from "node:test";\n'
SUITES = {
    "green": HEAD + 'test("one", () => {});\ntest(\'two words\', async () => {\n  assert.ok(/[)"]/.test(")"));\n});\n',
    "red": HEAD + 'test("good", () => {});\ntest("bad", () => { assert.equal(1, 2); });\n',
    "skipped": HEAD
    + 'test.skip("left out", () => {});\nit("kept", () => {});\ntest("by option", { skip: true }, () => {});\n',
    "broken": HEAD + 'test("open", () => {\n',
    "empty": HEAD,
}
RULES = """
summary: s
files: {package.json: '{"type": "module"}'}
from: repo
suite:
  runner: node
  files: ["*.test.mjs"]
  fails: [{body: 'assert.equal\\(1, 2\\)', says: "Expected values to be strictly equal"}]
commands: [{run: [node --test, npm test], respond: {suite: true}}]
"""
REPORT = "node --test --test-reporter=junit --test-reporter-destination=out.xml"


def opened(folder: Path, suite: str) -> VirtualSandbox:
    return VirtualSandbox(read_profile(plant(folder, RULES, {"a.test.mjs": SUITES[suite]})))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
@pytest.mark.parametrize("suite", ["green", "red", "skipped", "broken"])
def test_it_ends_as_the_real_one(tmp_path: Path, suite: str) -> None:
    sandbox = opened(tmp_path / "virtual", suite)
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "a.test.mjs").write_text(SUITES[suite], encoding="utf-8")
    real = subprocess.run(REPORT.split(), cwd=folder, capture_output=True, check=False)
    done = sandbox.run(REPORT, timeout=9)
    assert (done.exit_code, done.stdout) == (real.returncode, real.stdout)
    mine, theirs = junit(sandbox.read("out.xml").data), junit((folder / "out.xml").read_bytes())
    assert ends(mine) == ends(theirs)


def ends(tests: dict[str, str] | None) -> dict[str, str]:
    """Tests and how they ended; a file that cannot be loaded has a name that depends on where it lies."""
    return {re.sub(r"(?<=test::).*(?=a\.test\.mjs)", "", name): end for name, end in (tests or {}).items()}


def test_what_it_prints_is_counted(tmp_path: Path) -> None:
    said = opened(tmp_path, "red").run("node --test", timeout=9)
    assert said.exit_code == 1
    assert b"not ok 2 - bad\n" in said.stdout
    assert b"# pass 1\n# fail 1\n" in said.stdout
    assert opened(tmp_path / "one", "green").run("npm test", timeout=9).exit_code == 0
    assert b"# tests 0" in opened(tmp_path / "two", "empty").run("node --test", timeout=9).stdout


@pytest.mark.parametrize("words", ["--test-only", "--test-name-pattern=one", "--nonsense"])
def test_an_option_that_is_not_modelled_is_a_miss(tmp_path: Path, words: str) -> None:
    done = opened(tmp_path, "green").run(f"node --test {words}", timeout=9)
    assert (done.exit_code, done.stdout, done.coverage_miss) == (9, b"", True)
    assert done.stderr.startswith(b"node: bad option: --")


def test_what_runs_no_test_counts_none(tmp_path: Path) -> None:
    done = opened(tmp_path, "green").run("node --test --version", timeout=9)
    assert (done.exit_code, done.stdout[:1], done.coverage_miss) == (0, b"v", False)
    assert opened(tmp_path / "npm", "green").run("npm test --silent -- --test-reporter=tap", timeout=9).exit_code == 0


def test_one_file_of_several_can_be_run_and_a_source_that_does_not_parse_breaks_them(tmp_path: Path) -> None:
    sandbox = opened(tmp_path, "green")
    sandbox.write("b.test.mjs", SUITES["red"].encode())
    assert sandbox.run("node --test a.test.mjs", timeout=9).exit_code == 0
    assert sandbox.run("node --test", timeout=9).exit_code == 1
    sandbox.write("source.mjs", b"export function f( {\n")
    assert sandbox.run("node --test a.test.mjs", timeout=9).exit_code == 1


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("f(a, [b], {c: 1});", True),
        ("f(')', \"(\", `[`); // {\n/* ( */", True),
        ('x = /[("]/.test(y); z = a / b / c;', True),
        ("return /\\//g", True),
        ("f(a", False),
        ("f(a))", False),
        ("f([)]", False),
        ("x = 'open\n", False),
    ],
)
def test_brackets_and_texts_have_to_close(text: str, whole: bool) -> None:
    assert closes(text) is whole


def test_the_source_of_a_test_ends_where_the_next_one_begins() -> None:
    tests = found(node(SUITES["red"].encode()))
    assert tests is not None
    assert [(name, "1, 2" in body, skipped) for name, body, skipped in tests] == [
        ("good", False, False),
        ("bad", True, False),
    ]
