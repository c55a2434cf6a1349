"""What a step shows when it is unfolded: its arguments, a diff, what a command printed, why it was refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from bot.trace.events import (
    ApprovalAsked,
    CommandRun,
    FileWrite,
    GuardRefused,
    ModelReplied,
    Nudged,
    RunFinished,
    ToolCompleted,
    ToolFailed,
    ToolRequested,
    VerificationDone,
)
from bot.trace.inert import visible
from bot.trace.line import Line

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_DIFFED = 40_000
"""Characters on both sides up to which old and new text are matched line by line."""
_MARKUP = 28
"""Bytes around a line of a diff."""
Mark = Literal["added", "removed", "place", "same"]


class Block(msgspec.Struct, kw_only=True):
    """A piece of text, or a diff. Foreign text, made visible but not escaped."""

    title: str
    kind: Literal["text", "prose", "error", "diff"] = "text"
    text: str = ""
    diff: list[tuple[Mark, str]] = []
    left_out: int = 0
    """Characters, or lines of a diff, that are not shown."""

    @property
    def size(self) -> int:
        """Bytes that it takes on the page."""
        return _weight(self.text) + sum(_weight(line) + _MARKUP for _, line in self.diff)

    def cut(self, limit: int) -> None:
        """Keep at most about so many bytes: most of the head and some of the tail."""
        size = self.size
        if size <= limit:
            return
        if self.diff:
            kept, used = [], 0
            for mark, line in self.diff:
                used += _weight(line) + _MARKUP
                if used > limit:
                    break
                kept.append((mark, line))
            self.left_out, self.diff = len(self.diff) - len(kept), kept
        else:
            characters = limit * len(self.text) // size
            head, tail = characters * 2 // 3, characters // 3
            self.left_out = len(self.text) - head - tail
            self.text = (
                f"{self.text[:head]}\n… {self.left_out:,} characters left out …\n{self.text[len(self.text) - tail :]}"
            )


def blocks(group: list[Line]) -> Iterator[Block]:
    """All that one group of lines has to show. Empty texts make no block."""
    ran = any(isinstance(line.body, CommandRun) for line in group)
    for line in group:
        for block in _of(line.body, ran=ran):
            block.title, block.text = _clean(block.title), _clean(block.text)
            block.diff = [(mark, _clean(text)) for mark, text in block.diff]
            if block.text.strip() or block.diff:
                yield block


def patch_blocks(patch: str) -> Iterator[Block]:
    """A git patch, file by file."""
    for part in re.split(r"^(?=diff --git )", patch, flags=re.MULTILINE):
        head, *lines = part.rstrip("\n").split("\n")
        if not head.startswith("diff --git "):
            continue
        start = next((at for at, line in enumerate(lines) if line.startswith("@@")), len(lines))
        diff = [(_mark(line), _clean(line)) for line in lines[start:]] or [
            ("place", _clean(line)) for line in lines[:6]
        ]
        yield Block(title=_clean(head.rpartition(" b/")[2]), kind="diff", diff=diff)


def _of(body: object, *, ran: bool) -> Iterator[Block]:
    match body:
        case ModelReplied():
            yield Block(title="said", kind="prose", text=_said(body, "text"))
            yield Block(title="thought", kind="prose", text=_said(body, "thought"))
        case ToolRequested():
            yield from _asked(body)
        case CommandRun():
            if body.call is None or body.phase == "script":
                yield Block(title="command", text=body.command)
            yield Block(title="stdout", text=body.stdout)
            yield Block(title="stderr", text=body.stderr)
        case ToolCompleted():
            if not ran:
                yield Block(title="answer", text=body.shown if body.shown is not None else body.output.text)
        case ToolFailed() | GuardRefused():
            yield Block(title="told", kind="error", text=body.message)
        case VerificationDone():
            yield from _proof(body)
        case _:
            yield from _short(body)


def _short(body: object) -> Iterator[Block]:
    match body:
        case ApprovalAsked():
            yield Block(title="a person said", text=f"{'yes' if body.allowed else 'no'} {body.reason}")
        case Nudged():
            yield Block(title="told", kind="prose", text=body.message)
        case FileWrite():
            was, now = body.sha256_before or "nothing", body.sha256_after or "nothing"
            yield Block(title=f"{body.change} {body.path}", text=f"{was}\n→ {now}" if was != now else "")
        case RunFinished():
            yield Block(title="answer", kind="prose", text=body.answer or "")


def _said(body: ModelReplied, kind: str) -> str:
    return "\n".join(str(part.get("text", "")) for part in body.parts if part.get("kind") == kind)


def _asked(body: ToolRequested) -> Iterator[Block]:
    args: dict[str, Any] = dict(body.args)
    old, new = args.get("old"), args.get("new")
    if body.tool == "edit_file" and isinstance(old, str) and isinstance(new, str):
        del args["old"], args["new"]
        yield Block(title="edit", kind="diff", diff=_difference(old, new))
    elif body.tool == "write_file" and isinstance(args.get("content"), str):
        content = args.pop("content")
        yield Block(title="content", kind="diff", diff=[("added", f"+{line}") for line in content.splitlines()])
    elif isinstance(args.get("command"), str):
        yield Block(title="command", text=args.pop("command"))
    if args and set(args) != {"path"}:
        yield Block(title="arguments", text="\n".join(f"{name}: {value}" for name, value in args.items()))


def _difference(old: str, new: str) -> list[tuple[Mark, str]]:
    before, after = old.splitlines(), new.splitlines()
    if len(old) + len(new) > _DIFFED:
        return [*(("removed", f"-{line}") for line in before), *(("added", f"+{line}") for line in after)]
    lines = difflib.unified_diff(before, after, lineterm="", n=4)
    return [(_mark(line), line) for number, line in enumerate(lines) if number > 2]


def _mark(line: str) -> Mark:
    return {"+": "added", "-": "removed", "@": "place", "\\": "place"}.get(line[:1], "same")  # type: ignore[return-value]


def _proof(body: VerificationDone) -> Iterator[Block]:
    yield Block(title="red without the change, green with it", text="\n".join(body.red_before))
    yield Block(title="passed before, does not pass now", kind="error", text="\n".join(body.regressions))
    yield Block(title="flaky, not counted", text="\n".join(body.flaky))


def _weight(text: str) -> int:
    return len(text.encode("utf-8", "replace")) + 4 * sum(map(text.count, "&<>\"'"))


def _clean(text: str) -> str:
    return visible(_COLOURS.sub("", text))
