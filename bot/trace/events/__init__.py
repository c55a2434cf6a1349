"""The closed vocabulary of the execution trace, version 1: one frozen Struct per event, tag field `event`.

A line of `execution_trace.jsonl` is the envelope (`v, seq, time, run, turn, event`), the body's fields beside it, and
`prev, hash` last. A reader skips fields and events it does not know, so fields may be added (with a default) without a
new version; a field never changes its meaning. Durations are milliseconds, money is US dollars, hashes are hex SHA-256.
"""

from __future__ import annotations

from bot.trace.events.body import Clipped, EventBody
from bot.trace.events.derived import ChangelogEntry, CommandRun, FileWrite, Phase, TestCounts, VersionChange
from bot.trace.events.model import ModelReplied, ModelRequested, ModelRetried, Nudged
from bot.trace.events.publish import BranchPushed, CommentWritten, GateDecided, PullRequestOpened, TraceKept
from bot.trace.events.result import BroughtUp, CommitCreated, SuiteSeen, VerificationDone
from bot.trace.events.run import LimitReached, Note, RunFinished, RunStarted, Seal
from bot.trace.events.tools import ApprovalAsked, GuardRefused, ToolCompleted, ToolFailed, ToolRequested

__all__ = [
    "EVENTS",
    "SCHEMA_VERSION",
    "ApprovalAsked",
    "BranchPushed",
    "BroughtUp",
    "ChangelogEntry",
    "Clipped",
    "CommandRun",
    "CommentWritten",
    "CommitCreated",
    "EventBody",
    "FileWrite",
    "GateDecided",
    "GuardRefused",
    "LimitReached",
    "ModelReplied",
    "ModelRequested",
    "ModelRetried",
    "Note",
    "Nudged",
    "Phase",
    "PullRequestOpened",
    "RunFinished",
    "RunStarted",
    "Seal",
    "SuiteSeen",
    "TestCounts",
    "ToolCompleted",
    "ToolFailed",
    "ToolRequested",
    "TraceKept",
    "VerificationDone",
    "VersionChange",
]

SCHEMA_VERSION = 1

EVENTS: dict[str, type[EventBody]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (
        RunStarted,
        ModelRequested,
        ModelRetried,
        ModelReplied,
        ToolRequested,
        ToolCompleted,
        ToolFailed,
        GuardRefused,
        ApprovalAsked,
        CommandRun,
        FileWrite,
        VersionChange,
        ChangelogEntry,
        LimitReached,
        Nudged,
        VerificationDone,
        BroughtUp,
        CommitCreated,
        GateDecided,
        BranchPushed,
        PullRequestOpened,
        CommentWritten,
        TraceKept,
        Note,
        RunFinished,
    )
}
"""Every event this version knows, by name."""
