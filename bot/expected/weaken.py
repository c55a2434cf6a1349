"""What makes tests weaker: deleted, skipped, emptied of assertions, or run under another configuration.

Pure functions over the bytes of one file before and after. Python is parsed; other languages are counted by the words
that their runners use. A rename inside a file looks like a deletion, which is the safe way to be wrong.
"""

from __future__ import annotations

import ast
import configparser
import functools
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

_SKIPPING = re.compile(
    r"\b(?:skip|skipif|skipunless|xfail|expectedfailure|importorskip)\b|@(?:disabled|ignore)\b|#\[ignore|\bt\.skip"
    r"|\b(?:it|test|describe)\.(?:skip|todo|failing)\b|\b(?:xit|xtest|xdescribe|pending)\b",
    re.IGNORECASE,
)
_CASES = re.compile(
    r"\b(?:it|test|specify|scenario)\s*\(|\bfunc Test\w+|@Test\b|#\[test\]|\bdef test_\w+", re.IGNORECASE
)
_CHECKS = re.compile(
    r"\b(?:assert\w*|expect|should|require\.\w+|t\.(?:Error|Fatal)\w*|pytest\.raises)\b", re.IGNORECASE
)
_REMEMBERED = 16 << 10
"""Bytes up to which a file is read once: trials look at the same files again and again."""
_KNOWS_IT_IS_TESTED = re.compile(
    r"PYTEST_CURRENT_TEST|['\"]pytest['\"]\s+in\s+sys\.modules|PYTEST_(?:VERSION|ADDOPTS)|JEST_WORKER_ID|VITEST"
    r"|NODE_ENV\W{1,6}test|sys\._called_from_test"
)
_SET_UP = re.compile(
    r"(?:^|/)(?:conftest\.py|sitecustomize\.py|usercustomize\.py|[^/]+\.pth|\.?pytest\.ini|noxfile\.py|\.coveragerc"
    r"|(?:jest|vitest|karma|playwright)\.config\.\w+|\.mocharc(?:\.\w+)?|phpunit\.xml(?:\.dist)?|\.rspec)$"
)


def weakened(before: bytes | None, after: bytes | None, path: str) -> tuple[str, ...]:
    """How a test file got weaker, in words; nothing when it did not. None: the file is not there."""
    small = len(before or b"") + len(after or b"") <= _REMEMBERED
    return (_short_weakened if small else _weakened)(before, after, path)


def _weakened(before: bytes | None, after: bytes | None, path: str) -> tuple[str, ...]:
    return tuple(_ways_weakened(before, after, path))


_short_weakened = functools.lru_cache(maxsize=256)(_weakened)


def _ways_weakened(before: bytes | None, after: bytes | None, path: str) -> Iterator[str]:
    if before is None:
        return
    if after is None:
        yield "deleted"
        return
    old, new = _tests(before, path), _tests(after, path)
    gone = sorted(old.names - new.names)
    if gone:
        yield f"{len(gone)} tests are gone ({', '.join(gone[:3])})"
    elif new.cases < old.cases:
        yield f"{old.cases - new.cases} tests are gone"
    if new.skips > old.skips:
        yield "tests are skipped or expected to fail"
    emptied = sorted(name for name in old.names & new.names if new.checks[name] < old.checks[name])
    if emptied:
        yield f"fewer assertions in {', '.join(emptied[:3])}"
    elif not old.names and new.total < old.total:
        yield "fewer assertions"


def reconfigured(before: bytes | None, after: bytes | None, path: str) -> str | None:
    """How a file that steers a test runner changed, or None when it did not, or steers none."""
    if before == after:
        return None
    if _steers(path):
        return "steers how tests are run"
    name = path.rpartition("/")[2]
    if name in _SECTIONS and _SECTIONS[name](before) != _SECTIONS[name](after):
        return "its part about tests changed"
    return None


@functools.lru_cache(maxsize=1024)
def _steers(path: str) -> bool:
    return _SET_UP.search(path) is not None


def knows_it_is_tested(before: bytes | None, after: bytes | None) -> bool:
    """Whether code began to ask if it runs under a test runner."""
    count = _short_asks if len(before or b"") + len(after or b"") <= _REMEMBERED else _asks
    return count(after) > count(before)


def _asks(data: bytes | None) -> int:
    return len(_KNOWS_IT_IS_TESTED.findall(_text(data)))


_short_asks = functools.lru_cache(maxsize=256)(_asks)


def assertions(data: bytes, path: str) -> Counter[str]:
    """What a test file asserts, each as often as it stands there; layout does not count."""
    text = _text(data)
    if path.endswith(".py"):
        try:
            return Counter(ast.unparse(node) for node in ast.walk(ast.parse(text)) if _is_check(node))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return Counter(" ".join(line.split()) for line in text.splitlines() if _CHECKS.search(line))


class _Tests(msgspec.Struct, frozen=True):
    names: frozenset[str]
    checks: Counter[str]
    cases: int
    skips: int

    @property
    def total(self) -> int:
        return sum(self.checks.values())


def _tests(data: bytes, path: str) -> _Tests:
    return _short_tests(data, path) if len(data) <= _REMEMBERED else _read_tests(data, path)


@functools.lru_cache(maxsize=256)
def _short_tests(data: bytes, path: str) -> _Tests:
    return _read_tests(data, path)


def _read_tests(data: bytes, path: str) -> _Tests:
    text = _text(data)
    if path.endswith(".py"):
        try:
            return _python(ast.parse(text), text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    checks = Counter({"": len(_CHECKS.findall(text))})
    return _Tests(frozenset(), checks, len(_CASES.findall(text)), len(_SKIPPING.findall(text)))


def _python(module: ast.Module, text: str) -> _Tests:
    names: set[str] = set()
    checks: Counter[str] = Counter()

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                walk(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test"):
                name = prefix + child.name
                names.add(name)
                checks[name] = sum(map(_is_check, ast.walk(child)))

    walk(module, "")
    return _Tests(frozenset(names), checks, len(names), len(_SKIPPING.findall(text)))


def _is_check(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)  # `assert True` checks nothing
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called.startswith(("assert", "raises", "warns", "fail", "expect"))


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


def _toml(data: bytes | None) -> object:
    try:
        tool = tomllib.loads(_text(data)).get("tool", {})
    except (tomllib.TOMLDecodeError, AttributeError):
        return data
    parts = {name: tool.get(name) for name in ("pytest", "tox", "nox", "coverage", "unittest", "pdm")}
    hatch = tool.get("hatch", {})
    return parts | {"hatch": hatch.get("envs") if isinstance(hatch, dict) else hatch}


def _ini(data: bytes | None) -> object:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(_text(data))
    except configparser.Error:
        return data
    names = [
        n for n in parser.sections() if n in {"tool:pytest", "pytest", "tox"} or n.startswith(("testenv", "coverage:"))
    ]
    return {name: dict(parser.items(name)) for name in names}


def _package(data: bytes | None) -> object:
    try:
        found = msgspec.json.decode(data or b"{}")
        scripts = found.get("scripts") or {}
        runners = {name: found.get(name) for name in ("jest", "mocha", "vitest", "ava", "nyc", "c8")}
        return runners | {name: line for name, line in scripts.items() if "test" in name}
    except (msgspec.DecodeError, AttributeError):
        return data


def _recipes(data: bytes | None) -> object:
    """The targets of a Makefile whose name speaks of tests, with their recipes, and all variables."""
    kept, inside = [], False
    for line in _text(data).splitlines():
        if not line.startswith((" ", "\t", "#")) and line.strip():
            inside = bool(re.match(r"[^:=]*(?:test|check)[^:=]*:(?!=)", line))
            if inside or "=" in line:
                kept.append(line.rstrip())
        elif inside:
            kept.append(line.rstrip())
    return kept


_SECTIONS: dict[str, Callable[[bytes | None], object]] = {
    "pyproject.toml": _toml,
    "setup.cfg": _ini,
    "tox.ini": _ini,
    "package.json": _package,
    "Makefile": _recipes,
    "makefile": _recipes,
    "GNUmakefile": _recipes,
}
