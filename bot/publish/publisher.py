"""From a sealed proposal to a pull request with its execution trace. Finds before it writes, so twice changes nothing.

Holds the write power. Executes and imports nothing of a proposal or a repository; a patch is applied by git plumbing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bot.base.errors import ConfigurationError, FleetBotError, ForgeError, TaskBlocked
from bot.base.git import GitDir
from bot.base.glob import matches
from bot.base.redact import Redactor
from bot.base.values import Outcome, Playbook, Plugin, is_path
from bot.ports import ForgeWrite, PullRequest, TraceSink
from bot.publish import branch, comment, kept_trace, pull_request
from bot.publish.branch import Tips
from bot.publish.claims import beyond
from bot.publish.comment import Place
from bot.publish.gate import Policy, decide
from bot.publish.witness import bent_tests, contradictions
from bot.task import store
from bot.task.emptying import empty
from bot.task.ending import outcome_of
from bot.task.proposal import Proposal
from bot.task.store import TRACE
from bot.trace.events import BranchPushed, GateDecided, Note, TraceKept
from bot.trace.inert import visible
from bot.trace.reader import read, verify

JOURNAL = "publish_trace.jsonl"
TEXT = "pull_request.md"
_WORKFLOWS = ".github/workflows/"


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one proposal."""

    proposal: Proposal
    folder: str
    outcome: Outcome
    reason: str
    pull_request: PullRequest | None = None
    action: str = ""
    """created, updated or unchanged."""


@dataclass(frozen=True, kw_only=True)
class Press:
    """The collaborators of publishing, built once by `bot.wiring`."""

    forge: Callable[[str, bool], ForgeWrite]
    """The forge of a repository, by its `repo` of fleet.yaml; whether workflows are to be written there."""
    policy: Policy
    plugin: Callable[[str], Plugin | None]
    """A plugin of fleet.yaml, by its name."""
    playbook: Callable[[str], Playbook | None]
    """A playbook as it is here, by its id."""
    redactor: Redactor
    journal: Callable[[Path, Proposal], TraceSink]
    """Opens the publish trace, chained to the proposal's sealed head."""
    scratch: Callable[[], Path]
    place: Callable[[Path], Place | None] = lambda folder: None
    """Where people find the full trace of a proposal."""
    certified: Callable[[Proposal, Path], str] = lambda proposal, folder: ""
    """Whether a run stayed inside what was certified, in one line; empty where there is no certificate."""


def publish(folder: Path, press: Press) -> Published:
    """Publish one proposal. What is not `changed` stays as it is; what goes wrong is an outcome with a reason.

    A pull request that is there is named in every case. Raises `ConfigurationError` when the token is refused.
    """
    proposal: Proposal | None = None
    work: _Publication | None = None
    scratch: Path | None = None
    try:
        proposal = store.read(folder)
        if proposal.outcome != "changed":
            return Published(proposal=proposal, folder=str(folder), outcome=proposal.outcome, reason=proposal.reason)
        scratch = press.scratch()
        work = _Publication(folder, proposal, press, GitDir.init(scratch / "git"))
        return work.run()
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 (the border where one broken plugin must not stop the others)
        end = outcome_of(error)
        return Published(
            proposal=proposal or store.unreadable(folder),
            folder=str(folder),
            outcome=end.outcome,
            reason=press.redactor.text(visible(end.reason)),
            pull_request=work.pull if work else None,
            action=work.action if work else "",
        )
    finally:
        if work is not None:
            work.close()
        if scratch is not None:
            empty(scratch)
            scratch.rmdir()


class _Publication:
    """One proposal on its way. `pull` and `action` say how far it came."""

    def __init__(self, folder: Path, proposal: Proposal, press: Press, git: GitDir) -> None:
        self.folder, self.proposal, self.press, self.git = folder, proposal, press, git
        self.forge = press.forge(proposal.repo, _opens_workflows(press.playbook(proposal.playbook)))
        self.pull: PullRequest | None = None
        self.action = self.warning = ""
        self._journal: TraceSink | None = None

    def run(self) -> Published:
        proposal, forge, git = self.proposal, self.forge, self.git
        self.sealed()
        patch = store.patch_of(self.folder, proposal)
        tips = branch.fetch(proposal, forge, git)
        branch.rebuild(proposal, git, patch)
        found = pull_request.look(proposal, forge)
        if branch.taken(proposal, git, tips):
            merged = next((pull for pull in found.merged if pull.head_sha == proposal.commit), None)
            how = f": #{merged.number} was merged" if merged else ""
            return self.done("no_change", f"The change is in {proposal.base_branch} already{how}.", merged)
        self.pass_gate(patch, tips, found.running)
        if branch.push(proposal, forge, git, tips, found):
            self.journal.append(BranchPushed(branch=proposal.branch, sha=proposal.commit, previous=tips.branch))
        if is_path(proposal.repo):
            (self.folder / TEXT).write_text(f"# {proposal.title}\n\n{proposal.body}", encoding="utf-8")
            self.keep_trace()
        else:
            self.pull, self.action = pull_request.bring(proposal, forge, self.journal, found.running)
            self.dress(self.pull)
            self.tell(passed=True, text=proposal.reason)
        return self.done("changed", proposal.reason, self.pull)

    def dress(self, pull: PullRequest) -> None:
        """Labels, reviewers and the trace comment. The comment comes last: it tells a later run that all is done."""
        proposal, forge, press = self.proposal, self.forge, self.press
        text = comment.text_of(
            proposal,
            self.folder / TRACE,
            press.redactor,
            place=press.place(self.folder),
            certified=press.certified(proposal, self.folder),
            kept=self.keep_trace(),
        )
        found = comment.find(proposal, forge, pull)
        if not comment.finished(found) and pull_request.decorate(proposal, forge, self.journal, pull):
            text = comment.unfinished(text)
        comment.bring(proposal, forge, self.journal, pull, found, text)

    def tell(self, *, passed: bool, text: str) -> None:
        """Put what the gate said on the pull request, if there is one. A token that may not is a note and no more."""
        if self.pull is None or not self.pull.head_sha:
            return
        sha = self.proposal.commit if passed else self.pull.head_sha
        place = self.press.place(self.folder)
        link = (place.page or place.trace) if place else None
        try:
            self.forge.report(self.proposal.repo, sha, passed=passed, text=visible(text), url=link)
        except ForgeError as error:
            self.journal.append(Note(message=f"the gate's status could not be set: {error.what}"))

    def keep_trace(self) -> str:
        """Push the trace to a ref of its own where fleet.yaml asks for that; the ref, or empty. It is never worth more
        than the pull request: what goes wrong is a note in the publish trace, and a warning.
        """
        proposal, plugin = self.proposal, self.press.plugin(self.proposal.plugin)
        if plugin is None or not plugin.keep_trace:
            return ""
        try:
            ref, commit = kept_trace.keep(proposal, self.folder, self.git, self.forge, self.press.redactor)
        except (FleetBotError, OSError) as error:
            self.warning = f"The trace was not kept in the repository: {visible(self.press.redactor.text(str(error)))}"
            self.journal.append(Note(message=self.warning))
            return ""
        self.journal.append(TraceKept(ref=ref, sha=commit))
        return ref

    def done(self, outcome: Outcome, reason: str, pull: PullRequest | None) -> Published:
        return Published(
            proposal=self.proposal,
            folder=str(self.folder),
            outcome=outcome,
            reason=f"{reason} {self.warning}".strip() if self.warning else reason,
            pull_request=pull,
            action=self.action or ("unchanged" if pull else ""),
        )

    @property
    def journal(self) -> TraceSink:
        """The publish trace, opened by the first event: a proposal that nothing was done with gets none."""
        if self._journal is None:
            self._journal = self.press.journal(self.folder / JOURNAL, self.proposal)
        return self._journal

    def close(self) -> None:
        """Let go of the publish trace."""
        if self._journal is not None:
            self._journal.seal()

    def sealed(self) -> None:
        """The trace beside the proposal has to be the one that was sealed with it."""
        store.unlinked(self.folder / TRACE)
        verdict = verify(self.folder / TRACE, self.proposal.trace)
        if not verdict.ok:
            msg = f"The execution trace is not the one that was sealed: {verdict.reason}"
            raise TaskBlocked(msg, "Make the proposal again with `fleet-bot propose`.")

    def pass_gate(self, patch: bytes, tips: Tips, running: PullRequest | None) -> None:
        """Raises `TaskBlocked` with the first reasons, when there are any; the `running` pull request shows them."""
        proposal, press, trace = self.proposal, self.press, self.folder / TRACE
        plugin, playbook = press.plugin(proposal.plugin), press.playbook(proposal.playbook)
        usual = self.forge.facts(proposal.repo).default_branch
        found = beyond(proposal, plugin, playbook, self.git, tips.base, usual)
        found += contradictions(proposal, read(trace))
        found += branch.moved(proposal, self.git, tips)
        found += decide(proposal, self.git, patch, press.policy, press.redactor)
        if not press.policy.weaker_tests:
            found += bent_tests(proposal, read(trace), self.git)
        reasons = tuple(dict.fromkeys(found))
        self.journal.append(GateDecided(allowed=not reasons, reasons=reasons))
        if reasons:
            self.pull = running
            self.tell(passed=False, text="; ".join(reasons))
            more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
            raise TaskBlocked("The gate refused: " + "; ".join(reasons[:3]) + more + ".", "See `policy` in the docs.")


def _opens_workflows(playbook: Playbook | None) -> bool:
    """Whether a playbook opens workflows. Only then is its token one that may write them."""
    globs = [glob.removeprefix("./") for glob in playbook.opens] if playbook is not None else []
    return any(glob.startswith(_WORKFLOWS) or matches(f"{_WORKFLOWS}x.yml", glob) for glob in globs)
