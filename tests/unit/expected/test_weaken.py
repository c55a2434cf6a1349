"""What makes tests weaker, and what does not."""

from __future__ import annotations

import pytest

from bot.expected.weaken import knows_it_is_tested, reconfigured, weakened

SUITE = b"""
import pytest

def test_one():
    assert f(1) == 1
    assert f(2) == 2

class TestMore:
    def test_two(self):
        with pytest.raises(ValueError):
            f(-1)
"""


def reasons(before: bytes | None, after: bytes | None, path: str = "tests/test_f.py") -> list[str]:
    return list(weakened(before, after, path))


def test_a_new_test_file_weakens_nothing() -> None:
    assert reasons(None, SUITE) == []


def test_another_test_and_another_assertion_weaken_nothing() -> None:
    after = SUITE.replace(b"== 2", b"== 2\n    assert f(3) == 3") + b"\ndef test_three():\n    assert f(4)\n"
    assert reasons(SUITE, after) == []


def test_an_expectation_may_be_corrected() -> None:
    assert reasons(SUITE, SUITE.replace(b"== 2", b"== 3")) == []


def test_a_deleted_file_is_named() -> None:
    assert reasons(SUITE, None) == ["deleted"]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"    def test_two", b"    def check_two", "gone (TestMore.test_two)"),
        (b"def test_one", b"def test_renamed", "gone (test_one)"),
        (b"    assert f(2) == 2\n", b"", "fewer assertions in test_one"),
        (b"assert f(2) == 2", b"assert True", "fewer assertions in test_one"),
        (b"with pytest.raises(ValueError):", b"if True:", "fewer assertions in TestMore.test_two"),
        (b"def test_one", b"@pytest.mark.skip\ndef test_one", "skipped"),
        (b"def test_one", b"@pytest.mark.xfail\ndef test_one", "skipped"),
        (b"    assert f(1) == 1", b"    pytest.skip('later')\n    assert f(1) == 1", "skipped"),
    ],
)
def test_python_tests_that_lose_something(old: bytes, new: bytes, word: str) -> None:
    found = reasons(SUITE, SUITE.replace(old, new))
    assert any(word in reason for reason in found), found


@pytest.mark.parametrize(
    ("path", "before", "after", "word"),
    [
        ("a.test.js", "it('a', () => { expect(1).toBe(1) })", "it.skip('a', () => { expect(1).toBe(1) })", "skipped"),
        ("a.test.js", "it('a', () => { expect(1).toBe(1) })", "", "1 tests are gone"),
        ("a.test.js", "test('a', () => { expect(1).toBe(1) })", "test('a', () => {})", "fewer assertions"),
        ("a_test.go", "func TestA(t *testing.T) { t.Error() }", "func TestA(t *testing.T) { t.Skip() }", "skipped"),
        (
            "ATest.java",
            "@Test void a() { assertEquals(1, f()); }",
            "@Disabled @Test void a() { assertEquals(1, f()); }",
            "skip",
        ),
        ("t.rs", "#[test] fn a() { assert_eq!(1, f()); }", "#[test] #[ignore] fn a() { assert_eq!(1, f()); }", "skip"),
        ("broken.py", "def test_a(:\n  assert 1", "def (:\n", "gone"),
    ],
)
def test_other_languages_are_counted_by_their_words(path: str, before: str, after: str, word: str) -> None:
    found = reasons(before.encode(), after.encode(), path)
    assert any(word in reason for reason in found), found


@pytest.mark.parametrize(
    ("path", "before", "after", "steers"),
    [
        ("conftest.py", None, b"x = 1\n", True),
        ("tests/conftest.py", b"x = 1\n", b"x = 2\n", True),
        ("pytest.ini", b"[pytest]\n", None, True),
        ("pyproject.toml", b'[project]\nversion = "1"\n', b'[project]\nversion = "2"\n', False),
        (
            "pyproject.toml",
            b"[tool.pytest.ini_options]\n",
            b'[tool.pytest.ini_options]\naddopts = "-k nothing"\n',
            True,
        ),
        ("pyproject.toml", b"[project]\n", b"not toml", True),
        ("setup.cfg", b"[metadata]\nversion = 1\n", b"[metadata]\nversion = 2\n", False),
        ("setup.cfg", b"[tool:pytest]\n", b"[tool:pytest]\naddopts = -x\n", True),
        ("tox.ini", b"[testenv]\ncommands = pytest\n", b"[testenv]\ncommands = true\n", True),
        (
            "package.json",
            b'{"version": "1", "scripts": {"test": "jest"}}',
            b'{"version": "2", "scripts": {"test": "jest"}}',
            False,
        ),
        ("package.json", b'{"scripts": {"test": "jest"}}', b'{"scripts": {"test": "exit 0"}}', True),
        ("package.json", b'{"scripts": {"test": "jest"}}', b"[", True),
        ("Makefile", b"test:\n\tpytest\nbuild:\n\tcc\n", b"test:\n\tpytest\nbuild:\n\tgcc\n", False),
        ("Makefile", b"test:\n\tpytest\n", b"test:\n\ttrue\n", True),
        ("src/a.py", b"a\n", b"b\n", False),
        ("conftest.py", b"same\n", b"same\n", False),
    ],
)
def test_files_that_steer_the_runner(path: str, before: bytes | None, after: bytes | None, steers: bool) -> None:
    assert (reconfigured(before, after, path) is not None) is steers


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        (b'if "PYTEST_CURRENT_TEST" in os.environ: return 1', True),
        (b'if "pytest" in sys.modules: return 1', True),
        (b"if (process.env.NODE_ENV === 'test') return 1", True),
        (b"return 1", False),
    ],
)
def test_code_that_asks_whether_it_is_tested(line: bytes, asks: bool) -> None:
    assert knows_it_is_tested(b"x = 1\n", b"x = 1\n" + line) is asks
    assert not knows_it_is_tested(line, line)
