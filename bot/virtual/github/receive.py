"""What GitHub answers to a push that it declines: git's own report, with GitHub's words."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

_FLUSH = b"0000"


RULES = "push declined due to repository rule violations"


def declined(data: bytes, reason: str, page: str = "") -> bytes:
    """The answer to a push whose body begins with `data`: every ref is declined for `reason`.

    `page`, the repository's web page, is what GitHub's words about rules point at. A probe without any command gets an
    empty answer.
    """
    commands = list(_packets(data))
    if not commands:
        return b""
    # The client's wishes follow the first command, behind a NUL.
    wishes = commands[0].partition(b"\0")[2].split()
    refs = [command.partition(b"\0")[0].rstrip(b"\n").split(b" ", 2)[2] for command in commands]
    said = b"".join(_words(ref.decode("utf-8", "replace"), page) for ref in refs) if page else b""
    report = _packet(b"unpack ok\n")
    report += b"".join(_packet(b"ng " + ref + b" " + reason.encode() + b"\n") for ref in refs)
    report += _FLUSH
    if b"side-band-64k" not in wishes:
        return report
    return (_packet(b"\x02" + said) if said else b"") + _packet(b"\x01" + report) + _FLUSH


def new_commits(data: bytes) -> tuple[list[str], int]:
    """What the refs of a push are to be at, deletions left out, and where in its body the pack begins."""
    ids = [command.split(b" ", 2)[1].decode("ascii", "replace") for command in _packets(data)]
    return [one for one in ids if one.strip("0")], _end(data)


def _words(ref: str, page: str) -> bytes:
    lines = (
        f"error: GH013: Repository rule violations found for {ref}.",
        f"Review all repository rules at {page}/rules?ref={quote(ref, safe='')}",
        "",
        "- Changes must be made through a pull request.",
        "",
    )
    return ("\n".join(lines) + "\n").encode()


def _packet(data: bytes) -> bytes:
    return f"{len(data) + 4:04x}".encode() + data


def _end(data: bytes) -> int:
    place = 0
    while (size := int(data[place : place + 4] or b"0", 16)) >= 4:
        place += size
    return place + 4


def _packets(data: bytes) -> Iterator[bytes]:
    place = 0
    while place + 4 <= len(data):
        size = int(data[place : place + 4], 16)
        if size < 4:
            return
        yield data[place + 4 : place + size]
        place += size
