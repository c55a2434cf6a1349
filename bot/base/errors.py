"""Every error that may end a command or a task, and the exit code or outcome it stands for.

::

    FleetBotError                 what: one sentence; cure: what to do about it
    ├── UsageError          2     the command line is wrong
    ├── ConfigurationError  2     fleet.yaml, a playbook or a key is wrong; carries *all* problems
    ├── RefusedError        3     policy refused before anything ran
    ├── TaskFailed                the run could not do its job          -> outcome "failed"
    ├── TaskBlocked               work exists, must not be published    -> outcome "blocked"
    ├── TaskSkipped               never started, by policy              -> outcome "skipped"
    └── WorldError                clone, network, forge, disk           -> outcome "error"
        ├── GitError
        ├── ForgeError            status: the HTTP status, 0 when there was no answer
        └── SandboxError          the sandbox itself broke; never shown to the model as output

What a *model* may see of a failure is not an exception but a tool result, see `bot.agent.act`.
"""

from __future__ import annotations

from dataclasses import dataclass


class FleetBotError(Exception):
    """Something that a person can act upon. `what` says it in one sentence, `cure` says what to do."""

    exit_code = 1

    def __init__(self, what: str, cure: str = "") -> None:
        """`what` and `cure` are plain text, with secrets already taken out."""
        super().__init__(what)
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.what} {self.cure}".strip()


class UsageError(FleetBotError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One mistake in a file the user wrote: where it stands, what is wrong, what to write instead."""

    file: str
    line: int
    what: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" + (f" → {self.cure}" if self.cure else "")


class ConfigurationError(FleetBotError):
    """Files or settings are wrong. `problems` lists every mistake found, not only the first."""

    exit_code = 2

    def __init__(self, what: str, cure: str = "", problems: tuple[Problem, ...] = ()) -> None:
        """`problems` is sorted by file and line."""
        super().__init__(what, cure)
        self.problems = tuple(sorted(problems))


class RefusedError(FleetBotError):
    """A policy said no before anything ran: actor, event, certificate."""

    exit_code = 3


class TaskFailed(FleetBotError):
    """The run could not do its job: the model gave up, set-up failed, time ran out."""


class TaskBlocked(FleetBotError):
    """There is work, and it must not be published."""


class TaskSkipped(FleetBotError):
    """The task was never started, by policy."""


class WorldError(FleetBotError):
    """The world failed: clone, network, forge or disk."""


class GitError(WorldError):
    """A git command failed. `what` names the command without any credential."""

    output = b""
    """What it printed before it failed; a refused push says there which ref was refused."""


class ForgeError(WorldError):
    """The forge refused or could not be reached. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, what: str, cure: str = "", status: int = 0) -> None:
        """`status` is 0 when no answer came."""
        super().__init__(what, cure)
        self.status = status


class SandboxError(WorldError):
    """The sandbox itself broke or could not give what was asked for. Never shown to the model as output."""
