"""What a Python file imports, and whether a virtual tree has it. Nothing is imported."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from bot.virtual.code import parsed
from bot.virtual.tree import Node

_ALWAYS = frozenset({"pytest", "_pytest", "__main__", *sys.stdlib_module_names})
_NAMES_MODULES = re.compile(r"(?:^|/)(?:[^/]*requirements[^/]*\.(?:txt|in)|pyproject\.toml|setup\.cfg|tox\.ini)$")


def missing(path: str, files: Mapping[str, Node], installed: frozenset[str]) -> str:
    """The error of importing this file, or what it imports in turn; empty text: none that is known without a run.

    `installed` are modules that are there besides the tree and Python's own. Only what a file imports on its first
    level is looked at: what stands in a `try`, an `if` or a function may be meant to fail.
    """
    there = _modules(tuple(files))
    waiting, seen = [path], {path}
    while waiting:
        place = waiting.pop()
        for name, part in _imported(place, files[place]):
            top = name.partition(".")[0]
            if top in _ALWAYS or name in installed or top in installed:
                continue
            found = there.get(name)
            if found is None:
                return f"ModuleNotFoundError: No module named '{name}'"
            inner = there.get(f"{name}.{part}") if part else ()
            if part and inner is None and not any(_has(files[other], part) for other in found):
                return f"ImportError: cannot import name '{part}' from '{name}'"
            more = [other for other in (*found, *(inner or ())) if other not in seen]
            waiting += more
            seen.update(more)
    return ""


@functools.lru_cache(maxsize=2048)
def _has(node: Node, name: str) -> bool:
    """Whether a module may have this name: bound somewhere in it, or by what nobody can read off."""
    module = parsed(node.data.decode("utf-8", "surrogateescape"))
    return module is None or name.startswith("__") or any(_binds(part, name) for part in ast.walk(module))


def _binds(part: ast.AST, name: str) -> bool:
    if isinstance(part, ast.Name):
        return part.id in {name, "globals", "setattr"} and not (part.id == name and isinstance(part.ctx, ast.Load))
    if isinstance(part, ast.alias):
        return part.name == "*" or (part.asname or part.name.partition(".")[0]) == name
    return isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and part.name in {
        name,
        "__getattr__",
    }


def installed(files: Mapping[str, Node]) -> frozenset[str]:
    """Modules that a tree's own files import without having them, and the words of its lists of requirements."""
    names: set[str] = set()
    for path, node in files.items():
        if path.endswith(".py"):
            module = parsed(node.data.decode("utf-8", "surrogateescape"))
            parts = ast.walk(module) if module is not None else ()
            names.update(name for name, _ in _named(path, parts))
        elif _NAMES_MODULES.search(path):
            words = re.findall(r"[A-Za-z][\w.-]*", node.data.decode("utf-8", "replace"))
            names.update(word.replace("-", "_").lower() for word in words)
    tops = {name.partition(".")[0] for name in names}
    there = _modules(tuple(files))
    return frozenset(name for name in names | tops if name not in there)


@functools.lru_cache(maxsize=256)
def _modules(paths: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Name → files of every module and package, wherever the search begins: of `src/a/b.py` that is `b`, `a.b` and
    `src.a.b`. A folder is a package without a file.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        if path[0] == "/":
            continue
        *folders, file = path.split("/")
        stem, _, kind = file.partition(".")
        for size in range(1, len(folders) + 1):
            for name in _ends(folders[:size]):
                found.setdefault(name, ())
        if kind in {"py", "pyi"} or kind.endswith("so"):
            for name in _ends(folders if stem == "__init__" else [*folders, stem]):
                found[name] = (*found.get(name, ()), path)
    return found


def _ends(parts: list[str]) -> Iterator[str]:
    return (".".join(parts[at:]) for at in range(len(parts)))


@functools.lru_cache(maxsize=512)
def _imported(path: str, node: Node) -> tuple[tuple[str, str], ...]:
    """Modules that a file imports on its first level, each with a name that it wants of it, or empty text."""
    module = parsed(node.data.decode("utf-8", "surrogateescape"))
    return tuple(_named(path, module.body)) if module is not None else ()


def _named(path: str, statements: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from ((alias.name, "") for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            # A relative one counts from the file's own folder.
            folders = path.split("/")[: -statement.level] if statement.level else []
            base = ".".join([*folders, *([statement.module] if statement.module else [])])
            if base:
                yield from ((base, alias.name.strip("*")) for alias in statement.names)
