"""The commit of a version that a report names without a commit: by the tag that was put on it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.base.git import GitDir

_VERSION = re.compile(r"(?:.*[@/=])?[vV]?(\d+(?:\.\d+)+(?:[-.+]?[0-9A-Za-z]+(?:[-.+][0-9A-Za-z]+)*)?)")
_BEFORE = ("", "v", "release-", "release/", "rel-", "version-")


def tags_of(version: str, tags: Iterable[str], plugin: str) -> tuple[str, ...]:
    """The tags, of these short names, that stand for a version of a plugin: `1.4.2`, `v1.4.2`, and so on.

    Case counts for nothing. A version that is none (no dot in it) has no tag.
    """
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        return ()
    plain = found[1].lower()
    named = tuple(f"{plugin.lower()}{mark}{v}" for mark in ("-", "_", "@", "/") for v in ("", "v"))
    wanted = {f"{before}{plain}" for before in (*_BEFORE, *named)}
    return tuple(tag for tag in tags if tag.lower() in wanted)


def commit_at(version: str, git: GitDir, plugin: str, head: str) -> tuple[str | None, str]:
    """The commit of a version in the history of `head`, or None; and what a person should know of it."""
    known = git.text("for-each-ref", "--format=%(refname)", "refs/tags").splitlines()
    if not known:
        return None, ""
    tags = tags_of(version, (name.removeprefix("refs/tags/") for name in known), plugin)
    commits = {commit for tag in tags if (commit := git.resolve(f"refs/tags/{tag}")) is not None}
    if not commits:
        return None, f"The version {version} that the report names has no tag here: the work began at the base branch."
    if len(commits) > 1:
        shown = ", ".join(tags[:3])
        return None, f"The version {version} of the report could be {shown}: the work began at the base branch."
    (commit,) = commits
    if not git.contains(commit, [head]):
        return None, f"{tags[0]}, the version of the report, is not in the base branch, where the work began instead."
    return commit, f"The work began at {tags[0]}, the version that the report names."
