"""Snapshots of a virtual workspace, with the same idea of what belongs to it as git: what is ignored stays out.

What the workspace began with is tracked and stays so; another file belongs to it as long as nothing ignores it.
"""

from __future__ import annotations

from typing import Literal

from bot.ports import Effect
from bot.virtual.ignored import Ignored
from bot.virtual.lines import counted
from bot.virtual.tree import Frozen, Node, Tree, is_inside


class Snapshots:
    """The history of one tree. Every state that was named can be gone back to."""

    def __init__(self, tree: Tree) -> None:
        """What the tree holds now is tracked, ignored or not."""
        self._tree = tree
        self._tracked = {path for path in tree.files if is_inside(path)}
        self._states: dict[str, Frozen] = {}
        self._left_out: set[str] = set()
        self._looked_at = tree.version
        self._held: tuple[str, int] | None = None
        """The state that was gone back to last, and the tree's version then."""

    def snapshot(self) -> str:
        """The name of the workspace as it is now."""
        ignored = self._untracked()
        name = self._tree.name_without(ignored) if ignored else self._tree.name
        if name not in self._states:
            self._states[name] = self._tree.freeze(ignored)
        return name

    def changes(self, before: str, after: str) -> tuple[Effect, ...]:
        """What differs between two states, sorted by path. Raises `KeyError` for a name that never was."""
        if before == after:
            return ()
        old, new = self._states[before].files, self._states[after].files
        found = [_effect(path, old.get(path), node) for path, node in new.items() if old.get(path) is not node]
        found += [_effect(path, node, None) for path, node in old.items() if path not in new]
        return tuple(sorted((effect for effect in found if effect is not None), key=lambda effect: effect.path))

    def restore(self, name: str) -> None:
        """Make the workspace what it was; what is ignored, and what lies outside, is left alone."""
        if self._held == (name, self._tree.version):
            return
        state = self._states[name]
        ignored = self._untracked()
        self._tree.thaw(
            state,
            {
                path: value
                for path, value in self._tree.files.items()
                if path not in state.files and (path in ignored or not is_inside(path))
            },
        )
        self._held = name, self._tree.version

    def _untracked(self) -> set[str]:
        """Ignored files that the workspace did not begin with."""
        if self._tree.version != self._looked_at:
            self._left_out, self._looked_at = self._look(), self._tree.version
        return self._left_out

    def _look(self) -> set[str]:
        new = self._tree.files.keys() - self._tracked
        if not new:
            return new
        new = {path for path in new if is_inside(path)}
        ignored = Ignored(self._tree.files)
        return {path for path in new if ignored(path)} if ignored else set()


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
