"""Web pages of repositories, issues and pull requests."""

from __future__ import annotations

import msgspec

from bot.virtual.github.hub import Hub


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser gets."""

    status: int = 200
    text: str = ""
    kind: str = "text/html; charset=utf-8"
    policy: str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"


def page(hub: Hub, path: str) -> Page:
    """The page at a path."""
    return Page(status=404, text=f"Not found: {path}", kind="text/plain; charset=utf-8")
