"""A trace for people at a terminal: one step a line, what was printed folded below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from bot.trace.events import RunFinished, RunStarted
from bot.trace.inert import visible
from bot.trace.line import Line
from bot.trace.steps import Step, steps

_HEAD, _TAIL, _WIDTH = 3, 6, 160


class Paint(Protocol):
    """Puts colour on a text, or does not; `click.style` fits."""

    def __call__(self, text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> str:
        """The text with escape sequences around it."""
        ...


def uncoloured(text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> str:
    """A `Paint` that does nothing."""
    return text


def told(
    lines: Iterable[Line], paint: Paint, *, only_failed: bool = False, turn: int | None = None, full: bool = False
) -> Iterator[str]:
    """The lines to print, in constant memory. Nothing in them steers the terminal but what `paint` puts there.

    `only_failed` leaves out what went well, `turn` all other turns; `full` unfolds everything.
    """
    ends = _Ends()
    current = -1
    first = True
    for step in steps(ends.watch(lines)):
        if first:
            yield from ends.opening(paint, full=full)
            first = False
        if (only_failed and step.good and not step.deviation) or (turn is not None and step.turn != turn):
            continue
        if step.turn != current:
            outside = "fleet-bot, before the work" if current < 0 else "fleet-bot, after the work"
            current = step.turn
            yield ""
            yield paint(f"turn {current}" if current else outside, bold=True)
        yield from _step(step, paint, full=full)
    if first:
        yield from ends.opening(paint, full=full)
    yield from ends.closing(paint)


_COLOURS = {"agent": "cyan", "script": "cyan", "model": "magenta", "fleet-bot": "blue", "person": "yellow"}


class _Ends:
    """First and last line of a run, seen in passing."""

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.finished: RunFinished | None = None
        self.count = self.unknown = 0

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            self.count += 1
            self.unknown += line.body is None
            if isinstance(line.body, RunStarted):
                self.started = line.body
            elif isinstance(line.body, RunFinished):
                self.finished = line.body
            yield line

    def opening(self, paint: Paint, *, full: bool) -> Iterator[str]:
        start = self.started
        if start is None:
            return
        model = str(start.model.get("name")) if start.model else "a script"
        yield paint(_line(f"{start.playbook} {start.playbook_version} on {start.plugin}"), bold=True)
        yield paint(_line(f"campaign {start.campaign}, {model}, base {start.base_sha[:12] or 'none'}"), dim=True)
        sandbox = f"sandbox {start.sandbox.get('level', 'none')}, network {start.sandbox.get('network', 'none')}"
        yield paint(_line(sandbox), dim=True)
        yield from _folded(start.prompt, paint, full=full, head=_HEAD, tail=0)

    def closing(self, paint: Paint) -> Iterator[str]:
        yield ""
        if self.unknown:
            yield paint(f"{self.unknown} lines are of kinds that this version does not know", dim=True)
        end = self.finished
        if end is None:
            yield paint(f"no last line after {self.count} events: killed, or still going on", fg="yellow", bold=True)
            return
        colour = "green" if end.outcome in {"changed", "no_change", "skipped"} else "red"
        yield paint(end.outcome, fg=colour, bold=True) + _line(f": {end.reason}")
        cost = f", {end.usage.total:,} tokens, ${end.usage.cost_usd:.4f}" if end.usage.calls else ""
        yield paint(f"{end.events} events, {end.duration_ms / 1000:.1f} s{cost}", dim=True)


def _step(step: Step, paint: Paint, *, full: bool) -> Iterator[str]:
    mark = paint("·", dim=True) if step.good else paint("✗", fg="red", bold=True)
    if step.deviation and step.good:
        mark = paint("!", fg="yellow", bold=True)
    number = paint(f"{step.seq:>6}", dim=True)
    colour = {"agent": "cyan", "script": "cyan", "model": "magenta", "fleet-bot": "blue", "person": "yellow"}[
        step.actor
    ]
    target = f" {_line(step.target)}" if step.target else ""
    result = paint(f"  → {_line(step.result)}", fg=None if step.good else "red", dim=step.good) if step.result else ""
    took = paint(f"  {step.milliseconds / 1000:.1f} s", dim=True) if step.milliseconds >= 100 else ""
    yield f"{number} {mark} {paint(_line(step.what), fg=colour)}{target}{result}{took}"
    wanted = full or not step.good or step.what in {"reply", "nudge"}
    if step.text and wanted:
        talk = step.what in {"reply", "nudge"}
        yield from _folded(step.text, paint, full=full, head=_HEAD if talk else 0, tail=0 if talk else _TAIL)


def _folded(text: str, paint: Paint, *, full: bool, head: int, tail: int) -> Iterator[str]:
    lines = visible(text).rstrip("\n").split("\n")
    bar = "         " + paint("│ ", dim=True)
    if full or len(lines) <= head + tail + 1:
        shown, hidden = lines, 0
    else:
        shown, hidden = lines[:head] + lines[len(lines) - tail :], len(lines) - head - tail
    for number, line in enumerate(shown):
        if hidden and number == head:
            yield bar + paint(f"… {hidden} lines folded (--full)", dim=True)
        yield bar + (line if full else _cut(line))
    if hidden and len(shown) <= head:
        yield bar + paint(f"… {hidden} lines folded (--full)", dim=True)


def _line(text: str) -> str:
    return _cut(" ".join(visible(text).split()))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
