"""Takes secrets out of everything that is written down: trace, blobs, comments, reports, logs.

Two nets. *Known values*, the keys and tokens of this process, are found in every form that a hostile model can
easily give them: plain in any case, reversed, JSON-, URL- and HTML-escaped, hex, base64 (both alphabets, any
alignment), split by white space or punctuation, and every fragment of 12 characters or more. *Known shapes*
(`bot.base.key_shapes`) are found without knowing the value.

How known values are found, fast: text and forms are reduced to lower-case letters and digits, which undoes splitting
and most escaping. A fragment of a form that is long enough holds, wherever it begins, one 4-byte word at an offset
divisible by four; those words are looked up in one set, in C. Only after a hit is anything compared in Python.

A secret shorter than 8 characters is replaced only where it stands as a word of its own, and below 5 not at all: it
would take ordinary text with it. A secret printed in pieces below 12 characters with other text between goes through.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as randomness
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from bot.base.key_shapes import possible
from bot.base.spellings import ALNUM, escaped, least, spellings

_T = TypeVar("_T", bound=msgspec.Struct)
_PROCESS_KEY = randomness.token_bytes(32)
_WORD = 4
_SHORTEST = 8
_SHORTEST_WORD = 5
_DROPPED = bytes(byte for byte in range(256) if byte not in ALNUM)
_LOWER = bytes(range(256)).lower()
_SEPARATORS = re.compile(rb"\\[nrtfb]|\x1b\[[0-9;?]*[@-~]")
_ARMOUR = re.compile(r"-----[A-Z0-9 ]+-----")
_BLOCK = 4096


class _Form(NamedTuple):
    """One spelling of a secret, reduced; `least` is the shortest run of it that counts as a leak."""

    text: bytes
    least: int
    tag: bytes


class Redactor:
    """Replaces secrets by `[secret:1a2b3c4d]`. The same secret has the same tag in whatever form it came.

    The tag is a keyed hash, with a key that leaves the process as little as the secret does: it tells nothing about
    the value. Safe to use from several threads.
    """

    def __init__(self, secrets: Sequence[str], *, key: bytes = _PROCESS_KEY) -> None:
        """`secrets` are the values to look for; `key` makes tags comparable across processes where that is wanted."""
        self._key = key
        self._index: dict[int, list[tuple[_Form, int]]] = {}
        self._literals: list[tuple[re.Pattern[bytes], bytes]] = []
        for value in dict.fromkeys(secret.strip() for secret in secrets):
            self._learn(value)
        self._words = frozenset(self._index)

    def text(self, text: str) -> str:
        """The text without secrets; the same object when there were none."""
        data = text.encode("utf-8", "surrogatepass")
        clean = self.data(data)
        return text if clean is data else clean.decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """The bytes without secrets, whatever their encoding; the same object when there were none."""
        if not self._words and not self._literals and not possible(data):
            return data
        clean = self._without_known(data) if self._words else data
        for pattern, tag in self._literals:
            clean = pattern.sub(tag, clean)
        return self._without_shapes(clean)

    def found(self, text: str | bytes) -> bool:
        """Whether there is a secret in it."""
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return self.data(data) != data

    def found_known(self, text: str | bytes) -> bool:
        """Whether one of the secrets of this process is in it; shapes of unknown ones do not count."""
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        known = bool(self._words) and self._without_known(data) is not data
        return known or any(pattern.search(data) for pattern, _ in self._literals)

    def value(self, value: Any) -> Any:
        """A JSON-like value (dict, list, tuple, str, bytes, numbers, None) with every text in it redacted, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.data(value)
        if isinstance(value, dict):
            return {self.value(name): self.value(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            clean = [self.value(inner) for inner in value]
            texts = [inner for inner in clean if isinstance(inner, str)]
            if len(texts) > 1 and self.found("".join(texts)):
                # A secret dealt out over the items of a list.
                tag = self._tag("".join(texts).encode("utf-8", "surrogatepass")).decode()
                clean = [tag if isinstance(inner, str) else inner for inner in clean]
            return tuple(clean) if isinstance(value, tuple) else clean
        return value

    def struct(self, value: _T) -> _T:
        """A Struct with every text in it redacted; the same object when there was nothing to take out."""
        try:
            if not self.suspicious(msgspec.json.encode(value)):
                return value
        except (UnicodeEncodeError, OverflowError):
            pass  # lone surrogates or a very large number; the walk below copes with them
        plain = msgspec.to_builtins(value)
        clean = self.value(plain)
        return value if clean == plain else msgspec.convert(clean, type(value))

    def suspicious(self, line: bytes) -> bool:
        """A quick look at a value's JSON: False means that there is no secret in any of its texts.

        True may also mean that only a closer look can tell.
        """
        # What JSON escapes is in no key, so a shape that stands in a text stands in the line as it is.
        shapes = possible(line)
        if not shapes and not self._words and not self._literals:
            return False
        if b"\\" in line:
            if b"\\u00" in line or b"\\\\n" in line:
                return True
            for escape in (b"\\n", b"\\t", b"\\r", b"\\f", b"\\b"):
                line = line.replace(escape, b" ")
        if any(shape.pattern.search(line) for shape in shapes):
            return True
        if self._literals and any(pattern.search(line) for pattern, _ in self._literals):
            return True
        if not self._words:
            return False
        text = _reduced(line)
        words = _words(text)
        return not self._words.isdisjoint(words) and any(True for _ in self._leaks(text, words))

    def _learn(self, value: str) -> None:
        if len(value) < _SHORTEST_WORD:
            return
        tag = self._tag(value.encode("utf-8", "surrogatepass"))
        for spelling, window in spellings(_ARMOUR.sub("", value)):
            raw = spelling.encode("utf-8", "surrogatepass")
            text = _reduced(_blanked(raw))
            if len(text) >= _SHORTEST:
                self._learn_form(_Form(text, max(2 * _WORD - 1, least(raw, window)), tag))
        if len(_reduced(value.encode("utf-8", "surrogatepass"))) < _SHORTEST:
            for spelling in sorted(escaped(value) | {value[::-1]}):
                exact = re.escape(spelling.encode("utf-8", "surrogatepass"))
                self._literals.append((re.compile(rb"(?<![A-Za-z0-9])" + exact + rb"(?![A-Za-z0-9])"), tag))

    def _learn_form(self, form: _Form) -> None:
        for offset in range(len(form.text) - _WORD + 1):
            word = int.from_bytes(form.text[offset : offset + _WORD], sys.byteorder)
            places = self._index.setdefault(word, [])
            if not any(known.text == form.text and known.tag == form.tag and at == offset for known, at in places):
                places.append((form, offset))

    def _without_known(self, data: bytes) -> bytes:
        blanked = _blanked(data)
        text = _reduced(blanked)
        words = _words(text)
        if self._words.isdisjoint(words):
            return data
        spans = list(self._leaks(text, words))
        return _replaced(data, blanked, spans) if spans else data

    def _leaks(self, text: bytes, words: memoryview) -> Iterator[tuple[int, int, bytes]]:
        """Start, end and tag of every leak in the reduced text, in order, not overlapping."""
        done = 0
        for number, word in enumerate(words):
            at = number * _WORD
            if at < done or word not in self._words:
                continue
            start, end, tag = max((_extent(text, at, *place) for place in self._index[word]), key=lambda e: e[1] - e[0])
            if end > start:
                yield max(start, done), end, tag
                done = end

    def _without_shapes(self, data: bytes) -> bytes:
        for shape in possible(data):
            data = shape.pattern.sub(self._masked, data)
        return data

    def _masked(self, match: re.Match[bytes]) -> bytes:
        group = "key" if "key" in match.re.groupindex else 0
        start, end = match.span(group)
        whole, offset = match.group(), match.start()
        return whole[: start - offset] + self._tag(match.group(group)) + whole[end - offset :]

    def _tag(self, secret: bytes) -> bytes:
        return b"[secret:" + hmac.new(self._key, secret, hashlib.sha256).hexdigest()[:8].encode() + b"]"


def _blanked(data: bytes) -> bytes:
    """The same length, with escape sequences that only separate (newlines, colours) turned into zero bytes."""
    if b"\\" not in data and b"\x1b" not in data:
        return data
    return _SEPARATORS.sub(lambda match: bytes(len(match.group())), data)


def _reduced(data: bytes) -> bytes:
    return data.translate(_LOWER, _DROPPED)


def _words(text: bytes) -> memoryview:
    return memoryview(text)[: len(text) & -_WORD].cast("I")


def _extent(text: bytes, at: int, form: _Form, offset: int) -> tuple[int, int, bytes]:
    """How far text and form agree around a word that they share; an empty span when that is too little."""
    back = 0
    while back < min(at, offset) and text[at - back - 1] == form.text[offset - back - 1]:
        back += 1
    ahead = _WORD
    room = min(len(text) - at, len(form.text) - offset)
    while ahead < room and text[at + ahead] == form.text[offset + ahead]:
        ahead += 1
    return (at - back, at + ahead, form.tag) if back + ahead >= form.least else (at, at, form.tag)


def _replaced(data: bytes, blanked: bytes, spans: list[tuple[int, int, bytes]]) -> bytes:
    """Put tags in place of spans that are given in offsets of the reduced text."""
    wanted = sorted({offset for start, end, _ in spans for offset in (start, end - 1)})
    places = dict(zip(wanted, _original(blanked, wanted), strict=True))
    pieces, done = [], 0
    for start, end, tag in spans:
        pieces += [data[done : places[start]], tag]
        done = places[end - 1] + 1
    return b"".join([*pieces, data[done:]])


def _original(blanked: bytes, wanted: list[int]) -> Iterator[int]:
    """Where the kept bytes with these numbers (ascending) stand in the unreduced data."""
    seen = 0
    remaining = iter(wanted)
    target = next(remaining, None)
    for start in range(0, len(blanked), _BLOCK):
        block = blanked[start : start + _BLOCK]
        kept = len(block.translate(None, _DROPPED))
        if target is not None and target < seen + kept:
            offsets = [start + at for at, byte in enumerate(block) if byte in ALNUM]
            while target is not None and target < seen + kept:
                yield offsets[target - seen]
                target = next(remaining, None)
        seen += kept
