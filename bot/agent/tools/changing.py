"""What the tools that write files share: the change as a value, its effect, its diff."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from bot.agent.tools.context import Context
from bot.agent.tools.texts import decode
from bot.agent.tools.tool import ToolError
from bot.base.canonical import sha256
from bot.ports import Effect, FileContent

_LIMIT = 8 << 20
_DIFFED = 400_000


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file as it is and as it will be."""

    path: str
    before: FileContent | None
    after: bytes

    @property
    def hash_after(self) -> str:
        """SHA-256 of the new content."""
        return sha256(self.after)


def existing(context: Context, path: str) -> FileContent | None:
    """The whole file, or None where there is none. Raises `ToolError` when it is too large to be handled."""
    try:
        content = context.sandbox.read(path, limit=_LIMIT)
    except FileNotFoundError:
        return None
    if content.size > len(content.data):
        msg = f"{path} has {content.size:,} bytes, too many for this tool; use run_shell_command"
        raise ToolError("limit", msg)
    return content


def effect(change: Change) -> tuple[Effect, ...]:
    """What a change will do, as declared to the guard."""
    before = change.before
    if before is not None and before.sha256 == change.hash_after:
        return ()
    return (
        Effect(
            path=change.path,
            kind="modified" if before else "created",
            before=before.sha256 if before else None,
            after=change.hash_after,
            bytes=len(change.after),
        ),
    )


def diff(change: Change) -> str:
    """A unified diff for a person; sizes only where the file is binary or very large."""
    old = decode(change.before.data) if change.before else None
    new = decode(change.after)
    if new is None or (change.before and old is None) or len(change.after) > _DIFFED:
        size = change.before.size if change.before else 0
        return f"{change.path}: {size:,} → {len(change.after):,} bytes"
    lines = difflib.unified_diff(
        old.text.splitlines() if old else [],
        new.text.splitlines(),
        f"a/{change.path}" if change.before else "/dev/null",
        f"b/{change.path}",
        lineterm="",
    )
    return "\n".join(lines)
