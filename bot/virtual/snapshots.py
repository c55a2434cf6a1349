"""Snapshots of a virtual workspace, with the same idea of what belongs to it as git: what is ignored stays out.

What the workspace began with is tracked and stays so; another file belongs to it as long as nothing ignores it.
"""

from __future__ import annotations

from typing import Literal

from bot.ports import Effect
from bot.virtual.ignored import Ignored
from bot.virtual.lines import counted
from bot.virtual.tree import Frozen, Node, Tree


class Snapshots:
    """The history of one tree. Every state that was named can be gone back to."""

    def __init__(self, tree: Tree) -> None:
        """What the tree holds now is tracked, ignored or not."""
        self._tree = tree
        self._tracked = {path for path in tree.files if _inside(path)}
        self._states: dict[str, Frozen] = {}

    def snapshot(self) -> str:
        """The name of the workspace as it is now."""
        tree = self._tree
        ignored = self._untracked()
        if not ignored:
            name = tree.name
            if name not in self._states:
                self._states[name] = tree.freeze()
            return name
        name = tree.name_without(ignored)
        if name not in self._states:
            files = {path: value for path, value in tree.files.items() if path not in ignored}
            self._states[name] = Frozen(files, frozenset(tree.folders))
        return name

    def changes(self, before: str, after: str) -> tuple[Effect, ...]:
        """What differs between two states, sorted by path. Raises `KeyError` for a name that never was."""
        if before == after:
            return ()
        old, new = self._states[before].files, self._states[after].files
        found = [
            _effect(path, old.get(path), new.get(path))
            for path in old.keys() | new.keys()
            if old.get(path) is not new.get(path) and _inside(path)
        ]
        return tuple(sorted((effect for effect in found if effect is not None), key=lambda effect: effect.path))

    def restore(self, name: str) -> None:
        """Make the workspace what it was; what is ignored, and what lies outside, is left alone."""
        state = self._states[name]
        ignored = self._untracked() - state.files.keys()
        kept = {path: value for path, value in self._tree.files.items() if path in ignored or not _inside(path)}
        self._tree.thaw({path: value for path, value in state.files.items() if _inside(path)} | kept)

    def _untracked(self) -> set[str]:
        """Ignored files that the workspace did not begin with."""
        new = {path for path in self._tree.files.keys() - self._tracked if _inside(path)}
        if not new:
            return new
        ignored = Ignored(self._tree.files)
        return {path for path in new if ignored(path)} if ignored else set()


def _inside(path: str) -> bool:
    return path[0] != "/" and not path.startswith(".git/")


def _effect(path: str, before: Node | None, after: Node | None) -> Effect | None:
    if before == after:
        return None
    kind: Literal["created", "modified", "deleted", "mode", "type"] = "modified"
    if before is None or after is None:
        kind = "created" if before is None else "deleted"
    elif (before.link is None) != (after.link is None):
        kind = "type"
    elif before.sha256 == after.sha256:
        kind = "mode"
    added, removed = counted(before.data if before else b"", after.data if after else b"")
    return Effect(
        path=path,
        kind=kind,
        before=before.sha256 if before else None,
        after=after.sha256 if after else None,
        bytes=len(after.data) if after else 0,
        added=added,
        removed=removed,
    )
