"""What a command said and what really changed, seen by comparing and never by asking, written into the trace."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from bot.base.values import Task
from bot.base.versions import bump, entries_in, is_changelog, is_version_file, version_in
from bot.ports import CommandResult, Effect, PathRefused, Sandbox, TraceSink
from bot.trace.commands import counts, words
from bot.trace.events import ChangelogEntry, CommandRun, EventBody, FileWrite, Phase, VersionChange
from bot.trace.writer import clip

_READ = 2 << 20


def record_command(
    sink: TraceSink, command: str, result: CommandResult, *, phase: Phase, call: str | None = None, turn: int = 0
) -> None:
    """Write a command that was run, with what it printed."""
    sink.append(told(sink, command, result, phase=phase, call=call), turn=turn)


def told(sink: TraceSink, command: str, result: CommandResult, *, phase: Phase, call: str | None = None) -> CommandRun:
    """The event of a command that was run. What is too long for a line is kept beside the trace at once."""
    out, err = clip(result.stdout, sink), clip(result.stderr, sink)
    unheard = result.stdout_size > len(result.stdout) or result.stderr_size > len(result.stderr)
    return CommandRun(
        command=command,
        exit_code=result.exit_code,
        duration_ms=round(result.duration_ms, 1),
        stdout=out.text,
        stderr=err.text,
        truncated=out.truncated or err.truncated or unheard,
        stdout_bytes=result.stdout_size or out.bytes,
        stderr_bytes=result.stderr_size or err.bytes,
        stdout_blob=out.blob,
        stderr_blob=err.blob,
        timed_out=result.timed_out,
        phase=phase,
        call=call,
        argv=words(command),
        tests=counts(command, result.exit_code, result.stdout, result.stderr),
        coverage_miss=result.coverage_miss,
    )


def record_effects(
    sink: TraceSink,
    effects: tuple[Effect, ...],
    meant: tuple[EventBody, ...],
    *,
    call: str | None,
    turn: int,
) -> None:
    """Write what an action changed: each file, then what it means, as `meaning` has it."""
    for effect in effects:
        sink.append(
            FileWrite(
                path=effect.path,
                change=effect.kind,
                bytes=effect.bytes,
                sha256_before=effect.before,
                sha256_after=effect.after,
                added=effect.added,
                removed=effect.removed,
                call=call,
            ),
            turn=turn,
        )
    for event in meant:
        sink.append(event, turn=turn)


def meaning(
    sandbox: Sandbox, before: str, after: str, effects: tuple[Effect, ...], task: Task, call: str | None
) -> tuple[EventBody, ...]:
    """What differs between two snapshots for a reader: changed versions and new changelog entries.

    `effects` are what the sandbox says of the two. It has to be at `after`, and is so again afterwards.
    """
    return tuple(_meanings(sandbox, before, after, effects, task, call)) if effects else ()


def _meanings(
    sandbox: Sandbox, before: str, after: str, effects: tuple[Effect, ...], task: Task, call: str | None
) -> Iterator[EventBody]:
    plugin = task.plugin
    names = {effect.path: _inside(effect.path, plugin.directory) for effect in effects if effect.before != effect.after}
    versions = [path for path, name in names.items() if name and is_version_file(name, plugin.version_file)]
    logs = [path for path, name in names.items() if name and is_changelog(name, plugin.changelog)]
    if not versions and not logs:
        return
    new = {path: _read(sandbox, path) for path in versions + logs}
    # The port reads only what is there now, so we go back for a moment; versions change seldom.
    sandbox.restore(before)
    try:
        old = {path: _read(sandbox, path) for path in versions + logs}
    finally:
        sandbox.restore(after)
    for path in versions:
        was, now = version_in(path, old[path]), version_in(path, new[path])
        if was and now and was != now:
            yield VersionChange(file=path, from_=was, to=now, bump=bump(was, now), call=call)
    for path in logs:
        known = set(entries_in(old[path]))
        for version in entries_in(new[path]):
            if version not in known:
                yield ChangelogEntry(file=path, version=version, call=call)


def _inside(path: str, directory: str) -> str | None:
    if directory == ".":
        return path
    relative = posixpath.relpath(path, directory)
    return None if relative.startswith("..") else relative


def _read(sandbox: Sandbox, path: str) -> str:
    try:
        return sandbox.read(path, limit=_READ).data.decode("utf-8", "replace")
    except (OSError, PathRefused):
        return ""
