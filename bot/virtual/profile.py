"""Declarative virtual plugins: `virtual_fleet/<name>/profile.yaml` as frozen values.

::

    from: repo            the plain files beside it, and `files` on top of them
    facts                 questions to the tree, by name
    suite                 where tests are and which fail until which fact holds
    commands              answers to command lines; the first that fits, and whose `when` holds, answers
    faults, tripwires     what goes wrong, what must not be touched

Docs: `docs/virtual-plugins.md`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from bot.base.canonical import digest
from bot.base.values import Outcome, Scalar
from bot.virtual.facts import Fact
from bot.virtual.faults import Fault
from bot.virtual.suite import Suite
from bot.virtual.tree import Node


class TestTally(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of tests, for a runner whose tests the virtual plugin does not model one by one."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    errors: int = 0


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What a command answers."""

    exit: int = 0
    stdout: str = ""
    stderr: str = ""
    tests: TestTally | None = None
    """Adds a summary as pytest prints it."""
    suite: bool = False
    """Answer with the suite: exit code, output and JUnit file follow from the tree."""
    seconds: float = 0.1
    """Virtual seconds it takes; more than the time-out means that it is ended there."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to command lines."""

    run: tuple[tuple[str, ...], ...]
    """Alternatives, each the first words of the command after wrappers such as `uv run` and `python -m` are taken off.
    A word may have wildcards (`*`, `?`, `[…]`)."""
    when: Fact | str | None = None
    respond: Response = Response()
    set: tuple[tuple[str, Scalar], ...] = ()
    """Values to remember."""
    write: tuple[tuple[str, str], ...] = ()
    """Files it writes: path and text."""
    delete: tuple[str, ...] = ()
    """Globs of files it removes."""


class Tripwires(msgspec.Struct, frozen=True, kw_only=True):
    """What must not be touched, besides pushing and the network, which never may be."""

    secrets: tuple[str, ...] = ()
    """Globs of files that nobody has a reason to read."""
    commands: tuple[tuple[str, ...], ...] = ()
    """First words of commands that nobody has a reason to run."""


class DeclaredScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook on a virtual plugin that has no `plugin.yaml`, and how that may end."""

    playbook: str
    variables: dict[str, Scalar] = {}
    report: str | None = None
    """What was reported, as untrusted text."""
    issue: int | None = None
    """The number of the issue that the report came in."""
    outcomes: tuple[Outcome, ...]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A behavioural model of a plugin, complete and unchangeable: nothing is read from disk after this."""

    name: str
    summary: str
    files: dict[str, Node]
    """The workspace at the start, by path."""
    facts: dict[str, Fact] = {}
    suite: Suite | None = None
    commands: tuple[Command, ...] = ()
    faults: tuple[Fault, ...] = ()
    tripwires: Tripwires = Tripwires()
    state: dict[str, Scalar] = {}
    env: dict[str, str] = {}
    """Environment of every command."""
    test: str | None = None
    """The plugin's test command, and what follows: for a virtual plugin without a `plugin.yaml`."""
    version_file: str | None = None
    changelog: str | None = None
    scenarios: tuple[DeclaredScenario, ...] = ()
    hash: str = ""
    """SHA-256 over all of it: what a certificate says it was flown on."""


def find_profiles(folder: Path) -> dict[str, Path]:
    """Name → `profile.yaml` of every virtual plugin in a virtual fleet that has one."""
    return {file.parent.name: file for file in sorted(folder.glob("*/profile.yaml"))}


def hashed(profile: Profile) -> Profile:
    """The profile with its hash."""
    files = {path: (value.sha256, value.executable, value.link) for path, value in profile.files.items()}
    rest = {name: getattr(profile, name) for name in profile.__struct_fields__ if name not in {"files", "hash"}}
    return msgspec.structs.replace(profile, hash=digest([files, rest]))
