"""Names that are another name for somebody: for a file system that folds, for Windows, for a person who reads them."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""What HFS+ leaves out of a name, and what people do not see in it."""
_ROUNDS = 10
_LOOKALIKES = str.maketrans(
    dict(
        pair
        for pair in (
            # Cyrillic
            "аa вb гr еe зe іi јj кk мm нh оo рp сc тt уy хx ѕs ԁd ԛq ԝw һh ӏl ѵv ґr ҝk ӓa "
            # Greek
            "αa βb εe ηn ιi κk νv οo ρp τt υu χx γy ωw σo "
            # Latin letters of their own that look like another, and Armenian
            "ıi ɡg ɩi ƨs ʟl ɑa ꞓc օo սu հh ոn ցg տs"
        ).split()
        if len(pair) == 2
    )
)


def fold(path: str) -> str:
    """A path as file systems see it that fold case, normalise, and drop characters (HFS+, APFS, NTFS).

    The same for all spellings that such a file system takes for one name, and for itself.
    """
    # One round can make work for another: what a dropped character kept apart is composed in the next. Names need two
    # or three; the bound is there because hostile ones come here too.
    for _ in range(_ROUNDS):
        folded = _folded(path)
        if folded == path:
            break
        path = folded
    return path


def skeleton(path: str) -> str:
    """The folded path, with accents taken off and letters of other alphabets put into the Latin ones they look like."""
    plain = "".join(char for char in unicodedata.normalize("NFD", fold(path)) if not unicodedata.combining(char))
    return fold(plain.translate(_LOOKALIKES))


def odd_name(path: str, *, new: bool = True) -> str | None:
    """Why a path cannot be taken for what it seems to be; None for ordinary ones. `new` is one that nobody chose yet."""
    if any(
        ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) <= 0xDFFF or char == "\\" for char in path
    ):
        return "a name with control characters, backslashes or bytes that are no UTF-8"
    if new and _UNSEEN.search(path):
        return "a name with characters that nobody sees"
    if any(part in {"", ".", "..", ".git"} for part in fold(path).split("/")):
        return "a name that git or a file system reads as something else"
    if new and any(
        ":" in part or re.fullmatch(r"[^./ ]{1,6}~[0-9]{1,4}(?:\.[^./ ]{0,3})?", part) for part in path.split("/")
    ):
        return "a name that Windows reads as another one"
    return None


def spelled(path: str) -> str:
    """A path for people: what steers a terminal, is not seen, or is no text is written out."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in path)


def _folded(path: str) -> str:
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", path).casefold())
    return "/".join(map(_on_windows, text.split("/")))


def _on_windows(part: str) -> str:
    # NTFS takes `name:stream` for the file itself, drops dots and spaces at the end, and knows 8.3 names.
    name = part.partition(":")[0] or part
    name = name.rstrip(". ") or name
    return ".git" if re.fullmatch(r"git~[0-9]+", name) else name
