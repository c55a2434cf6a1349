"""A test suite that is never run: the tests are found in the virtual tree, and a profile says which of them fail.

So the result follows from what the agent wrote: a new test that shows the bug is red until the fix is there, a deleted
one is missing, a skipped one is skipped, and a file that is no Python breaks the collection.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from bot.base.glob import any_matches
from bot.virtual import js_tests
from bot.virtual.code import parsed
from bot.virtual.endings import is_skip, only_end
from bot.virtual.facts import Fact
from bot.virtual.tree import Node

Status = Literal["passed", "failed", "skipped", "error"]


class Failing(msgspec.Struct, frozen=True, kw_only=True):
    """Which tests fail, and until when. Without `test` and `body` it is all of them."""

    unless: Fact | str | None = None
    """They pass when this holds; None: never."""
    test: str | None = None
    """Regular expression found in the test's id."""
    body: str | None = None
    """Regular expression found in the test's source: for a parametrized one the case followed by the function."""
    says: str = "AssertionError"
    """The error."""
    collects: bool = True
    """False: the file that has such a test cannot even be collected."""


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """Where tests are, and which of them fail when."""

    files: tuple[str, ...] = ("test_*.py", "**/test_*.py", "*_test.py", "**/*_test.py")
    runner: Literal["pytest", "unittest", "node"] = "pytest"
    """How the answer looks."""
    fails: tuple[Failing, ...] = ()
    config: Fact | str | None = None
    """The runner stops before it collects anything when this does not hold."""
    seconds: float = 0.05
    """How long one test takes."""


class Case(msgspec.Struct, frozen=True):
    """One test as it is in the tree."""

    id: str
    body: str
    skipped: bool = False
    fails: str = ""
    """The error that it can only end with, whatever the rest of the tree says."""


class Result(msgspec.Struct, frozen=True, cache_hash=True):
    """How one test ended."""

    id: str
    status: Status
    says: str = ""


def run_suite(
    suite: Suite,
    files: dict[str, Node],
    selection: tuple[str, ...],
    keyword: str,
    holds: Callable[[Fact | str], bool],
    missing: Callable[[str], str] = lambda path: "",
) -> list[Result]:
    """Every selected test's end, in the order of collection.

    `selection` are files, folders and test ids as pytest takes them, `keyword` is its `-k`. `missing` tells the
    error of importing a file, or empty text. Raises `FileNotFoundError` for a selection that names nothing.
    """
    wanted = [part.removeprefix("./").rstrip("/") for part in selection]
    for part in wanted:
        if part not in {"", "."} and not _there(part.partition("::")[0], files):
            raise FileNotFoundError(part)
    broken = next((path for path in sorted(files) if _broken_source(path, files[path], suite)), None)
    open_rules = [rule for rule in suite.fails if rule.unless is None or not holds(rule.unless)]
    results: list[Result] = []
    for path in sorted(files):
        if not _is_test(path, suite) or not _selected_file(path, wanted):
            continue
        results += _file(path, files[path], broken, open_rules, wanted, keyword, missing)
    return results


def _there(name: str, files: Iterable[str]) -> bool:
    return any(path == name or path.startswith(name + "/") for path in files)


def _is_test(path: str, suite: Suite) -> bool:
    return path[0] != "/" and any_matches(path, suite.files)


def _broken_source(path: str, node: Node, suite: Suite) -> bool:
    if path[0] == "/" or any_matches(path, suite.files):
        return False
    if suite.runner == "node":
        return path.endswith(js_tests.FILES) and js_tests.found(node) is None
    return path.endswith(".py") and _tree(node) is None


def _tree(node: Node) -> ast.Module | None:
    return parsed(node.data.decode("utf-8", "surrogateescape"))


def _selected_file(path: str, wanted: list[str]) -> bool:
    names = [part.partition("::")[0] for part in wanted]
    return not names or any(name in {"", ".", path} or path.startswith(name + "/") for name in names)


def _file(
    path: str,
    node: Node,
    broken: str | None,
    rules: list[Failing],
    wanted: list[str],
    keyword: str,
    missing: Callable[[str], str],
) -> Iterator[Result]:
    cases = collected(path, node)
    if cases is None or broken is not None:
        yield Result(path, "error", "SyntaxError: invalid syntax" if cases is None else f"SyntaxError in {broken}")
        return
    if path.endswith(".py"):
        error = missing(path) or _stops(node)
        if error:
            yield Result(path, "error", error)
            return
    fatal = next((rule for rule in rules if not rule.collects and any(_strikes(rule, case) for case in cases)), None)
    if fatal is not None:
        yield Result(path, "error", fatal.says)
        return
    for case in cases:
        if not _selected(case.id, wanted) or not _has_keyword(case.id, keyword):
            continue
        if case.skipped:
            yield Result(case.id, "skipped")
            continue
        rule = next((rule for rule in rules if _strikes(rule, case)), None)
        says = rule.says if rule else case.fails
        yield Result(case.id, "failed", says) if says else Result(case.id, "passed")


def _strikes(rule: Failing, case: Case) -> bool:
    if rule.test is not None and not re.search(rule.test, case.id):
        return False
    return rule.body is None or re.search(rule.body, case.body, re.MULTILINE) is not None


def _selected(case: str, wanted: list[str]) -> bool:
    ids = [part for part in wanted if "::" in part]
    if not ids or any(_is_prefix(part, case) for part in ids):
        return True
    return any("::" not in part and _selected_file(case.partition("::")[0], [part]) for part in wanted)


def _is_prefix(part: str, case: str) -> bool:
    return case == part or case.startswith((part + "::", part + "["))


def _has_keyword(case: str, keyword: str) -> bool:
    """`-k` with names, `not`, `and`, `or`, read from left to right without precedence of parentheses."""
    if not keyword:
        return True
    return any(
        all(
            (word.removeprefix("not ").strip().lower() in case.lower()) != word.startswith("not ")
            for word in (part.strip(" ()") for part in alternative.split(" and "))
        )
        for alternative in keyword.split(" or ")
    )


@functools.lru_cache(maxsize=512)
def collected(path: str, node: Node) -> tuple[Case, ...] | None:
    """The tests of a file in their order, or None when it is no Python (or, by its name, no JavaScript)."""
    if path.endswith(js_tests.FILES):
        tests = js_tests.found(node)
        return None if tests is None else tuple(Case(f"{path}::{name}", body, skip) for name, body, skip in tests)
    text = node.data.decode("utf-8", "surrogateescape")
    module = parsed(text)
    if module is None:
        return None
    everything = any(
        isinstance(statement, ast.Assign)
        and "pytestmark" in ast.unparse(statement)
        and "skip" in ast.unparse(statement)
        for statement in module.body
    )
    cases: list[Case] = []
    for item in module.body:
        if isinstance(item, ast.ClassDef) and _is_class_of_tests(item):
            for inner in item.body:
                cases += _cases(inner, f"{path}::{item.name}", text, everything or _skips(item.decorator_list))
        else:
            cases += _cases(item, path, text, everything)
    return tuple(cases)


@functools.lru_cache(maxsize=512)
def _stops(node: Node) -> str:
    """The error that loading a file can only end with, or empty text."""
    module = parsed(node.data.decode("utf-8", "surrogateescape"))
    return only_end(module.body) if module is not None else ""


def _is_class_of_tests(item: ast.ClassDef) -> bool:
    return item.name.startswith("Test") or any(ast.unparse(base).endswith("TestCase") for base in item.bases)


def _cases(item: ast.stmt, place: str, text: str, skipped: bool) -> Iterator[Case]:
    if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) or not item.name.startswith("test"):
        return
    skipped = skipped or _skips(item.decorator_list) or _skips_itself(item)
    body = "\n".join(text.splitlines()[item.lineno - 1 : item.end_lineno])
    fails = only_end(item.body)
    names, values = _parameters(item)
    if not names:
        yield Case(f"{place}::{item.name}", body, skipped, fails)
        return
    seen: dict[str, int] = {}
    ids = [_case_id(value, names, index) for index, value in enumerate(values)]
    for index, value in enumerate(values):
        name = ids[index]
        if ids.count(name) > 1:
            seen[name] = count = seen.get(name, -1) + 1
            name = f"{name}{count}"
        yield Case(f"{place}::{item.name}[{name}]", f"{ast.unparse(value)}\n{body}", skipped, fails)


def _parameters(item: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[list[str], list[ast.expr]]:
    """Names and cases of `pytest.mark.parametrize` with a literal list; nothing for any other."""
    for mark in item.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("parametrize") and len(mark.args) >= 2:
            names, cases = mark.args[:2]
            if isinstance(cases, ast.List | ast.Tuple):
                if isinstance(names, ast.Constant):
                    return [name.strip() for name in str(names.value).split(",")], cases.elts
                return [str(ast.literal_eval(name)) for name in getattr(names, "elts", [])], cases.elts
    return [], []


def _case_id(value: ast.expr, names: list[str], index: int) -> str:
    parts = value.elts if len(names) > 1 and isinstance(value, ast.Tuple | ast.List) else [value]
    return "-".join(_part_id(part, name, index) for part, name in zip(parts, names, strict=False))


def _part_id(part: ast.expr, name: str, index: int) -> str:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return part.value.encode("unicode_escape").decode("ascii")
    if isinstance(part, ast.Constant) and isinstance(part.value, int | float | bool | None):
        return str(part.value)
    return f"{name}{index}"


def _skips(decorators: list[ast.expr]) -> bool:
    return any(re.search(r"\bmark\.(skip|xfail)|\bskip(If|Unless)?\b", ast.unparse(mark)) for mark in decorators)


def _skips_itself(item: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = (
        item.body[1:]
        if item.body
        and isinstance(item.body[0], ast.Expr)
        and len(item.body) > 1
        and isinstance(item.body[0].value, ast.Constant)
        else item.body
    )
    return bool(body) and is_skip(body[0])
