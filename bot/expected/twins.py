"""Names that are another name for somebody: for a file system that folds, for Windows, for a person who reads them."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""What HFS+ leaves out of a name, and what people do not see in it."""
_SHORT_NAME = re.compile(r"[^./ ]{1,6}~[0-9]{1,4}(?:\.[^./ ]{0,3})?")
_ROUNDS = 10
_LOOKALIKES = {
    int(code, 16): latin
    for code, latin in re.findall(
        r"([0-9a-f]{4})=(.)",
        "0430=a 0432=b 0433=r 0435=e 0437=e 0456=i 0458=j 043a=k 043c=m 043d=h 043e=o 0440=p 0441=c 0442=t "  # Cyrillic
        "0443=y 0445=x 0455=s 0501=d 051b=q 051d=w 04bb=h 04cf=l 0475=v 0491=r 049d=k "
        "03b1=a 03b2=b 03b5=e 03b7=n 03b9=i 03ba=k 03bd=v 03bf=o 03c1=p 03c4=t 03c5=u 03c7=x 03b3=y 03c9=w "  # Greek
        "03c3=o "
        "0131=i 0261=g 0269=i 0251=a "  # Latin
        "0585=o 057d=u 0570=h 0578=n 0581=g ",  # Armenian
    )
}
"""Letters of other alphabets, by code point, that look like a small Latin one."""


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
    """Why a path cannot be taken for what it seems to be, or None. `new` is one that nobody has chosen yet."""
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
