"""Long texts, cut for the model, with the rest kept for paging."""

from __future__ import annotations

import msgspec

SHOWN = 16_000
"""Characters of one answer that are shown at most."""
_HEAD = SHOWN // 4  # what matters in a log is mostly at its end
_KEPT = 32_000_000


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A text as shown."""

    text: str
    cut: bool


class Outputs:
    """The whole outputs of this run, newest kept longest, by the id of the call."""

    def __init__(self, limit: int = _KEPT) -> None:
        """`limit` is in characters, over all outputs."""
        self._kept: dict[str, str] = {}
        self._limit = limit

    def cut(self, name: str, text: str) -> Cut:
        """Head and tail of a text, with a line between that says how to read the rest; kept under `name`."""
        if len(text) <= SHOWN:
            return Cut(text=text, cut=False)
        self._keep(name, text)
        head, tail = text[:_HEAD], text[-(SHOWN - _HEAD) :]
        # Whole lines, where lines are of a usual length.
        head = head[: head.rfind("\n") + 1] or head
        tail = tail[tail.find("\n") + 1 :] if "\n" in tail[:2000] else tail
        left = len(text) - len(head) - len(tail)
        first = head.count("\n") + 1
        last = first + text[len(head) : len(text) - len(tail)].count("\n")
        note = (
            f'… {left:,} characters left out, lines {first} to {last}: read_output(id="{name}", start_line={first}) …'
        )
        return Cut(text=f"{head.rstrip(chr(10))}\n{note}\n{tail}", cut=True)

    def get(self, name: str) -> str | None:
        """The whole text, or None when there is none of that name (any more)."""
        return self._kept.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """What can be read, oldest first."""
        return tuple(self._kept)

    def _keep(self, name: str, text: str) -> None:
        self._kept[name] = text
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._limit:
            del self._kept[next(iter(self._kept))]


def page(text: str, start_line: int, end_line: int | None, *, limit: int = SHOWN) -> tuple[str, int, int, int]:
    """Lines of a text from 1, as many whole ones as fit: `(text, first, last, total)`.

    A single line longer than `limit` is cut. `last` is `first - 1` when nothing is there.
    """
    lines = text.splitlines(keepends=True)
    if start_line == 1 and end_line is None and len(text) <= limit:
        return text, 1, len(lines), len(lines)
    first = max(start_line, 1)
    wanted = lines[first - 1 : end_line]
    shown: list[str] = []
    size = 0
    for line in wanted:
        size += len(line)
        if size > limit and shown:
            break
        shown.append(line if len(line) <= limit else line[:limit] + " … the line goes on\n")
    return "".join(shown), first, first + len(shown) - 1, len(lines)
