"""A bug in a materialised plugin, made by a mutation operator and kept only when the tests can tell.

A mutant is kept when at least one test goes red, twice, and at least one stays green. The tests that went red are taken
out of the repository: they are the solution's. What is left is green, so doing nothing proves nothing.
"""

from __future__ import annotations

import ast
import difflib
import random
import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from bot.base.errors import UsageError
from bot.expected.paths import is_test
from bot.virtual.mutation import OPERATORS, Mutant, mutants

_MOST_TRIED = 40
_TOLD = 14
"""Lines of a failure that the report quotes."""
_SAYS = re.compile(r"^(?:E  |>  )")

Files = Mapping[str, bytes]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the suite."""

    tests: dict[str, str] | None
    """Test id → passed, failed, error or skipped; None: the runner names no single tests."""
    output: str = ""

    def named(self, *statuses: str) -> frozenset[str]:
        """The tests that ended in one of these ways."""
        return frozenset(name for name, status in (self.tests or {}).items() if status in statuses)


class Bug(msgspec.Struct, frozen=True, kw_only=True):
    """A bug that was kept."""

    path: str
    mutant: Mutant
    files: dict[str, bytes]
    """The repository with the bug in it, without the tests that show it."""
    solved: dict[str, bytes]
    """The repository as the solution leaves it."""
    solution: str
    """The patch that takes the bug out and puts the tests back in."""
    red: tuple[str, ...]
    """The tests that show it."""
    green: tuple[str, ...]
    """The tests that pass with it."""
    report: str
    """What somebody who met it would write."""
    tried: int
    """Mutants that were run before one was kept, this one included."""


def make_bug(
    files: Files, run: Callable[[Files], Outcome], *, seed: int, test_paths: tuple[str, ...] = (), operator: str = ""
) -> Bug:
    """Try mutants in an order that `seed` decides until one is kept; `run` runs the suite on files.

    Raises `UsageError` when the suite is of no use for it, or no mutant is kept.
    """
    if operator and operator not in OPERATORS:
        msg = f"There is no mutation operator {operator}."
        raise UsageError(msg, f"There are: {', '.join(OPERATORS)}.")
    healthy = run(files)
    if not healthy.tests or healthy.named("failed", "error"):
        msg = "The suite is not green, or its runner names no single tests, so nothing shows what a mutant breaks."
        raise UsageError(msg, "Use a plugin whose tests pytest runs, and whose suite is green.")
    candidates = [
        (path, mutant)
        for path in sorted(files)
        if path.endswith(".py") and not is_test(path, test_paths) and path.rpartition("/")[2] != "conftest.py"
        for mutant in _mutants(files[path])
        if not operator or mutant.operator == operator
    ]
    random.Random(seed).shuffle(candidates)  # noqa: S311 (an order, and no secret)
    for tried, (path, mutant) in enumerate(candidates[:_MOST_TRIED], 1):
        if (bug := _kept(dict(files), path, mutant, healthy, run, tried)) is not None:
            return bug
    msg = f"None of {min(len(candidates), _MOST_TRIED)} mutants was kept: no test noticed, or all did."
    raise UsageError(msg, "Choose another --seed, another --operator or another plugin.")


def _mutants(data: bytes) -> Iterator[Mutant]:
    try:
        return mutants(data.decode())
    except (SyntaxError, ValueError):
        return iter(())


def _kept(
    files: dict[str, bytes], path: str, mutant: Mutant, healthy: Outcome, run: Callable[[Files], Outcome], tried: int
) -> Bug | None:
    broken = files | {path: mutant.source.encode()}
    first = run(broken)
    red = healthy.named("passed") & first.named("failed")
    if not red or first.named("error") or not healthy.named("passed") & first.named("passed"):
        return None
    if run(broken).named("failed") != first.named("failed"):
        return None
    left = _without(broken, red)
    after = run(left)
    if after.named("failed", "error") or not after.named("passed"):
        return None
    changed = [name for name in sorted(files) if left[name] != files[name]]
    return Bug(
        path=path,
        mutant=mutant,
        files=left,
        solved=files,
        solution="".join(_diff(name, left[name], files[name]) for name in changed),
        red=tuple(sorted(red)),
        green=tuple(sorted(first.named("passed"))),
        report=_report(path, first.output),
        tried=tried,
    )


def _without(files: dict[str, bytes], red: frozenset[str]) -> dict[str, bytes]:
    """The files without the functions of these tests, by pytest's ids: `tests.test_a.TestB::test_c[case]`."""
    left = dict(files)
    for place, name in sorted({(test.partition("::")[0], _function(test)) for test in red}):
        for path in [one for one in left if one.endswith(".py") and _stands_in(place, one)]:
            left[path] = _cut(left[path].decode(), name).encode()
    return left


def _function(test: str) -> str:
    return test.partition("::")[2].partition("[")[0].rpartition("::")[2]


def _stands_in(place: str, path: str) -> bool:
    module = path.removesuffix(".py").replace("/", ".")
    return place == module or place.startswith(f"{module}.") or module.endswith(f".{place}")


def _cut(source: str, function: str) -> str:
    lines = source.splitlines(keepends=True)
    holders = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef)]
    for holder in holders:
        for node in holder.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
                start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
                end = node.end_lineno or node.lineno
                while start and not lines[start - 1].strip():
                    start -= 1
                empty = isinstance(holder, ast.ClassDef) and len(holder.body) == 1
                lines[start:end] = [" " * node.col_offset + "pass\n"] if empty else []
                return _cut("".join(lines), function)
    return "".join(lines)


def _diff(path: str, before: bytes, after: bytes) -> str:
    old, new = (data.decode().splitlines(keepends=True) for data in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _report(path: str, output: str) -> str:
    said = [line.rstrip() for line in output.splitlines() if _SAYS.match(line)][:_TOLD]
    quoted = "\n".join(f"    {line}" for line in said)
    about = path.rpartition("/")[2].removesuffix(".py")
    return (
        f"Wrong results since the last change to {about}\n\n"
        f"Something in `{path}` does not do what it did. A check of ours, which is not in the repository, says:\n\n"
        f"{quoted or '    it fails'}\n"
    )
