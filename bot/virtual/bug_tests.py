"""Which tests show a bug by mutation, told from their text: the calls that they make of the plugin's own code."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping

from bot.expected.paths import is_test
from bot.virtual.bug import Bug, Files
from bot.virtual.suite import Case, Failing, Result, Suite, collected, run_suite
from bot.virtual.tree import Node, node

Rule = dict[str, str]
"""`body` or `test` of a rule in a profile's `suite: {fails: …}`."""


def rules_of(bug: Bug) -> list[Rule]:
    """What makes a test red as long as the bug is there: a call that a test of the solution makes, or its name.

    So a test that an agent writes is red when it asks what one of these asked. A call that a green test makes too is
    left out.
    """
    nodes = _nodes(bug.solved | {bug.path: bug.mutant.source.encode()})
    red = {case.id: case for case in _cases(bug.solved) if _is_one_of(case, bug.red)}
    wanted: dict[str, None] = {}
    for case in red.values():
        path = case.id.partition("::")[0]
        wanted |= dict.fromkeys(_calls(case, _imported(bug.solved[path].decode(), bug.solved)))
    rules: list[Rule] = []
    for body in wanted:
        if _failing(nodes, [{"body": body}]) <= red.keys():
            rules.append({"body": body})
    left = red.keys() - _failing(nodes, rules)
    return rules + [{"test": f"{re.escape(name)}$"} for name in sorted(left)]


def _calls(case: Case, known: frozenset[str]) -> Iterator[str]:
    """Regular expressions for the calls of the plugin's own code in a test, and for the case of a parametrized one."""
    values, function = _apart(case)
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and ast.unparse(call.func).partition(".")[0] in known and call.args:
            filled = _Filled(values).visit(ast.parse(ast.unparse(call), mode="eval")).body
            names = {part.id for part in ast.walk(filled) if isinstance(part, ast.Name)}
            if names <= known:
                yield _loose(ast.unparse(filled))
    if values and known:
        yield rf"\A{_loose(case.body.partition(chr(10))[0])}\n[\s\S]*\b(?:{'|'.join(sorted(map(re.escape, known)))})\("


def _apart(case: Case) -> tuple[dict[str, ast.expr], ast.AST]:
    """The values of a parametrized test by name, and its function."""
    first, _, rest = case.body.partition("\n")
    if "[" not in case.id:
        return {}, ast.parse(textwrap.dedent(case.body))
    function = ast.parse(textwrap.dedent(rest)).body[0]
    value = ast.parse(first, mode="eval").body
    names = [argument.arg for argument in function.args.args] if isinstance(function, ast.FunctionDef) else []
    parts = value.elts if len(names) > 1 and isinstance(value, ast.Tuple | ast.List) else [value]
    return dict(zip(names, parts, strict=False)), function


class _Filled(ast.NodeTransformer):
    """Names replaced by values."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._values.get(node.id, node)


def _loose(code: str) -> str:
    """A regular expression for code, whatever its quotes and the space after its commas."""
    return re.escape(code).replace(r",\ ", r",\s*").replace("'", "[\"']").replace(r"\ ", r"\s+")


def _imported(source: str, files: Files) -> frozenset[str]:
    """The names that a file has from modules which are among the files."""
    found: set[str] = set()
    for statement in ast.walk(ast.parse(source)):
        if isinstance(statement, ast.ImportFrom) and statement.module and _is_there(statement.module, files):
            found |= {alias.asname or alias.name for alias in statement.names}
        elif isinstance(statement, ast.Import):
            found |= {alias.asname or alias.name for alias in statement.names if _is_there(alias.name, files)}
    return frozenset(found)


def _is_there(module: str, files: Files) -> bool:
    ends = (f"/{module.replace('.', '/')}.py", f"/{module.replace('.', '/')}/__init__.py")
    return any(f"/{path}".endswith(ends) for path in files)


def _cases(files: Files) -> Iterator[Case]:
    for path in sorted(files):
        if path.endswith(".py") and is_test(path, ()):
            yield from collected(path, node(files[path])) or ()


def _is_one_of(case: Case, tests: tuple[str, ...]) -> bool:
    path, *names = case.id.split("::")
    place = ".".join([path.removesuffix(".py").replace("/", "."), *names[:-1]])
    return any(
        name == names[-1] and (place == where or place.endswith(f".{where}"))
        for where, _, name in (test.partition("::") for test in tests)
    )


def _nodes(files: Files) -> dict[str, Node]:
    return {path: node(data) for path, data in files.items()}


def _failing(nodes: dict[str, Node], rules: list[Rule]) -> set[str]:
    return {result.id for result in _suite(nodes, rules, fixed=False) if result.status == "failed"}


def _suite(nodes: dict[str, Node], rules: list[Rule], *, fixed: bool) -> list[Result]:
    suite = Suite(fails=tuple(Failing(unless="fixed", body=rule.get("body"), test=rule.get("test")) for rule in rules))
    return run_suite(suite, nodes, (), "", lambda fact: fixed)


def agrees(bug: Bug, rules: list[Rule]) -> bool:
    """Whether the suite says what the runner said: all tests with the bug, those that were left, all without it."""
    with_bug = _nodes(bug.solved | {bug.path: bug.mutant.source.encode()})
    results = [result for result in _suite(with_bug, rules, fixed=False) if result.status != "skipped"]
    cases = {case.id: case for case in _cases(bug.solved)}
    if len(results) != len(bug.red) + len(bug.green) or any(result.id not in cases for result in results):
        return False
    if any((result.status == "failed") != _is_one_of(cases[result.id], bug.red) for result in results):
        return False
    after = [*_suite(_nodes(bug.files), rules, fixed=False), *_suite(_nodes(bug.solved), rules, fixed=True)]
    return all(result.status in {"passed", "skipped"} for result in after)
