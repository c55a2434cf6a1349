"""The sealed result of a run: data only, no power. What `propose` writes and `publish` reads."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.base.canonical import digest
from bot.base.values import Outcome, Usage
from bot.expected.paths import Scope
from bot.ports import Seal
from bot.trace.events import VerificationDone


class CommandSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the run executed, for the evidence table."""

    command: str
    exit_code: int
    duration_ms: float
    phase: str = "agent"
    """Who ran it and when: setup, probe, agent, script or verify."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a run wants to change and what shows that it is right. Beside it lies `changes.patch`."""

    v: int = 1
    plugin: str
    repo: str
    playbook: str
    playbook_version: str = ""
    playbook_hash: str = ""
    campaign: str
    task_key: str = ""
    """Hash of everything that went in; a finished proposal with the same key is not made again."""
    outcome: Outcome
    reason: str
    base_sha: str = ""
    base_branch: str = ""
    base_head: str = ""
    """Where the base branch was; differs from `base_sha` when the run started from a commit named by hand."""
    branch: str = ""
    tree: str = ""
    """The git tree that `base_sha` plus the patch has to give."""
    commit: str = ""
    """The commit that publishing makes: parent `base_sha`, date `sealed_at`."""
    patch_sha256: str = ""
    commit_message: str = ""
    title: str = ""
    body: str = ""
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    draft: bool = True
    files: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    answer: str | None = None
    verification: VerificationDone | None = None
    commands: tuple[CommandSummary, ...] = ()
    notes: tuple[str, ...] = ()
    """What whoever reads the pull request should know."""
    usage: Usage = Usage()
    duration_ms: float = 0.0
    scope: Scope = Scope()
    """Where the run was allowed to change files; the gate looks again."""
    test_paths: tuple[str, ...] = ()
    sandbox: dict[str, Any] = {}
    model: dict[str, Any] | None = None
    sealed_at: int = 0
    """Seconds since the epoch; author and committer date of the commit."""
    trace: Seal | None = None


def text_digest(proposal: Proposal) -> str:
    """A hash of all that people will read and be asked in the pull request, for the last line of the trace."""
    return digest([proposal.title, proposal.body, proposal.labels, proposal.reviewers, proposal.draft])
