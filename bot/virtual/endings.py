"""How a piece of Python can only end, as far as that stands in it: what needs no run to be known."""

from __future__ import annotations

import ast
import re

_SKIPS = re.compile(r"(?:pytest|self)\.(?:skip|skipTest|xfail|exit)\(|raise \S*Skip")
_FAILS = re.compile(r"(?:pytest|self)\.fail\(")


def only_end(body: list[ast.stmt]) -> str:
    """The error that these statements cannot but end with: `raise`, `assert False` and the like on their first level.

    Empty text where it depends on more than that.
    """
    for statement in body:
        if isinstance(statement, ast.Return) or is_skip(statement):
            return ""
        if isinstance(statement, ast.Raise):
            return _name(statement.exc)
        if isinstance(statement, ast.Assert) and _truth(statement.test) is False:
            return f"AssertionError: {ast.unparse(statement)}"
        if isinstance(statement, ast.Expr) and _FAILS.match(ast.unparse(statement)):
            return f"AssertionError: {ast.unparse(statement)}"
    return ""


def is_skip(statement: ast.stmt) -> bool:
    """Whether a statement leaves out what it stands in."""
    return isinstance(statement, ast.Expr | ast.Raise) and _SKIPS.match(ast.unparse(statement)) is not None


def _name(raised: ast.expr | None) -> str:
    if raised is None:
        return "RuntimeError: No active exception to reraise"
    return ast.unparse(raised.func if isinstance(raised, ast.Call) else raised)


def _truth(test: ast.expr) -> bool | None:
    """Whether a condition without names and calls is true; None where it is not that simple."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _truth(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.NotEq):
        one, other = _literal(test.left), _literal(test.comparators[0])
        if one is None or other is None:
            return None
        return (one[0] == other[0]) == isinstance(test.ops[0], ast.Eq)
    value = _literal(test)
    return None if value is None else bool(value[0])


def _literal(part: ast.expr) -> tuple[object] | None:
    try:
        return (ast.literal_eval(part),)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
