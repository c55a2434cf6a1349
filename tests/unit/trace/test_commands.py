"""What a command was, and what the tests it ran said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trace.commands import counts, words
from bot.trace.events import TestCounts


def tally(passed: int = 0, failed: int = 0, skipped: int = 0, errors: int = 0) -> TestCounts:
    return TestCounts(passed=passed, failed=failed, skipped=skipped, errors=errors)


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("pytest -q", "pytest -q"),
        ("python -m pytest -q", "pytest -q"),
        ("python3.12 -X dev -W error -m pytest", "pytest"),
        (".venv/bin/python -m pytest", "pytest"),
        ("cd sub && FOO=1 BAR='a b' uv run --with x pytest tests/", "pytest tests/"),
        ("uv run python -m pytest", "pytest"),
        ("poetry run pytest", "pytest"),
        ("python -m coverage run -m pytest -q", "pytest -q"),
        ("coverage run --source=x tests.py", "python tests.py"),
        ("env -u HOME A=1 timeout -k 5 60 pytest", "pytest"),
        ("ruff check . && pytest -q 2>&1 | tail -n 20", "pytest -q"),
        ("pytest -q > out.txt 2>&1", "pytest -q"),
        ("pytest || true", "true"),
        ("pytest; echo done", "echo done"),
        ("npx jest --ci", "jest --ci"),
        ("bundle exec rspec", "rspec"),
        ("node --test", "node --test"),
        ("python -c 'print(1)'", "python -c print(1)"),
        ("python", "python"),
        ("uv run", "uv run"),
        ("nohup -- pytest", "pytest"),
        ("cd x\npytest -q\n", "pytest -q"),
        ("pytest \\\n  -q", "pytest -q"),
        ("pytest -k 'a and (b or c)'", "pytest|-k|a and (b or c)"),
        ("echo 'for x in y; do z; done'", "echo|for x in y; do z; done"),
        ("(cd x; pytest)", ""),
        ("for x in a b; do pytest; done", ""),
        ("pytest $(ls)", ""),
        ('pytest "$(ls)"', ""),
        ("cat <<EOF\npytest\nEOF", ""),
        ("echo 'unclosed", ""),
        ("", ""),
        ("A=1", ""),
    ],
)
def test_words_are_those_of_the_last_simple_command(command: str, argv: str) -> None:
    expected = argv.split("|") if "|" in argv else argv.replace("print(1)", "print(1)").split()
    assert words(command) == tuple(expected)


@given(st.text(max_size=80))
def test_words_of_anything_never_raise(command: str) -> None:
    words(command)


RUNS = {
    "pytest": ("pytest -q", 1, "E  boom\n1 failed, 2 passed, 3 skipped, 4 errors, 5 xfailed in 0.12s\n", (2, 1, 8, 4)),
    "pytest, long": ("pytest", 0, "======= 12 passed, 1 warning in 61.20s (0:01:01) =======\n", (12, 0, 0, 0)),
    "pytest, coloured": ("pytest", 0, "\x1b[32m\x1b[1m2 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m\n", (2, 0, 0, 0)),
    "pytest, none": ("pytest", 5, "no tests ran in 0.01s\n", (0, 0, 0, 0)),
    "pytest, subtests": ("pytest", 0, "2 passed, 3 subtests passed in 0.02s\n", (2, 0, 0, 0)),
    "unittest": (
        "python -m unittest",
        1,
        "Ran 5 tests in 0.001s\n\nFAILED (failures=1, errors=2, skipped=1)\n",
        (1, 1, 1, 2),
    ),
    "unittest, green": ("python -m unittest", 0, "Ran 5 tests in 0.001s\n\nOK\n", (5, 0, 0, 0)),
    "unittest, skips": ("python -m unittest", 0, "Ran 5 tests in 0.001s\n\nOK (skipped=2)\n", (3, 0, 2, 0)),
    "jest": (
        "npx jest",
        1,
        (
            "Test Suites: 1 failed, 1 total\nTests:       1 failed, 2 skipped, 1 todo, 3 passed, 7 total\n"
            "Snapshots:   0 total\nTime:        0.5 s\nRan all test suites.\n"
        ),
        (3, 1, 3, 0),
    ),
    "vitest": (
        "npx vitest run",
        1,
        " Test Files  1 failed (1)\n      Tests  1 failed | 3 passed | 1 skipped (5)\n   Start at  10:00:00\n",
        (3, 1, 1, 0),
    ),
    "mocha": (
        "mocha",
        1,
        "  2 passing (12ms)\n  1 pending\n  1 failing\n\n  1) it:\n     Error: x\n" + "  at y\n" * 50,
        (2, 1, 1, 0),
    ),
    "node": (
        "node --test",
        1,
        "# tests 5\n# suites 0\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n# duration_ms 50\n",
        (3, 1, 1, 0),
    ),
    "node, spec": (
        "node --test",
        0,
        "? tests 2\n? suites 1\n? pass 2\n? fail 0\n? cancelled 0\n? skipped 0\n? todo 0\n".replace("?", "\u2139"),
        (2, 0, 0, 0),
    ),
    "go": (
        "go test -v ./...",
        1,
        (
            "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n    x_test.go:3: no\n--- FAIL: TestB (0.00s)\n"
            "=== RUN   TestC\n--- SKIP: TestC (0.00s)\nFAIL\nFAIL\tx\t0.002s\nFAIL\n"
        ),
        (1, 1, 1, 0),
    ),
    "cargo": (
        "cargo test",
        0,
        (
            "running 2 tests\ntest a ... ok\ntest b ... ignored\n\ntest result: ok. 1 passed; 0 failed; 1 ignored; "
            "0 measured; 0 filtered out; finished in 0.00s\n\n   Doc-tests x\n\nrunning 1 test\n\n"
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s\n\n"
        ),
        (2, 0, 1, 0),
    ),
    "phpunit": ("vendor/bin/phpunit", 0, "OK (5 tests, 10 assertions)\n", (5, 0, 0, 0)),
    "phpunit, red": (
        "phpunit",
        2,
        "FAILURES!\nTests: 6, Assertions: 10, Errors: 1, Failures: 2, Skipped: 1, Incomplete: 1.\n",
        (1, 2, 2, 1),
    ),
    "rspec": (
        "bundle exec rspec",
        1,
        "5 examples, 1 failure, 2 pending\n\nFailed examples:\n\nrspec ./a:1\n",
        (2, 1, 2, 0),
    ),
    "rspec, outside": ("rspec", 1, "0 examples, 0 failures, 1 error occurred outside of examples\n", (0, 0, 0, 1)),
    "minitest": ("rake test", 1, "5 runs, 8 assertions, 1 failures, 0 errors, 1 skips\n", (3, 1, 1, 0)),
    "surefire": (
        "mvn -B test",
        1,
        (
            "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.02 s -- in A\n"
            "[INFO] Results:\n[INFO] \n"
            "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0\n[INFO] \n"
            "[ERROR] Tests run: 4, Failures: 1, Errors: 1, "
            "Skipped: 1\n[INFO] BUILD FAILURE\n"
        ),
        (3, 1, 1, 1),
    ),
    "junit": ("java org.junit.runner.JUnitCore X", 1, "Tests run: 2,  Failures: 1\n", (1, 1, 0, 0)),
    "gradle": ("./gradlew test", 1, "12 tests completed, 1 failed, 2 skipped\n\nFAILURE: Build failed\n", (9, 1, 2, 0)),
    "ctest": ("ctest", 8, "80% tests passed, 1 tests failed out of 5\n\nThe following tests FAILED:\n", (4, 1, 0, 0)),
    "dotnet": (
        "dotnet test",
        0,
        "Passed!  - Failed:     0, Passed:     5, Skipped:     1, Total:     6, x\n",
        (5, 0, 1, 0),
    ),
    "deno": ("deno test", 0, "ok | 3 passed | 0 failed | 1 ignored (5ms)\n", (3, 0, 1, 0)),
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_summary_of_a_common_runner_is_read(name: str, stream: str) -> None:
    command, code, output, expected = RUNS[name]
    streams = {"stdout": b"", "stderr": b""} | {stream: ("line\n\n" + output).encode()}
    assert counts(command, code, **streams) == tally(*expected)
    assert counts("make test", code, **streams) == tally(*expected)


@pytest.mark.parametrize("name", [name for name in RUNS if RUNS[name][3] != (0, 0, 0, 0)])
def test_an_exit_code_that_contradicts_the_summary_is_believed_more(name: str) -> None:
    command, code, output, _ = RUNS[name]
    assert counts(command, 0 if code else 1, output.encode(), b"") is None


NESTED = "___ test_x ___\n----- Captured stdout call -----\n===== 99 passed in 0.10s =====\nTests: 9 passed, 9 total\n"


def test_a_runners_output_quoted_in_a_failure_does_not_count() -> None:
    output = f"{NESTED}FAILED test_x\n1 failed, 3 passed in 0.20s\n".encode()
    assert counts("pytest", 1, output, b"") == tally(passed=3, failed=1)


def test_what_the_code_under_test_prints_for_another_runner_does_not_count() -> None:
    fake = b"\nTests:       7 passed, 7 total\n"
    assert counts("pytest", 0, b"2 passed in 0.01s" + fake, fake) == tally(passed=2)


def test_two_runners_that_disagree_behind_make_leave_doubt() -> None:
    assert counts("make test", 0, b"2 passed in 0.01s\nTests:       7 passed, 7 total\n", b"") is None


def test_a_summary_that_does_not_close_the_output_does_not_count() -> None:
    assert counts("pytest", 1, (NESTED + "more\n" * 40).encode(), b"") is None


@pytest.mark.parametrize("code", [124, 137, 139])
def test_a_run_that_was_killed_has_no_counts(code: int) -> None:
    assert counts("pytest", code, b"2 failed in 0.01s\n", b"") is None


def test_go_counts_only_what_was_announced_and_only_when_told_all() -> None:
    assert counts("go test ./...", 0, b"ok  \tx\t0.002s\n", b"") is None
    assert counts("go test -v", 0, b"=== RUN   TestA\n--- PASS: TestFake (0.00s)\nPASS\nok  \tx\t0.1s\n", b"") is None


def test_a_cargo_summary_that_was_not_announced_leaves_doubt() -> None:
    result = "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
    real = "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
    assert counts("cargo test", 0, (result + real).encode(), b"") is None


def test_no_summary_no_counts() -> None:
    assert counts("make", 0, b"built\n", b"") is None


def test_the_real_runners_of_python_are_understood(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def test_a(self): pass\n    def test_b(self): self.fail('===== 5 passed in 0.01s =====')\n"
        "    @unittest.skip('x')\n    def test_c(self): pass\n"
    )
    for module in ("pytest", "unittest"):
        done = subprocess.run(
            [sys.executable, "-m", module, *(["-p", "no:cacheprovider"] if module == "pytest" else [])],
            cwd=tmp_path,
            capture_output=True,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        seen = counts(f"python -m {module}", done.returncode, done.stdout, done.stderr)
        assert seen == tally(passed=1, failed=1, skipped=1)
