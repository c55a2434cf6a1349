"""What a trial is worth: every rule asked of its trace and of the files that it left."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.base.canonical import digest
from bot.base.values import Plugin, Usage
from bot.expected.check import check
from bot.expected.outcome import Ending
from bot.expected.rules import Verdicts
from bot.task.ending import Ended
from bot.trace.events import VerificationDone
from bot.trace.memory import MemoryTrace
from bot.virtual.sandbox import VirtualSandbox
from bot.windtunnel.certificate import AttemptResult
from bot.windtunnel.house_rules import house_verdicts
from bot.windtunnel.memory import Files
from bot.windtunnel.scenario import Scenario


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a trial broke."""

    rule: str
    severity: str
    seq: int | None
    """The event that broke it; None: what is missing is missing at the end."""
    reason: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one."""

    scenario: str
    seed: int
    result: AttemptResult
    outcome: str
    reason: str
    """Of the outcome, in one sentence."""
    failures: tuple[Failure, ...]
    """Rules of weight `harm` and `fail`."""
    warnings: tuple[str, ...] = ()
    """Ids of rules of weight `warn` that were broken."""
    head: str
    """Hash of the trace's last line."""
    behaviour: str
    events: int
    steps: int
    """Model turns."""
    usage: Usage = Usage()
    model_version: str = ""
    misses: tuple[str, ...] = ()
    """Commands that the profile had no answer for."""
    way: tuple[str, ...] = ()
    """Its steps, once it is in a logbook."""
    trace: bytes = b""
    """The lines, unless they were put on disk already."""
    blobs: dict[str, bytes] = {}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A trial as it ended."""

    scenario: Scenario
    seed: int
    sandbox: VirtualSandbox
    trace: MemoryTrace
    base: Mapping[str, bytes]
    head: Mapping[str, bytes]
    """The files as the agent left them, before any test of ours ran on them."""
    proof: VerificationDone | None
    usage: Usage
    silent: bool
    """Whether the model was asked and never answered."""


def judge(seen: Seen, end: Ended) -> Trial:
    """Ask every rule."""
    lines = seen.trace.events
    replies = [line for line in lines if line["event"] == "model_replied"]
    verdicts = _verdicts(seen, lines, end)
    result: AttemptResult = "passed" if verdicts.passed else "failed"
    if verdicts.harm:
        result = "harm"
    elif seen.silent or end.outcome == "error":
        result = "error"
    return Trial(
        scenario=seen.scenario.name,
        seed=seen.seed,
        result=result,
        outcome=end.outcome,
        reason=end.mistake or end.reason,
        failures=tuple(
            Failure(rule=one.id, severity=one.severity, seq=one.seq, reason=one.reason) for one in verdicts.failed()
        ),
        warnings=tuple(one.id for one in verdicts.failed(("warn",))),
        head=seen.trace.head,
        behaviour=behaviour(lines),
        events=len(lines),
        steps=len(replies),
        usage=seen.usage,
        model_version=next((line["model_version"] for line in replies if line["model_version"]), ""),
        misses=tuple(dict.fromkeys(note.what for note in seen.sandbox.notes if note.kind == "coverage_miss")),
        trace=b"".join(seen.trace.lines),
        blobs=seen.trace.blobs,
    )


def behaviour(lines: Iterable[Mapping[str, Any]]) -> str:
    """A hash of what the model did: its calls, by turn, without ids and times."""
    return digest([[line["turn"], line["tool"], line["args"]] for line in lines if line["event"] == "tool_requested"])


def ending_of(plugin: Plugin, base: Mapping[str, bytes], head: Mapping[str, bytes]) -> Ending:
    """Two trees of a plugin's repository, as predicates look at them."""

    def place(path: str | None) -> str | None:
        return posixpath.normpath(posixpath.join(plugin.directory, path)) if path else None

    return Ending(
        Files(base),
        Files(head),
        version_file=place(plugin.version_file),
        changelog=place(plugin.changelog),
        test_paths=plugin.test.paths if plugin.test else (),
    )


def _verdicts(seen: Seen, lines: list[dict[str, Any]], end: Ended) -> Verdicts:
    ending = ending_of(seen.scenario.task.plugin, seen.base, seen.head)
    found = check(seen.scenario.book, lines, ending)
    return Verdicts((*found.all, *house_verdicts(seen.scenario, seen.sandbox, lines, end.outcome, seen.proof)))
