"""The declarative side of a bug by mutation: when it is gone, which tests show it, and how a good agent goes about it.

A profile is only made when its suite says of every test what the real runner said, with the bug and without.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from bot.virtual.bug import Bug
from bot.virtual.bug_tests import agrees, rules_of
from bot.virtual.code import CodeCheck, code_holds

_Check = dict[str, str]
_SAID = re.compile(r"^ +E +(\S.*)$", re.MULTILINE)


def profile_of(bug: Bug, *, command: str, summary: str) -> dict[str, Any] | None:
    """`profile.yaml` as data, or None where the bug or its tests cannot be told from the text.

    `command` is what runs the tests.
    """
    fixed = _fixed(bug)
    if fixed is None:
        return None
    rules = [{"unless": "fixed", **rule} for rule in rules_of(bug)]
    if not agrees(bug, rules):
        return None
    said = _SAID.search(bug.report)
    for rule in rules:
        rule["says"] = said[1] if said else "AssertionError"
    runners = ["pytest"] if "pytest" in command else ["pytest", command]
    return {
        "summary": summary,
        "from": "repo",
        "facts": {"fixed": {"file": bug.path, **fixed}},
        "suite": {"fails": rules},
        "commands": [{"run": runners, "respond": {"suite": True, "seconds": 0.2}}],
    }


def answers_of(bug: Bug, *, command: str, directory: str) -> dict[str, Any]:
    """`answers/fix_bug.yaml` as data: the tests, red, the rest of the solution, green."""
    changed = [path for path in sorted(bug.solved) if bug.solved[path] != bug.files.get(path)]
    tests = [path for path in changed if path != bug.path]

    def written(paths: list[str]) -> list[dict[str, Any]]:
        return [
            {"write_file": {"path": _below(directory, path), "content": bug.solved[path].decode()}} for path in paths
        ]

    run = [{"run_shell_command": {"command": command}}]
    told = {"tool": "run_shell_command"}
    return {
        "rules": [
            {"when": {"step": 0}, "calls": [{"get_error_report": {}}, {"list_files": {"path": "."}}]},
            {"when": {"step": 1}, "calls": [{"read_file": {"path": _below(directory, path)}} for path in changed]},
            {"when": {"step": 2}, "say": "First the tests that show it.", "calls": written(tests)},
            {"when": {"step": 3}, "calls": run},
            {"when": {"step": 4, "result": told | {"contains": "failed"}}, "calls": written([bug.path])},
            {"when": {"step": 5}, "calls": run},
            {
                "when": {"step": 6, "result": told | {"lacks": "failed"}},
                "say": f"`{bug.mutant.after}` in `{bug.path}` had to be `{bug.mutant.before}`; the tests show it.",
            },
        ]
    }


def _below(directory: str, path: str) -> str:
    return posixpath.relpath(path, directory)


def _fixed(bug: Bug) -> dict[str, Any] | None:
    """A fact that does not hold with the bug and holds without, the one that asks least first."""
    whole = bug.solved[bug.path].decode()
    line = whole.splitlines()[bug.mutant.line - 1]
    for check in _checks(whole, bug.mutant.line, bug.mutant.before):
        try:
            asked = CodeCheck(inside=check.get("inside"), contains=check["contains"])
            good = code_holds(asked, whole) and not code_holds(asked, bug.mutant.source)
        except SyntaxError:
            continue
        if good:
            return {"python": check}
    if line.strip() and line not in bug.mutant.source.splitlines():
        return {"matches": f"^{re.escape(line)}$"}
    return None


def _checks(source: str, line: int, before: str) -> Iterator[_Check]:
    tree = ast.parse(source)
    inside = _inside(tree, line)
    where = {"inside": inside} if inside else {}
    yield where | {"contains": before}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr | ast.Raise | ast.AnnAssign):
            if statement.lineno <= line <= (statement.end_lineno or statement.lineno):
                yield where | {"contains": ast.unparse(statement)}
        elif isinstance(statement, ast.If | ast.While) and statement.test.lineno <= line <= (
            statement.test.end_lineno or 0
        ):
            yield where | {"contains": ast.unparse(statement.test)}


def _inside(tree: ast.AST, line: int) -> str:
    """The dotted name of the innermost function or class around a line."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if child.lineno <= line <= (child.end_lineno or child.lineno):
                rest = _inside(child, line)
                return f"{child.name}.{rest}" if rest else child.name
        elif found := _inside(child, line):
            return found
    return ""
