"""Foreign text made harmless for GitHub's markdown: it can be read, and it does nothing.

What a model, an issue or a test printed must not mention a person, close an issue, load an image, draw a link, open or
close HTML, end a fence or imitate one of our markers. Entities would show in inline code, so what triggers is broken by
a zero-width joiner (U+200D) put behind the first character of `@team`, `#1`, `://`, `<b>`. Two characters that
cannot be broken are replaced by ones that look like them: a backtick by U+02CB, a bar by U+00A6. Characters that nobody
sees (controls, bidirectional overrides, zero-width and tag characters) are taken out first.
"""

from __future__ import annotations

import re

JOINER = "\u200d"
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_BREAKS = re.compile("[\r\n\x0b\x0c\x85\u2028\u2029\t]+")
_TRIGGERS = re.compile(
    r"@"  # mentions, mail addresses
    r"|#(?=\d|\Z)"  # references, and with them closing words
    r"|\bGH-(?=\d)"
    r"|(?<=[A-Za-z]):(?=//)|\bwww(?=\.)|\bmailto:|\bxmpp:"  # links that need no brackets
    r"|\](?=\s*[(\[:])|!(?=\[)|\[(?=[\^\[])"  # links, images, footnotes
    r"|<(?=[A-Za-z/!?@#]|\Z)|&(?=[#\w]|\Z)"  # HTML, entities
    r"|\$(?=[$`\u02cb])",  # formulas
    re.IGNORECASE,
)
_TITLE = re.compile(r"[^\w .,;:?!()'\"+=*-]|\bGH-(?=\d)", re.IGNORECASE)
_BLOCK_START = re.compile(r"[#>+*=~:|-]|\d{1,9}[.)]|\[[ xX]?\]")


def inert(text: str) -> str:
    """One line that is safe in a table cell, in a list item, in running text and between backticks. Never empty."""
    line = _UNSEEN.sub("", _BREAKS.sub(" ", text)).strip()
    line = _broken(line.replace("`", "\u02cb").replace("|", "\u00a6"))
    return JOINER + line if not line or _BLOCK_START.match(line) else line


def inert_block(text: str) -> str:
    """A fenced block that holds the text line by line; its fence is longer than any run of backticks inside."""
    lines = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))
    longest = max((len(run) for run in re.findall("`+", lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{_broken(lines).strip(chr(10))}\n{fence}"


def inert_quote(text: str) -> str:
    """A quotation whose lines wrap as prose does; empty lines stay between its paragraphs."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    return "\n".join(f"> {inert(line)}" if line.strip() else ">" for line in lines)


def inert_title(text: str) -> str:
    """One line for a title or the first line of a commit message, where nothing is rendered but words still act.

    Only letters, digits and harmless punctuation stay: what mentions people or closes issues needs `@`, `#` or a
    slash. May be empty.
    """
    return " ".join(_TITLE.sub(" ", text).split())


def counted(number: int, thing: str) -> str:
    """`1 file`, `2 files`: for what takes a plain s."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def visible(text: str) -> str:
    """For a terminal: without the characters that steer it or that nobody sees; newlines and tabs stay."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _broken(text: str) -> str:
    return _TRIGGERS.sub(lambda match: match.group() + JOINER, text)
