"""What the tools that write files share: the change as a value, its effect, its diff."""

from __future__ import annotations

import difflib
from functools import lru_cache

import msgspec

from bot.agent.tools.context import Context
from bot.agent.tools.texts import decode
from bot.agent.tools.tool import ToolError
from bot.base.canonical import sha256
from bot.ports import Effect, FileContent

_LIMIT = 8 << 20
_DIFFED = 400_000
_REMEMBERED = 32 << 10
"""Bytes up to which a diff is made once: trials make the same few changes again and again."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is and as it will be."""

    path: str
    before: FileContent | None
    after: bytes
    hash_after: str
    """SHA-256 of the new content."""


def change(path: str, before: FileContent | None, after: bytes) -> Change:
    """The change of a file to these bytes."""
    return Change(path=path, before=before, after=after, hash_after=sha256(after))


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


def effect(planned: Change) -> tuple[Effect, ...]:
    """What a change will do, as declared to the guard."""
    before = planned.before
    if before is not None and before.sha256 == planned.hash_after:
        return ()
    return (
        Effect(
            path=planned.path,
            kind="modified" if before else "created",
            before=before.sha256 if before else None,
            after=planned.hash_after,
            bytes=len(planned.after),
        ),
    )


def diff(planned: Change) -> str:
    """A unified diff for a person; sizes only where the file is binary or very large."""
    before = planned.before.data if planned.before else None
    small = len(before or b"") + len(planned.after) <= _REMEMBERED
    text = (_short_diff if small else _diff)(planned.path, before, planned.after)
    if text is None:
        size = planned.before.size if planned.before else 0
        return f"{planned.path}: {size:,} → {len(planned.after):,} bytes"
    return text


def _diff(path: str, before: bytes | None, after: bytes) -> str | None:
    old = decode(before) if before is not None else None
    new = decode(after)
    if new is None or (before is not None and old is None) or len(after) > _DIFFED:
        return None
    lines = difflib.unified_diff(
        old.text.splitlines() if old else [],
        new.text.splitlines(),
        f"a/{path}" if before is not None else "/dev/null",
        f"b/{path}",
        lineterm="",
    )
    return "\n".join(lines)


_short_diff = lru_cache(maxsize=256)(_diff)
