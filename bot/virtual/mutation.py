"""Mutation operators: small, typical mistakes put into Python source, one at a time, the rest left byte for byte.

The operators are those that SWE-smith and mutation testers agree on: another comparison, another sum, `and` for `or`, a
condition turned round, a number off by one, arguments swapped, a result or a statement left out.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

import msgspec


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake."""

    operator: str
    line: int
    """Where, counted from 1."""
    before: str
    after: str
    source: str
    """The whole file with the mistake in it."""


_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Div,
    ast.Div: ast.FloorDiv,
    ast.Mod: ast.FloorDiv,
}


def mutants(source: str) -> Iterator[Mutant]:
    """All mistakes that the operators make in a file, from top to bottom. Raises `SyntaxError`."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    for node in _code(tree):
        for operator, change in OPERATORS.items():
            for other in change(node):
                mutant = _with(source, node, other, operator)
                if mutant is not None:
                    found.append(mutant)
    return iter(sorted(found, key=lambda one: (one.line, one.operator, one.after)))


def _compare(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, word in enumerate(node.ops):
            other = copy.deepcopy(node)
            other.ops[index] = _COMPARE[type(word)]()
            yield other


def _arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC and not _texts(node):
        other = copy.deepcopy(node)
        other.op = _ARITHMETIC[type(node.op)]()
        yield other


def _boolean(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BoolOp):
        other = copy.deepcopy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield other


def _not(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def _off_by_one(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
        if node.value > 0:
            yield ast.Constant(node.value - 1)


def _condition(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.IfExp):
        other = copy.deepcopy(node)
        other.body, other.orelse = other.orelse, other.body
        yield other


def _arguments(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        other = copy.deepcopy(node)
        other.args[0], other.args[1] = other.args[1], other.args[0]
        yield other


def _method(node: ast.AST) -> Iterator[ast.AST]:
    """The call of a method without arguments that a value goes through, left out: `x.strip()` → `x`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        yield node.func.value


def _result(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.Constant(None))


def _statement(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break):
        yield ast.Pass()


OPERATORS: dict[str, Callable[[ast.AST], Iterator[ast.AST]]] = {
    "compare": _compare,
    "arithmetic": _arithmetic,
    "boolean": _boolean,
    "not": _not,
    "off-by-one": _off_by_one,
    "condition": _condition,
    "arguments": _arguments,
    "method": _method,
    "result": _result,
    "statement": _statement,
}
"""Name → what it makes of a node of the syntax tree."""


def _texts(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether it is about texts, where another operator is a type error that any test finds."""
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    return any(isinstance(side, ast.JoinedStr | ast.Constant) and not _number(side) for side in sides)


def _number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _code(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that runs, with a place of its own: no annotations, no docstrings, nothing inside f-strings."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr | ast.arguments):
            continue
        yield node
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "decorator_list"}:
                continue
            waiting += [
                child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)
            ]


def _with(source: str, node: ast.AST, other: ast.AST, operator: str) -> Mutant | None:
    before = ast.get_source_segment(source, node)
    if before is None or not isinstance(node, ast.expr | ast.stmt):
        return None
    after = ast.unparse(ast.fix_missing_locations(other))
    lines = source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: (node.end_lineno or node.lineno) - 1])) + (node.end_col_offset or 0)
    data = source.encode()
    for text in (after, f"({after})"):
        # An expression may need its brackets where it stands; what means the same in the end is no mistake.
        mutated = (data[:start] + text.encode() + data[end:]).decode()
        try:
            tree = ast.parse(mutated)
        except SyntaxError:
            continue
        if _holds(tree, other, node) and ast.dump(tree) != ast.dump(ast.parse(source)):
            return Mutant(operator=operator, line=node.lineno, before=before, after=text, source=mutated)
    return None


def _holds(tree: ast.Module, other: ast.AST, node: ast.AST) -> bool:
    """Whether the change stands in the tree as it was meant, and not torn apart by what is around it."""
    wanted = ast.dump(other)
    line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    return any(
        ast.dump(found) == wanted
        and getattr(found, "lineno", -1) == line
        and getattr(found, "col_offset", -1) - column in {0, 1}
        for found in ast.walk(tree)
    )
