"""What a run changed, as git sees it."""

from __future__ import annotations

import msgspec

from bot.base import git
from bot.base.values import Task
from bot.expected.paths import is_test
from bot.task.checkout import Checkout


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The difference between the base and the result."""

    workspace_tree: str
    """The workspace as the run left it: the result on top of what the set-up left behind."""
    tree: str
    """The base with the run's changes and nothing else: what gets committed."""
    start_tree: str
    """The workspace before the run."""
    proof_tree: str | None
    """The workspace before the run plus only the test files of the change; None when no test file changed."""
    test_files: tuple[str, ...]
    """The test files of the change."""
    files: tuple[git.Change, ...]
    patch: bytes
    added: int
    removed: int

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return not self.files

    @property
    def paths(self) -> tuple[str, ...]:
        """The changed paths, sorted."""
        return tuple(file.path for file in self.files)


def difference(checkout: Checkout, snapshot: str, task: Task, unmeant: frozenset[str] = frozenset()) -> Change:
    """Compare the workspace's snapshot with what the run started from, and carry the difference over to the base.

    `unmeant` are paths that changed but are nobody's work, such as what the tests leave behind.
    """
    mine = tuple(change for change in checkout.changes(snapshot) if change.path not in unmeant)
    tree = checkout.git.graft(checkout.base_tree, mine)
    workspace_tree = checkout.git.graft(checkout.prepared_tree, mine)
    globs = task.plugin.test.paths if task.plugin.test else ()
    tests = [file for file in mine if is_test(file.path, globs)]
    counts = [pair for pair in checkout.git.numstat(checkout.base_tree, tree).values() if pair is not None]
    return Change(
        workspace_tree=workspace_tree,
        tree=tree,
        start_tree=checkout.prepared_tree,
        test_files=tuple(file.path for file in tests),
        proof_tree=checkout.git.graft(checkout.prepared_tree, tests) if tests else None,
        files=checkout.git.changes(checkout.base_tree, tree),
        patch=checkout.git.patch(checkout.base_tree, tree),
        added=sum(pair[0] for pair in counts),
        removed=sum(pair[1] for pair in counts),
    )
