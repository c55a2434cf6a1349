"""The trace comment of a pull request: what a reviewer needs to decide in two minutes, and where the rest is.

In this order: one line of what was done, the evidence, what deviated, the steps (folded), the trace and its seal. The
same trace and proposal give the same text, so that the publisher can tell that nothing changed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.trace.inert import counted as counted
from bot.trace.inert import inert as inert
from bot.trace.inert import inert_block as inert_block
from bot.trace.inert import inert_quote as inert_quote
from bot.trace.inert import inert_title as inert_title
from bot.trace.reader import read
from bot.trace.steps import Step, steps

LIMIT = 65_000
"""GitHub takes 65,536 characters, and counts some as two."""
_SHORT = 160
_LINE = 400
_DEVIATIONS = 12
_ENDS = 120
"""How many steps are kept of each end of a long run."""
_ROOM = 1_000
"""Kept free for the lines around the steps."""
_WEIGHT = ("refused", "limit", "stopped", "model", "nudge", "retry")
_NAMED = {
    "refused": "Refused",
    "failed": "Failed",
    "limit": "Limit reached",
    "nudge": "Told by fleet-bot",
    "retry": "Asked the model again",
    "stopped": "Stopped in the middle of",
    "model": "Unusual answer of the model",
}
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'*+,;=%-]+")
_Row = tuple[str, str]


def render_comment(
    trace: Path,
    proposal: dict[str, Any],
    *,
    link: str | None,
    page: str | None = None,
    certified: str = "",
    kept: str = "",
) -> str:
    """The comment, at most 65,000 characters however long the run; `link` says where the full trace is, `page` where a
    browser shows it, `certified` whether the run stayed inside what the wind tunnel has seen, `kept` the ref of the
    repository that has the trace.

    `proposal` is `bot.task.proposal.Proposal` as plain data; what it lacks is left out. Raises `WorldError` when the
    trace cannot be read.
    """
    story = _Story()
    for step in steps(read(trace)):
        story.add(step)
    seal = proposal.get("trace") or {}
    head = [
        _marker(proposal, seal),
        f"### {_headline(proposal)}",
        _table(_evidence(proposal, story, certified)),
        _deviations(proposal, story),
    ]
    tail = _where(seal, link, page) + (_kept(kept) if kept else "")
    used = sum(map(_size, [*head, tail])) + _ROOM
    return "\n\n".join([*head, story.folded(LIMIT - used), tail]) + "\n"


class _Story:
    """The steps as far as they will be shown: both ends of a long run, and all counts."""

    def __init__(self) -> None:
        self.count = self.commands = self.red = 0
        self.first: list[str] = []
        self.last: deque[str] = deque(maxlen=_ENDS)
        self.grave: list[Step] = []
        self.failed: list[Step] = []
        self.deviating = 0

    def add(self, step: Step) -> None:
        step.text = ""
        if step.what == "reply" and not step.deviation:
            return
        self.count += 1
        if step.what in {"run_shell_command", "script", "setup", "verify"}:
            self.commands += 1
            self.red += not step.good
        if step.deviation:
            self.deviating += 1
            # What was refused or cut short weighs more than a red command, which may be a step on the way.
            kept = self.failed if step.deviation == "failed" else self.grave
            if len(kept) < _DEVIATIONS:
                kept.append(step)
        row = (
            f"| {step.seq} | {inert(step.actor)} | {_doing(step)} | {_cell(step.result)} | {_time(step.milliseconds)} |"
        )
        if len(self.first) < _ENDS:
            self.first.append(row)
        else:
            self.last.append(row)

    def folded(self, room: int) -> str:
        """The steps behind a fold; in the middle some are left out when there is no room for all."""
        first, last = list(self.first), list(self.last)
        while first and sum(_size(row) + 1 for row in first + last) > room:
            (first if len(first) >= len(last) else last).pop(-1 if len(first) >= len(last) else 0)
        left_out = self.count - len(first) - len(last)
        gap = [f"| | | {left_out} more steps, see the full trace | | |"] if left_out else []
        rows = "\n".join(["| line | who | what | result | time |", "|---|---|---|---|---|", *first, *gap, *last])
        return f"<details><summary>{self.count} steps</summary>\n\n{rows}\n\n</details>"


def _marker(proposal: dict[str, Any], seal: dict[str, Any]) -> str:
    values = {"campaign": proposal.get("campaign"), "plugin": proposal.get("plugin"), "head": seal.get("head")}
    plain = " ".join(f"{name}={re.sub('[^A-Za-z0-9._/]+', '-', str(value or ''))}" for name, value in values.items())
    return f"<!-- fleet-bot:trace {re.sub('-{2,}', '-', plain)} -->"


def _headline(proposal: dict[str, Any]) -> str:
    what = f"`{_cell(proposal.get('playbook'))}` on `{_cell(proposal.get('plugin'))}`"
    files = counted(len(proposal.get("files") or ()), "file")
    size = f"{files}, +{proposal.get('added', 0)} -{proposal.get('removed', 0)}"
    return f"{what}: {_cell(proposal.get('outcome'))} ({size}), {_cell(proposal.get('reason'))}"


def _evidence(proposal: dict[str, Any], story: _Story, certified: str) -> Iterator[_Row]:
    proof = proposal.get("verification") or {}
    yield "Verdict of fleet-bot's own test runs", _verdict(proof)
    for name, key in (("Tests before", "base"), ("Tests after", "head")):
        if proof.get(key):
            yield name, _suite(proof[key])
    if proof.get("red_before"):
        yield "Red without the change, green with it", _names(proof["red_before"])
    if proof.get("regressions"):
        yield "Passed before, fails now", _names(proof["regressions"])
    if proof.get("flaky"):
        yield "Flaky, not counted", _names(proof["flaky"])
    if certified:
        yield "Wind tunnel", _cell(certified, _LINE)
    yield "Changed files", _names(proposal.get("files") or ()) or "none"
    yield "Commands", f"{story.commands}, of which {story.red} ended red"
    usage = proposal.get("usage") or {}
    if proposal.get("model"):
        out = usage.get("output", 0) + usage.get("thoughts", 0)
        calls = f"{usage.get('calls', 0)} calls, {usage.get('prompt', 0):,} tokens in, {out:,} out"
        yield "Model", f"{_cell(proposal['model'].get('name'))}: {calls}"
        most = "at most " if usage.get("estimated") else ""
        yield "Cost", f"{most}${usage.get('cost_usd', 0):.4f}"
    yield "Time", _time(proposal.get("duration_ms", 0))


def _verdict(proof: dict[str, Any]) -> str:
    if not proof:
        return "no tests were asked for"
    return f"{'**proven**' if proof.get('proven') else '**not proven**'}: {_cell(proof.get('reason'))}"


def _suite(seen: dict[str, Any]) -> str:
    if seen.get("timed_out"):
        return "did not end in time"
    colour = "green" if seen.get("exit_code") in {0, 5} else "red"
    tally = [(name, seen.get(name, 0)) for name in ("passed", "failed", "errors", "skipped")]
    said = ", ".join(f"{count} {name}" for name, count in tally if count)
    return f"{colour}: {said or 'exit code ' + str(seen.get('exit_code'))}"


def _deviations(proposal: dict[str, Any], story: _Story) -> str:
    lines = []
    if (proposal.get("sandbox") or {}).get("level") == "none":
        lines.append("- **No sandbox**: the commands of this run were not confined.")
    grave = sorted(story.grave, key=lambda step: (_WEIGHT.index(step.deviation), step.seq))
    shown = (grave + story.failed)[:_DEVIATIONS]
    for step in shown:
        doing = f"`{_cell(step.target)}`" if step.deviation in {"limit", "nudge"} else _doing(step)
        result = f": {_cell(step.result)}" if step.result else ""
        lines.append(f"- {_NAMED[step.deviation]}: {doing}{result} (line {step.seq})")
    if story.deviating > len(shown):
        lines.append(f"- and {story.deviating - len(shown)} more, see the steps")
    if not lines:
        return "**Deviations**: none. Nothing was refused, no command failed, no limit was reached."
    return "**Deviations**\n\n" + "\n".join(lines)


def _where(seal: dict[str, Any], link: str | None, page: str | None) -> str:
    # The links are ours; still, nothing but a plain address becomes one.
    name = "execution_trace.jsonl"
    place = f"[{name}]({link})" if _ADDRESS.fullmatch(link or "") else f"`{_cell(link or name)}`"
    shown = f"[in a browser]({page}), " if _ADDRESS.fullmatch(page or "") else ""
    return (
        f"**Full trace**: {shown}{place}, {seal.get('events', 0)} events, sealed with `{_cell(seal.get('head'))}`. "
        "Check it with `fleet-bot trace verify`."
    )


def _kept(ref: str) -> str:
    fetched = f"git fetch origin {_cell(ref)} && git archive --prefix=trace/ FETCH_HEAD | tar x"
    return f"\n\nIt is kept in this repository too: `{fetched}`, then `fleet-bot trace show trace`."


def _doing(step: Step) -> str:
    return f"{inert(step.what)} `{_cell(step.target)}`" if step.target else inert(step.what)


def _names(names: tuple[str, ...] | list[str]) -> str:
    shown = "<br>".join(f"`{_cell(name)}`" for name in names[:10])
    return shown + (f"<br>and {len(names) - 10} more" if len(names) > 10 else "")


def _cell(value: object, most: int = _SHORT) -> str:
    text = " ".join(str(value if value is not None else "").split())
    return inert(text if len(text) <= most else text[: most - 1] + "…")


def _table(rows: Iterator[_Row]) -> str:
    return "\n".join(["| what | found |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _time(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 50 else ""


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 + 2
