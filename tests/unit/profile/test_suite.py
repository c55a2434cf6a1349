"""A suite that is never run: what a profile says of the tests that are really in the tree."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.virtual import pytest_output
from bot.virtual.runner_options import Options
from bot.virtual.sandbox import VirtualSandbox
from bot.virtual.suite import Result, collected
from bot.virtual.tree import node

Made = Callable[..., VirtualSandbox]
TESTS = '''
import pytest

@pytest.mark.parametrize("word", ["a", "", "é", 3, None, b"x", x])
def test_words(word):
    assert word

@pytest.mark.parametrize(("one", "two"), [("a", 1), ("a", 1), (b"", 2)])
def test_pairs(one, two): ...

@pytest.mark.parametrize("word", words())
def test_unknown(word): ...

@pytest.mark.skip(reason="later")
def test_skipped(): ...

@pytest.mark.skipif(True)
def test_skipped_too(): ...

def test_skips_itself():
    """Why."""
    pytest.skip("no")

class TestThings:
    def test_one(self): ...
    def helper(self): ...

class Other(unittest.TestCase):
    async def test_two(self): ...

class NoTests:
    def test_three(self): ...

def helper(): ...
'''


def test_tests_are_found_as_the_runner_finds_them() -> None:
    cases = collected("t/test_a.py", node(TESTS.encode())) or ()
    names = [case.id.removeprefix("t/test_a.py::") for case in cases]
    assert names == [
        "test_words[a]", "test_words[]", "test_words[\\xe9]", "test_words[3]", "test_words[None]", "test_words[word5]",
        "test_words[word6]", "test_pairs[a-10]", "test_pairs[a-11]", "test_pairs[one2-2]", "test_unknown",
        "test_skipped", "test_skipped_too", "test_skips_itself", "TestThings::test_one", "Other::test_two",
    ]  # fmt: skip
    assert [case.id.rpartition("::")[2] for case in cases if case.skipped] == [
        "test_skipped", "test_skipped_too", "test_skips_itself",
    ]  # fmt: skip


def test_a_mark_for_the_whole_file_skips_all_of_it() -> None:
    cases = collected("test_a.py", node(b"pytestmark = pytest.mark.skip\ndef test_a(): ...\n")) or ()
    assert [case.skipped for case in cases] == [True]


def run(sandbox: VirtualSandbox, line: str = "pytest -q") -> tuple[int, str]:
    done = sandbox.run(line, timeout=60)
    return done.exit_code, done.stdout.decode().splitlines()[-1].rpartition(" in ")[0]


def test_a_new_test_that_shows_the_bug_is_red_until_it_is_fixed(sandbox: VirtualSandbox) -> None:
    text = sandbox.read("tests/test_calc.py").data + b"\n\ndef test_more():\n    x = 1\n    assert add(1, 2) == 3\n"
    sandbox.write("tests/test_calc.py", text)
    assert run(sandbox) == (1, "2 failed, 1 passed")
    sandbox.write("src/calc.py", sandbox.read("src/calc.py").data.replace(b"a - b", b"a + b"))
    assert run(sandbox) == (0, "3 passed")


def test_deleting_the_test_leaves_fewer_tests(sandbox: VirtualSandbox) -> None:
    sandbox.write("tests/test_calc.py", b"def test_mul(): ...\n")
    assert run(sandbox) == (0, "1 passed")
    sandbox.delete("tests/test_calc.py")
    assert run(sandbox) == (5, "no tests ran")


def test_skipping_the_test_shows_as_skipped(sandbox: VirtualSandbox) -> None:
    text = sandbox.read("tests/test_calc.py").data.replace(b"def test_add", b"@pytest.mark.skip\ndef test_add")
    sandbox.write("tests/test_calc.py", text)
    assert run(sandbox) == (0, "1 passed, 1 skipped")


def test_what_is_no_python_breaks_the_collection(sandbox: VirtualSandbox) -> None:
    good = sandbox.read("src/calc.py").data
    sandbox.write("src/calc.py", b"def add(:\n")
    assert run(sandbox) == (2, "1 error")
    sandbox.write("src/calc.py", good)
    sandbox.write("tests/test_new.py", b"def (\n")
    code, said = run(sandbox)
    assert (code, said) == (2, "1 error")


@pytest.mark.parametrize(
    "body",
    [
        "assert False", "assert 0, 'no'", "assert not True", "assert 1 == 2", "raise ValueError('x')", "x = 1\n    raise E",
        "pytest.fail('no')", '"""Why."""\n    assert None',
    ],
)  # fmt: skip
def test_a_test_that_cannot_pass_does_not(sandbox: VirtualSandbox, body: str) -> None:
    sandbox.write("tests/test_new.py", f"import pytest\n\ndef test_new():\n    {body}\n".encode())
    assert run(sandbox, "pytest -q tests/test_new.py") == (1, "1 failed")


@pytest.mark.parametrize(
    ("body", "end"),
    [
        ("with pytest.raises(E):\n        raise E", "1 passed"), ("return\n    raise E", "1 passed"), ("assert x", "1 passed"),
        ("if x:\n        raise E", "1 passed"), ("raise unittest.SkipTest('no')", "1 skipped"), ("assert 1 == 1", "1 passed"),
    ],
)  # fmt: skip
def test_a_test_that_could_pass_is_not_judged_by_its_look(sandbox: VirtualSandbox, body: str, end: str) -> None:
    sandbox.write("tests/test_new.py", f"import pytest\n\ndef test_new():\n    {body}\n".encode())
    assert run(sandbox, "pytest -q tests/test_new.py") == (0, end)


MORE = "tests/test_new.py"
TEST = b"\ndef test_new(): ...\n"


@pytest.mark.parametrize(
    "top",
    [
        "import nosuchmodule",
        "from calc.deeper import x",
        "from .nothing import x",
        "from calc import nosuchname",
        "raise E",
        "assert False",
    ],
)
def test_a_file_that_cannot_be_loaded_is_an_error(sandbox: VirtualSandbox, top: str) -> None:
    sandbox.write(MORE, top.encode() + TEST)
    assert run(sandbox, f"pytest -q {MORE}") == (2, "1 error")


@pytest.mark.parametrize(
    "top",
    [
        "import json, pytest", "from calc import add", "import src.calc", "from src import calc", "from . import test_calc",
        "try:\n    import nosuchmodule\nexcept ImportError: ...", "from .test_calc import add", "if x:\n    import nosuchmodule",
    ],
)  # fmt: skip
def test_a_file_that_can_be_loaded_is_none(sandbox: VirtualSandbox, top: str) -> None:
    sandbox.write(MORE, top.encode() + TEST)
    assert run(sandbox, f"pytest -q {MORE}") == (0, "1 passed")


def test_what_a_source_imports_breaks_the_tests_that_import_it(sandbox: VirtualSandbox) -> None:
    fixed = sandbox.read("src/calc.py").data.replace(b"a - b", b"a + b")
    sandbox.write("src/calc.py", b"import nosuchmodule\n\n" + fixed)
    assert run(sandbox) == (2, "1 error")
    sandbox.write(MORE, TEST)
    assert run(sandbox, f"pytest -q {MORE}") == (0, "1 passed")
    sandbox.write("src/nosuchmodule.py", b"")
    assert run(sandbox) == (0, "3 passed")
    sandbox.write("src/calc.py", fixed.replace(b"def mul", b"def times"))
    assert run(sandbox) == (2, "1 error")
    sandbox.write("src/calc.py", fixed.replace(b"def mul", b"from .nosuchmodule import *\n\ndef times"))
    assert run(sandbox) == (0, "3 passed")
    sandbox.delete("src/calc.py")
    assert run(sandbox) == (2, "1 error")


def test_what_the_files_at_the_start_import_or_require_is_installed(made: Made) -> None:
    files = {"test_a.py": "import somewhere.else_\ndef test_a(): ...\n", "requirements.txt": "Other-Thing>=1\n"}
    sandbox = made(
        rules="summary: x\nfrom: repo\nsuite: {}\ncommands: [{run: pytest, respond: {suite: true}}]\n", files=files
    )
    sandbox.write("test_b.py", b"import somewhere\nimport other_thing\ndef test_b(): ...\n")
    assert run(sandbox) == (0, "2 passed")


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("tests/test_calc.py", (1, "1 failed, 1 passed")), ("tests/test_calc.py::test_mul", (0, "1 passed")),
        ("-k mul", (0, "1 passed")), ("-k 'not mul and add'", (1, "1 failed")), ("-k 'mul or add'", (1, "1 failed, 1 passed")),
        ("-x", (1, "1 failed")), ("--maxfail=1", (1, "1 failed")), ("tests", (1, "1 failed, 1 passed")),
        ("src", (5, "no tests ran")), (".", (1, "1 failed, 1 passed")), ("-k nothing", (5, "no tests ran")),
        ("-vx --tb short -p no:cacheprovider", (1, "1 failed")), ("tests/test_calc.py::test_mul tests", (1, "1 failed, 1 passed")),
    ],
)  # fmt: skip
def test_tests_are_selected_as_the_runner_selects_them(sandbox: VirtualSandbox, words: str, end: tuple) -> None:
    code, said = run(sandbox, f"pytest {words}")
    assert (code, said.strip("= ")) == end


@pytest.mark.parametrize(
    "words",
    [
        "--nonsense", "-m slow", "--lf", "-Z", "-p some_plugin", "--maxfail=many", "-c other.ini", "-o python_files=x.py",
        "-qZ", "--cov-fail-under=90",
    ],
)  # fmt: skip
def test_an_option_that_nobody_has_an_answer_for_is_a_miss_each_time(sandbox: VirtualSandbox, words: str) -> None:
    for _ in range(2):
        done = sandbox.run(f"pytest {words}", timeout=60)
        assert (done.exit_code, done.stdout, done.coverage_miss) == (4, b"", True)
        assert b"error: unrecognized arguments: " in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "-q", "-vv -rA", "-r A", "--tb=short", "--tb short", "-n 4", "-n4", "--cov", "--cov=src --cov-report=term", "-s --color=no",
        "-p no:cacheprovider --no-header", "-o addopts= -o cache_dir=/tmp/c", "-W error", "--durations=5", "--disable-plugin-autoload",
    ],
)  # fmt: skip
def test_options_that_change_no_result_change_none(sandbox: VirtualSandbox, words: str) -> None:
    done = sandbox.run(f"pytest {words}", timeout=60)
    assert (done.exit_code, b"1 failed, 1 passed in " in done.stdout, done.coverage_miss) == (1, True, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--version", "pytest 8"), ("-h", "usage: pytest"), ("--help", "usage: pytest"), ("--setup-plan", "no tests ran"),
        ("--collect-only", "tests/test_calc.py::test_add\n"), ("--co -q", "\n2 tests collected in "), ("--co -k mul", "\n1 test collected"),
    ],
)  # fmt: skip
def test_what_runs_no_test_says_of_none_that_it_passed(sandbox: VirtualSandbox, words: str, said: str) -> None:
    done = sandbox.run(f"pytest {words}", timeout=60)
    assert (done.exit_code, done.coverage_miss, b"passed" in done.stdout) == (0, False, False)
    assert said in done.stdout.decode()


def test_what_cannot_be_collected_is_no_success_either(sandbox: VirtualSandbox) -> None:
    assert run(sandbox, "pytest --collect-only -k nothing") == (5, "no tests collected")
    sandbox.write("tests/test_new.py", b"def (\n")
    assert run(sandbox, "pytest --collect-only -q") == (2, "1 error")


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("--ignore=tests", (5, "no tests ran")), ("--ignore ./tests/test_calc.py", (5, "no tests ran")),
        ("--deselect tests/test_calc.py::test_add", (0, "1 passed")), ("--ignore=src", (1, "1 failed, 1 passed")),
        ("--maxfail=2", (1, "1 failed, 1 passed")),
    ],
)  # fmt: skip
def test_tests_are_left_out_as_the_runner_leaves_them_out(sandbox: VirtualSandbox, words: str, end: tuple) -> None:
    assert run(sandbox, f"pytest -q {words}") == end


def test_a_path_that_is_not_there_is_a_usage_error(sandbox: VirtualSandbox) -> None:
    done = sandbox.run("pytest tests/test_none.py", timeout=60)
    assert (done.exit_code, b"not found: tests/test_none.py" in done.stderr) == (4, True)


def test_a_suite_can_be_broken_by_its_configuration_or_collection(made: Made) -> None:
    sandbox = made(
        rules="summary: x\nfrom: repo\n"
        "suite:\n"
        "  config: {file: pyproject.toml, value: project.name}\n"
        "  fails: [{unless: {file: src/calc.py, python: {defines: mul}}, says: ImportError, collects: false}]\n"
        "commands: [{run: pytest, respond: {suite: true}}]\n"
    )
    assert run(sandbox) == (0, "2 passed")
    sandbox.write("src/calc.py", b"def add(a, b): ...\n")
    assert run(sandbox) == (2, "1 error")
    sandbox.write("pyproject.toml", b"[project\n")
    assert sandbox.run("pytest", timeout=9).exit_code == 4


def test_in_a_folder_only_its_tests_are_run(made: Made) -> None:
    files = {"a/test_a.py": "def test_a(): ...\n", "b/test_b.py": "def test_b(): ...\ndef test_c(): ...\n"}
    sandbox = made(
        rules="summary: x\nfrom: repo\nsuite: {}\ncommands: [{run: pytest, respond: {suite: true}}]\n", files=files
    )
    assert run(sandbox, "cd b && pytest -q") == (0, "2 passed")
    done = sandbox.run("pytest -v --junitxml=r.xml", timeout=9, cwd="a")
    assert b"test_a.py::test_a PASSED" in done.stdout
    assert b'classname="test_a" name="test_a"' in sandbox.files["a/r.xml"]


def test_unittest_speaks_its_own_language(made: Made) -> None:
    files = {"test_a.py": "class A(unittest.TestCase):\n    def test_a(self): ...\n    def test_b(self): ...\n"}
    sandbox = made(
        rules="summary: x\nfrom: repo\n"
        "suite: {runner: unittest, fails: [{test: test_a$, unless: {file: done, exists: true}, says: 'AssertionError: 3 != 2'}]}\n"
        "commands: [{run: unittest, respond: {suite: true}}]\n",
        files=files,
    )
    done = sandbox.run("python -m unittest -q", timeout=9)
    assert (done.exit_code, done.stdout) == (1, b"")
    assert b"FAIL: test_a (test_a.A.test_a)" in done.stderr
    assert done.stderr.endswith(b"FAILED (failures=1)\n")
    assert sandbox.run("python -m unittest test_a.A.test_b", timeout=9).stderr.endswith(b"OK\n")
    sandbox.write("done", b"")
    assert sandbox.run("python -m unittest", timeout=9).stderr.endswith(b"OK\n")
    sandbox.delete("test_a.py")
    assert sandbox.run("python -m unittest", timeout=9).exit_code == 5


UNITTEST = (
    "summary: x\nfrom: repo\nsuite: {runner: unittest}\ncommands: [{run: [unittest, pytest], respond: {suite: true}}]\n"
)


@pytest.mark.parametrize(
    ("words", "code", "said", "miss"),
    [
        ("--nonsense", 2, b"error: unrecognized arguments: --nonsense", True),
        ("-p check_*.py", 2, b"unrecognized", True),
        ("discover -p 'check_*.py'", 2, b"unrecognized", True),
        ("-h", 0, b"", False),
        ("-v -f -b", 0, b"Ran 2 tests", False),
        ("-k test_b", 0, b"Ran 1 test ", False),
        ("discover -s t -v -p 'test*.py'", 0, b"Ran 2 tests", False),
        ("discover t", 0, b"Ran 2 tests", False),
    ],
)
def test_unittest_knows_its_options_and_no_others(made: Made, words: str, code: int, said: bytes, miss: bool) -> None:
    body = "import unittest\n\nclass A(unittest.TestCase):\n    def test_a(self): ...\n    def test_b(self): ...\n"
    sandbox = made(rules=UNITTEST, files={"t/test_a.py": body})
    done = sandbox.run(f"python -m unittest {words}", timeout=9)
    assert (done.exit_code, said in done.stderr, done.coverage_miss) == (code, True, miss)
    assert run(sandbox, "python -m pytest -q") == (0, "2 passed")


def test_the_report_says_what_the_output_says() -> None:
    results = [
        Result("a/test_x.py::test_a", "passed"), Result("a/test_x.py::TestB::test_b[x::y]", "failed", 'E: "<&>"\x00'),
        Result("a/test_x.py::test_c", "skipped"), Result("a/test_y.py", "error", "SyntaxError"),
    ]  # fmt: skip
    data = pytest_output.junit(results)
    assert b'errors="1" failures="1" skipped="1" tests="4"' in data
    assert b'classname="a.test_x.TestB" name="test_b[x::y]"' in data
    commands = pytest.importorskip("bot.trace.commands")
    assert sorted(commands.junit(data).values()) == ["error", "failed", "passed", "skipped"]


def test_output_is_as_loud_as_asked() -> None:
    results = [Result("t.py::a", "passed"), Result("t.py::b", "skipped")]
    assert pytest_output.text(results, Options(quiet=True), 0.5).endswith("1 passed, 1 skipped in 0.50s\n")
    assert "t.py::b SKIPPED" in pytest_output.text(results, Options(verbose=True), 0.5)
    assert "test session starts" in pytest_output.text(results, Options(), 0.5)
