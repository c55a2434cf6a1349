"""Files as text and back, so that what was not edited stays byte for byte as it was."""

from __future__ import annotations

import codecs
import re

import msgspec

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MARKS = tuple(bom for bom, _ in _BOMS)
_PROBE = 8000


class FileText(msgspec.Struct, frozen=True, kw_only=True):
    """A file's text, line ends as they are, with what is needed to write it back."""

    text: str
    encoding: str
    bom: bytes = b""

    @property
    def newline(self) -> str:
        r"""What ends most of its lines: `\r\n` or `\n`."""
        crlf = self.text.count("\r\n")
        return "\r\n" if crlf > self.text.count("\n") - crlf else "\n"

    def encode(self, text: str) -> bytes:
        """Another text as bytes of this file's kind. Raises `UnicodeEncodeError` for a character it cannot hold."""
        return self.bom + text.encode(self.encoding)


def decode(data: bytes) -> FileText | None:
    """A file's text, or None for a binary one.

    UTF-8 and UTF-16 with a mark are read as what they are; any other bytes one by one as Latin-1, which is wrong
    for the eye in other encodings and right for the bytes.
    """
    for bom, encoding in _BOMS if data.startswith(_MARKS) else ():
        if data.startswith(bom):
            try:
                return FileText(text=data[len(bom) :].decode(encoding), encoding=encoding, bom=bom)
            except UnicodeDecodeError:
                break
    if b"\0" in data[:_PROBE]:
        return None
    try:
        return FileText(text=data.decode("utf-8"), encoding="utf-8")
    except UnicodeDecodeError:
        return FileText(text=data.decode("latin-1"), encoding="latin-1")


def rewritten(old: FileText, content: str) -> bytes:
    """New content for an existing file, in its encoding, with its mark and its line ends."""
    if old.newline == "\r\n" and "\r" not in content:
        content = content.replace("\n", "\r\n")
    return old.encode(content)


def occurrences(text: str, old: str) -> list[tuple[int, int]]:
    r"""Where `old` stands in `text`, as spans that do not overlap; `\n` in `old` also fits `\r\n`."""
    spans = _find(text, old)
    if spans or "\n" not in old or "\r\n" not in text:
        return spans
    pattern = r"\r?\n".join(re.escape(line) for line in old.replace("\r\n", "\n").split("\n"))
    return [match.span() for match in re.finditer(pattern, text)]


def _find(text: str, old: str) -> list[tuple[int, int]]:
    spans, position = [], text.find(old)
    while position >= 0:
        spans.append((position, position + len(old)))
        position = text.find(old, position + len(old))
    return spans


def replaced(file: FileText, spans: list[tuple[int, int]], new: str) -> str:
    r"""The text with each span replaced; line ends of `new` follow those of the place, or else of the file."""
    out, end = [], 0
    for start, stop in spans:
        here = file.text[start:stop]
        newline = ("\r\n" if "\r\n" in here else "\n") if "\n" in here else file.newline
        out += [file.text[end:start], new.replace("\n", newline) if "\r" not in new else new]
        end = stop
    return "".join(out) + file.text[end:]


_ELLIPSIS = r"(?:\.{3}|…)"
_MARKER = r"(?:#|//|/\*|\*|<!--|--|;|%|\{/\*)?"
_PLACEHOLDER = re.compile(
    rf"[ \t]*{_MARKER}[ \t]*[\[(]?[ \t]*(?:{_ELLIPSIS}[ \t]*[\[(]?[^\n]{{0,40}}\b(?:rest|remain\w*|existing|previous|"
    r"unchanged|omitted|same)\b|(?:the )?(?:rest|remainder) of (?:the|this) (?:file|code|class|function|module)\b"
    r"[^\n]{0,40}\b(?:unchanged|same|omitted|here|as before))[^\n]{0,60}",
    re.IGNORECASE,
)


_SIGNS = ("...", "…", "rest of", "remainder of")
"""One of these stands in every placeholder, when case is folded."""


def placeholder(content: str, before: str = "") -> str | None:
    """A line that stands for code which was left out (`# … rest unchanged`), unless the file had that line already."""
    folded = content.casefold()
    if not any(sign in folded for sign in _SIGNS):
        return None
    known = set(before.splitlines())
    for line in content.splitlines():
        if len(line) <= 200 and line not in known and _PLACEHOLDER.fullmatch(line):
            return line.strip()
    return None
