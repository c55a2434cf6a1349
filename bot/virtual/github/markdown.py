"""Markdown of strangers as safe HTML: no script, no style, no image that is fetched, a few harmless tags."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

_TAG = re.compile(r"<(/?)(details|summary|sub|sup|kbd|b|i|code|br)( open)?\s*/?>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FOLD = re.compile(r"</?(details|summary|sub|sup|kbd|b|i)\b[^>]*>")


def render(text: str | None) -> str:
    """HTML that can stand in a page as it is. Folds that are left open are closed, so that they hide nothing else."""
    return _balanced(_markdown().render(text or ""))


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    # Raw HTML has to be seen to be let through tag by tag; nothing of it reaches the page unexamined.
    made.add_render_rule("html_block", _raw)
    made.add_render_rule("html_inline", _raw)
    made.add_render_rule("image", _image)
    made.add_render_rule("link_open", _link)
    return made


def _raw(self: object, tokens: Sequence[Token], index: int, options: OptionsDict, env: object) -> str:
    text = _COMMENT.sub("", tokens[index].content)
    made, place = [], 0
    for match in _TAG.finditer(text):
        made.append(html.escape(text[place : match.start()]))
        made.append(f"<{match[1]}{match[2].lower()}{'' if match[1] else (match[3] or '').lower()}>")
        place = match.end()
    return "".join([*made, html.escape(text[place:])])


def _image(self: object, tokens: Sequence[Token], index: int, options: OptionsDict, env: object) -> str:
    token = tokens[index]
    address = html.escape(str(token.attrGet("src") or ""))
    return f'<a href="{address}" rel="nofollow noopener noreferrer">{html.escape(token.content or "image")}</a>'


def _link(self: object, tokens: Sequence[Token], index: int, options: OptionsDict, env: object) -> str:
    address = html.escape(str(tokens[index].attrGet("href") or ""))
    return f'<a href="{address}" rel="nofollow noopener noreferrer">'


def _balanced(page: str) -> str:
    """Take out closing tags that close nothing, and close what stays open, of those that raw HTML may bring."""
    opened: list[str] = []

    def check(match: re.Match[str]) -> str:
        name = match[1]
        if not match[0].startswith("</"):
            opened.append(name)
            return match[0]
        if name not in opened:
            return ""
        inner = []
        while (last := opened.pop()) != name:
            inner.append(f"</{last}>")
        return "".join(inner) + match[0]

    made = _FOLD.sub(check, page)
    return made + "".join(f"</{name}>" for name in reversed(opened))
