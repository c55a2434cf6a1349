"""Which files git would ignore, so that a virtual snapshot leaves out what a real one does."""

from __future__ import annotations

import functools

from bot.base.glob import matches
from bot.virtual.tree import Node


class Ignored:
    """The `.gitignore` files of a tree."""

    def __init__(self, files: dict[str, Node]) -> None:
        """Reads every `.gitignore`, deeper ones last: they have the last word."""
        found = [path for path in files if path.endswith(".gitignore") and (path == ".gitignore" or path[-11] == "/")]
        found.sort(key=lambda path: path.count("/"))
        self._rules = tuple([(path[: -len(".gitignore")], _rules(files[path].data)) for path in found])

    def __bool__(self) -> bool:
        return bool(self._rules)

    def __call__(self, path: str) -> bool:
        """Whether a file is ignored, by itself or because a folder above it is."""
        if not self._rules:
            return False
        parts = path.split("/")
        return any(self._one("/".join(parts[: depth + 1]), depth + 1 < len(parts)) for depth in range(len(parts)))

    def _one(self, path: str, folder: bool) -> bool:
        verdict = False
        for base, rules in self._rules:
            if path.startswith(base):
                for glob, negated, folders_only in rules:
                    if verdict == negated and (folder or not folders_only) and matches(path[len(base) :], glob):
                        verdict = not negated
        return verdict


@functools.lru_cache(maxsize=256)
def _rules(data: bytes) -> tuple[tuple[str, bool, bool], ...]:
    """Glob, whether it takes back, whether it is for folders only."""
    rules = []
    for line in data.decode("utf-8", "replace").splitlines():
        text = line.rstrip()
        if not text or text.startswith("#"):
            continue
        negated = text.startswith("!")
        text = text.removeprefix("!")
        folders_only = text.endswith("/")
        text = text.rstrip("/")
        anchored = "/" in text
        text = text.lstrip("/")
        rules.append((text if anchored else f"**/{text}", negated, folders_only))
    return tuple(rules)
