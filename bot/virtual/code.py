"""Questions to Python source by its syntax tree, with `_` standing for anything."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

import msgspec


class CodeCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What has to hold for Python source; all parts given. Source that does not parse passes only `parses: false`."""

    parses: bool | None = None
    inside: str | None = None
    """Look only inside this function or class (`name`, or `Class.method`); it has to be there."""
    defines: str | None = None
    """A function or class of this name is defined."""
    contains: str | None = None
    """Somewhere is this expression or statement; the names `_`, `_a`, `_b` … stand for any expression, `...` in a call
    for any further arguments."""
    lacks: str | None = None
    """Nowhere is this expression or statement."""
    returns: str | None = None
    """Some `return` gives this expression."""


def code_holds(check: CodeCheck, text: str) -> bool:
    """Whether a check holds for some source."""
    module = parsed(text)
    if check.parses is not None and check.parses != (module is not None):
        return False
    if module is None:
        return check.parses is False
    scope: ast.AST = module
    if check.inside is not None:
        found = _defined(module, check.inside)
        if found is None:
            return False
        scope = found
    if check.defines is not None and _defined(scope, check.defines) is None:
        return False
    if check.contains is not None and not _anywhere(pattern(check.contains), scope):
        return False
    if check.lacks is not None and _anywhere(pattern(check.lacks), scope):
        return False
    return check.returns is None or _returned(pattern(check.returns), scope)


@functools.lru_cache(maxsize=512)
def parsed(text: str) -> ast.Module | None:
    """The syntax tree, or None when it is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@functools.lru_cache(maxsize=1024)
def pattern(text: str) -> ast.AST:
    """A pattern's tree: an expression, or one statement. Raises `SyntaxError`."""
    body = ast.parse(text.strip()).body
    if len(body) != 1:
        msg = "a pattern is one expression or one statement"
        raise SyntaxError(msg)
    return body[0].value if isinstance(body[0], ast.Expr) else body[0]


def _defined(scope: ast.AST, name: str) -> ast.AST | None:
    for step in name.split("."):
        found = next(
            (
                node
                for node in ast.walk(scope)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and node.name == step
                and node is not scope
            ),
            None,
        )
        if found is None:
            return None
        scope = found
    return scope


def _anywhere(wanted: ast.AST, scope: ast.AST) -> bool:
    kind = type(wanted)
    anything = _is_hole(wanted)
    return any((anything or type(node) is kind) and _fits(wanted, node) for node in ast.walk(scope))


def _returned(wanted: ast.AST, scope: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Return) and node.value is not None and _fits(wanted, node.value)
        for node in ast.walk(scope)
    )


def _is_hole(node: object) -> bool:
    return isinstance(node, ast.Name) and (node.id == "_" or (len(node.id) == 2 and node.id[0] == "_"))


def _fits(wanted: object, found: object) -> bool:
    if _is_hole(wanted):
        return isinstance(found, ast.expr)
    if isinstance(wanted, ast.AST):
        return type(wanted) is type(found) and all(_fits(one, other) for one, other in _pairs(wanted, found))
    if isinstance(wanted, list):
        if not isinstance(found, list):
            return False
        if wanted and isinstance(wanted[-1], ast.Constant) and wanted[-1].value is ...:
            wanted, found = wanted[:-1], found[: len(wanted) - 1]
        return len(wanted) == len(found) and all(map(_fits, wanted, found))
    return type(wanted) is type(found) and wanted == found


def _pairs(wanted: ast.AST, found: object) -> Iterator[tuple[object, object]]:
    for field in wanted._fields:
        if field not in {"ctx", "kind", "type_comment"}:
            yield getattr(wanted, field, None), getattr(found, field, None)
