"""Mutation operators, and which of their bugs are kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from planted_profiles import plant

from bot.base.errors import UsageError
from bot.virtual.bug import Bug, Outcome, make_bug
from bot.virtual.bug_model import profile_of
from bot.virtual.mutation import OPERATORS, mutants
from bot.virtual.plugin import find_virtual_fleet
from bot.virtual.profile_reader import read_profile
from bot.virtual.sandbox import VirtualSandbox

EXAMPLES = [
    ("compare", "if a < b:\n    pass\n", "if a <= b:\n    pass\n"),
    ("compare", "x = a in b is c\n", "x = a not in b is c\n"),
    ("arithmetic", "x = a + b  # sum\n", "x = a - b  # sum\n"),
    ("arithmetic", "x += 1\n", "x -= 1\n"),
    ("boolean", "x = a and b\n", "x = a or b\n"),
    ("not", "x = not a\n", "x = a\n"),
    ("off-by-one", "x = y[1:]\n", "x = y[2:]\n"),
    ("condition", "x = a if b else c\n", "x = c if b else a\n"),
    ("arguments", "f(a, b, c)\n", "f(b, a, c)\n"),
    ("method", "x = y.strip().lower()\n", "x = y.strip()\n"),
    ("result", "def f():\n    return 1\n", "def f():\n    return None\n"),
    ("statement", "for x in y:\n    continue\n", "for x in y:\n    pass\n"),
]
SOURCES = sorted(file for file in find_virtual_fleet().glob("*/repo/**/*.py"))


@pytest.mark.parametrize(("operator", "source", "wanted"), EXAMPLES)
def test_an_operator_changes_one_place_and_leaves_the_rest_byte_for_byte(
    operator: str, source: str, wanted: str
) -> None:
    assert wanted in {one.source for one in mutants(source) if one.operator == operator}


def test_every_operator_has_an_example_here() -> None:
    assert {operator for operator, _, _ in EXAMPLES} == OPERATORS.keys()


def test_what_stands_around_a_change_keeps_its_meaning() -> None:
    (one,) = (one for one in mutants("x = (a and b) == c\n") if one.operator == "boolean")
    assert ast.unparse(ast.parse(one.source)) == "x = (a or b) == c"
    (one,) = (one for one in mutants("x = a * (b - 1)\n") if (one.operator, one.before) == ("arithmetic", "b - 1"))
    assert ast.unparse(ast.parse(one.source)) == "x = a * (b + 1)"


@pytest.mark.parametrize(
    "source",
    ['"""A docstring with 1 and 2."""\n', "x = 'a' + 'b'\n", "def f(a: int = 1) -> int:\n    pass\n", 'x = f"{1}"\n'],
)
def test_texts_signatures_and_what_only_looks_like_code_are_left_alone(source: str) -> None:
    assert list(mutants(source)) == []


@given(st.sampled_from(SOURCES))
def test_each_mutant_is_another_program_that_differs_at_its_line(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    plain = ast.dump(ast.parse(source))
    for one in mutants(source):
        assert ast.dump(ast.parse(one.source)) != plain
        assert source.splitlines()[: one.line - 1] == one.source.splitlines()[: one.line - 1]


CODE = b"def more(a):\n    return a + 1\n\n\ndef half(a):\n    return a // 2\n"
TESTS = b"from calc import half, more\n\n\ndef test_more():\n    assert more(1) == 2\n\n\ndef test_half():\n    assert half(4) == 2\n"
FILES = {"calc.py": CODE, "test_calc.py": TESTS}


def suite(files: Mapping[str, bytes]) -> Outcome:
    """The two tests, run here as pytest would name them."""
    space: dict[str, object] = {}
    exec(files["calc.py"], space)
    text = files["test_calc.py"].decode()
    names = re.findall(r"def (test_\w+)", text)
    space_of_tests = dict(space)
    exec(text.replace("from calc import half, more\n", ""), space_of_tests)
    tests = {}
    for name in names:
        try:
            space_of_tests[name]()  # type: ignore[operator]
            tests[f"test_calc::{name}"] = "passed"
        except (AssertionError, TypeError):
            tests[f"test_calc::{name}"] = "failed"
    return Outcome(tests=tests, output="E   assert 3 == 2\n")


def bug(**more: object) -> Bug:
    return make_bug(FILES, suite, **{"seed": 0} | more)  # type: ignore[arg-type]


def test_a_bug_is_kept_when_one_test_goes_red_and_another_stays_green() -> None:
    found = bug()
    assert len(found.red) == 1
    left = suite(found.files)
    assert left.named("passed")
    assert not left.named("failed")
    assert found.red[0] not in (left.tests or {})
    assert "assert 3 == 2" in found.report
    assert found.mutant.source.encode() == found.files["calc.py"] != CODE


def test_the_same_seed_makes_the_same_bug_and_another_one_another() -> None:
    assert bug(seed=3) == bug(seed=3)
    assert len({bug(seed=seed).files["calc.py"] for seed in range(12)}) > 1


def test_only_bugs_of_one_kind_are_made_where_that_is_asked_for() -> None:
    assert bug(operator="arithmetic").mutant.operator == "arithmetic"
    with pytest.raises(UsageError, match="no mutation operator"):
        bug(operator="magic")
    with pytest.raises(UsageError, match="None of 0 mutants"):
        bug(operator="boolean")


def test_a_bug_that_no_test_or_every_test_notices_is_dropped() -> None:
    def blind(files: Mapping[str, bytes]) -> Outcome:
        return Outcome(tests={"test_calc::test_more": "passed"})

    def nervous(files: Mapping[str, bytes]) -> Outcome:
        return Outcome(tests={"test_calc::test_more": "passed" if files == FILES else "failed"})

    for run in (blind, nervous):
        with pytest.raises(UsageError, match="no test noticed, or all did"):
            make_bug(FILES, run, seed=0)


def test_a_flaky_suite_keeps_none() -> None:
    runs = iter(range(1000))

    def flaky(files: Mapping[str, bytes]) -> Outcome:
        if files == FILES:
            return suite(files)
        number = next(runs)
        return Outcome(
            tests={"test_calc::test_more": "passed" if number % 2 else "failed", "test_calc::test_half": "passed"}
        )

    with pytest.raises(UsageError, match="None of"):
        make_bug(FILES, flaky, seed=0)


def test_a_suite_that_is_red_or_tells_no_single_tests_is_of_no_use() -> None:
    for tests in (None, {}, {"a::b": "failed"}):
        with pytest.raises(UsageError, match="not green, or its runner names no single tests"):
            make_bug(FILES, lambda files, tests=tests: Outcome(tests=tests), seed=0)  # type: ignore[misc]


def modelled(folder: Path, made: Bug) -> VirtualSandbox:
    """The declarative side of a bug, opened."""
    document = profile_of(made, command="python -m pytest -q", summary="s")
    assert document is not None
    files = {path: data.decode() for path, data in made.files.items()}
    return VirtualSandbox(read_profile(plant(folder, yaml.safe_dump(document), files)))


@pytest.mark.parametrize("seed", range(6))
def test_its_profile_is_green_without_the_tests_red_with_them_and_green_with_the_solution(
    tmp_path: Path, seed: int
) -> None:
    made = bug(seed=seed)
    sandbox = modelled(tmp_path, made)
    assert sandbox.run("pytest -q", timeout=9).exit_code == 0
    sandbox.write("test_calc.py", TESTS)
    assert b"1 failed, 1 passed" in sandbox.run("pytest -q", timeout=9).stdout
    sandbox.write("calc.py", CODE)
    assert b"2 passed" in sandbox.run("pytest -q", timeout=9).stdout


def test_a_test_in_other_words_shows_it_too_and_one_that_asks_something_else_does_not(tmp_path: Path) -> None:
    made = bug(operator="arithmetic")
    call = "more(1)" if "more" in made.red[0] else "half(4)"
    sandbox = modelled(tmp_path, made)
    sandbox.write("test_mine.py", f"from calc import *\n\n\ndef test_mine():\n    assert {call} == 2\n".encode())
    assert sandbox.run("pytest -q test_mine.py", timeout=9).exit_code == 1
    sandbox.write("test_mine.py", b"def test_mine():\n    assert True\n")
    assert sandbox.run("pytest -q test_mine.py", timeout=9).exit_code == 0


def test_a_fix_elsewhere_and_a_comment_mend_nothing(tmp_path: Path) -> None:
    made = bug()
    sandbox = modelled(tmp_path, made)
    sandbox.write("test_calc.py", TESTS)
    comment = f"# {made.mutant.before}\n".encode()
    sandbox.write("calc.py", comment + made.files["calc.py"])
    assert sandbox.run("pytest -q", timeout=9).exit_code == 1


def test_what_cannot_be_told_from_the_text_gets_no_profile() -> None:
    """The runner counts a test that does not stand in any file."""

    def generated(files: Mapping[str, bytes]) -> Outcome:
        found = suite(files)
        return Outcome(tests={**(found.tests or {}), "test_calc::test_made_up": "passed"}, output=found.output)

    made = make_bug(FILES, generated, seed=0)
    assert profile_of(made, command="pytest", summary="s") is None


def test_a_parametrized_case_is_known_by_its_values(tmp_path: Path) -> None:
    tests = (
        b"import pytest\nfrom calc import half, more\n\n\n"
        b'@pytest.mark.parametrize(("given", "wanted"), [(4, 2), (0, 0)])\n'
        b"def test_half(given, wanted):\n    assert half(given) == wanted\n\n\n"
        b"def test_more():\n    assert more(1) == 2\n"
    )
    mutant = next(one for one in mutants(CODE.decode()) if one.before == "a // 2")
    left = {
        "calc.py": mutant.source.encode(),
        "test_calc.py": tests[: tests.index(b"@")] + tests[tests.index(b"def test_more") :],
    }
    made = Bug(
        path="calc.py",
        mutant=mutant,
        files=left,
        solved={"calc.py": CODE, "test_calc.py": tests},
        solution="",
        red=("test_calc::test_half[4-2]",),
        green=("test_calc::test_half[0-0]", "test_calc::test_more"),
        report="",
        tried=1,
    )
    sandbox = modelled(tmp_path, made)
    sandbox.write("test_calc.py", tests)
    assert b"1 failed, 2 passed" in sandbox.run("pytest -q", timeout=9).stdout
    sandbox.write("test_calc.py", b"from calc import half\n\n\ndef test_mine():\n    assert half(4) == 2\n")
    assert sandbox.run("pytest -q", timeout=9).exit_code == 1
