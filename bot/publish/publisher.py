"""From a sealed proposal to a pull request with its execution trace. Finds before it writes, so twice changes nothing.

Holds the write power. Executes and imports nothing of a proposal or a repository; a patch is applied by git plumbing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bot.base.errors import ConfigurationError, ForgeError, GitError, TaskBlocked, TaskSkipped
from bot.base.git import GitDir
from bot.base.redact import Redactor
from bot.base.values import Outcome, Playbook, Plugin
from bot.expected.twins import spelled
from bot.ports import DraftsRefused, ForgeWrite, PullRequest, TraceSink
from bot.publish.claims import beyond
from bot.publish.gate import Policy, decide
from bot.publish.witness import bent_tests, contradictions
from bot.task import store
from bot.task.checkout import AUTHOR_EMAIL, AUTHOR_NAME, empty, ours
from bot.task.ending import outcome_of
from bot.task.proposal import Proposal
from bot.trace.comment import render_comment
from bot.trace.events import BranchPushed, CommentWritten, GateDecided, Note, PullRequestOpened
from bot.trace.inert import visible
from bot.trace.reader import read, verify

TRACE = "execution_trace.jsonl"
JOURNAL = "publish_trace.jsonl"
TEXT = "pull_request.md"
_BODY_LIMIT = 65_000  # GitHub's is 65,536 characters
_MARK = "<!-- fleet-bot:pull-request"
_READY = "> Drafts are not available in this repository, so this pull request is marked as ready.\n\n"
_COMMENT_MARK = "<!-- fleet-bot:trace"


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

    forge: Callable[[str], ForgeWrite]
    """The forge of a repository, by its `repo` of fleet.yaml."""
    policy: Policy
    plugin: Callable[[str], Plugin | None]
    """A plugin of fleet.yaml, by its name."""
    playbook: Callable[[str], Playbook | None]
    """A playbook as it is here, by its id."""
    redactor: Redactor
    journal: Callable[[Path, Proposal], TraceSink]
    """Opens the publish trace, chained to the proposal's sealed head."""
    scratch: Callable[[], Path]
    trace_link: Callable[[Path], str | None] = lambda folder: None
    """Where people find the full trace of a proposal."""


def publish(folder: Path, press: Press) -> Published:
    """Publish one proposal. What is not `changed` stays as it is; what goes wrong is an outcome with a reason.

    Raises `WorldError` when there is no readable proposal, `ConfigurationError` when the token is refused.
    """
    proposal = store.read(folder)
    if proposal.outcome != "changed":
        return Published(proposal=proposal, folder=str(folder), outcome=proposal.outcome, reason=proposal.reason)
    scratch = press.scratch()
    try:
        return _Publication(folder, proposal, press, scratch).run()
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 (the border where one broken plugin must not stop the others)
        end = outcome_of(error)
        reason = press.redactor.text(visible(end.reason))
        return Published(proposal=proposal, folder=str(folder), outcome=end.outcome, reason=reason)
    finally:
        empty(scratch)
        scratch.rmdir()


class _Publication:
    def __init__(self, folder: Path, proposal: Proposal, press: Press, scratch: Path) -> None:
        self.folder, self.proposal, self.press = folder, proposal, press
        self.forge = press.forge(proposal.repo)
        self.git = GitDir.init(scratch / "git")
        self.local = proposal.repo.startswith(("/", "./", "../", "~"))

    def run(self) -> Published:
        self.sealed()
        patch = store.patch_of(self.folder, self.proposal)
        head = self.fetch()
        self.apply(patch)
        self.journal = self.press.journal(self.folder / JOURNAL, self.proposal)
        self.pass_gate(patch, head)
        pulls = self.own_pulls()
        self.push()
        if self.local:
            (self.folder / TEXT).write_text(f"# {self.proposal.title}\n\n{self.proposal.body}", encoding="utf-8")
            return self.done(None, "")
        pull, action = self.pull_request(pulls)
        self.decorate(pull)
        self.comment(pull)
        return self.done(pull, action)

    def done(self, pull: PullRequest | None, action: str) -> Published:
        proposal = self.proposal
        return Published(
            proposal=proposal,
            folder=str(self.folder),
            outcome="changed",
            reason=proposal.reason,
            pull_request=pull,
            action=action,
        )

    def sealed(self) -> None:
        """The trace beside the proposal has to be the one that was sealed with it."""
        verdict = verify(self.folder / TRACE, self.proposal.trace)
        if not verdict.ok:
            msg = f"The execution trace is not the one that was sealed: {verdict.reason}"
            raise TaskBlocked(msg, "Make the proposal again with `fleet-bot propose`.")

    def fetch(self) -> str:
        """Bring the base, and our branch if it is there; returns where the base branch is now."""
        proposal, remote = self.proposal, self.forge.remote(self.proposal.repo)
        self.head = self.forge.branch_head(proposal.repo, proposal.branch)
        base = f"refs/remotes/origin/{proposal.base_branch}"
        names = [f"+refs/heads/{proposal.base_branch}:{base}"]
        if self.head is not None:
            names.append(f"+refs/heads/{proposal.branch}:refs/fleet-bot/branch")
        self.git.fetch(remote.url, names, token=remote.token, tags=False)
        if self.git.resolve(proposal.base_sha) is None:
            # The run started from a commit that is on another branch.
            self.git.fetch(remote.url, ["+refs/heads/*:refs/remotes/origin/*"], token=remote.token)
        if self.git.resolve(proposal.base_sha) is None:
            raise TaskBlocked("The commit that the run started from is gone.", "Propose again.")
        return self.git.text("rev-parse", base)

    def apply(self, patch: bytes) -> None:
        """Make the commit that was sealed."""
        proposal, git = self.proposal, self.git
        try:
            tree = git.apply(git.tree_of(proposal.base_sha), patch)
        except GitError as error:
            raise TaskBlocked("The patch does not apply to its own base.", "Propose again.") from error
        commit = git.commit(
            tree,
            proposal.base_sha,
            proposal.commit_message,
            name=AUTHOR_NAME,
            email=AUTHOR_EMAIL,
            when=proposal.sealed_at,
        )
        if (tree, commit) != (proposal.tree, proposal.commit):
            msg = "The patch gives another commit than the one that was sealed."
            raise TaskBlocked(msg, "Somebody changed the proposal after the run; propose again.")

    def moved(self, head: str) -> Iterator[str]:
        """The files of the patch that the base branch changed since the run began."""
        proposal, git = self.proposal, self.git
        began = git.resolve(proposal.base_head) if proposal.base_head else None
        # Both were told by the proposal: a claim that the base is where it is now is held against what it began from.
        start = began if began is not None and git.contains(proposal.base_sha, [began]) else proposal.base_sha
        if head == start:
            return
        since = {change.path for change in git.changes(git.tree_of(start), git.tree_of(head))}
        mine = {change.path for change in git.changes(git.tree_of(proposal.base_sha), proposal.tree)}
        if touched := sorted(map(spelled, since & mine)):
            yield f"the base moved meanwhile and changed the same files: {', '.join(touched[:3])}; propose again"

    def pass_gate(self, patch: bytes, head: str) -> None:
        proposal, press, trace = self.proposal, self.press, self.folder / TRACE
        plugin, playbook = press.plugin(proposal.plugin), press.playbook(proposal.playbook)
        found = beyond(proposal, plugin, playbook, self.git, head)
        found += contradictions(proposal, read(trace))
        found += self.moved(head)
        found += decide(proposal, self.git, patch, press.policy, press.redactor)
        if not press.policy.weaker_tests:
            found += bent_tests(proposal, read(trace), self.git)
        reasons = tuple(dict.fromkeys(found))
        self.journal.append(GateDecided(allowed=not reasons, reasons=reasons))
        if reasons:
            more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
            raise TaskBlocked("The gate refused: " + "; ".join(reasons[:3]) + more + ".", "See `policy` in the docs.")

    def own_pulls(self) -> tuple[PullRequest, ...]:
        """Our open pull requests from the branch. A closed one of ours, or anybody else's, ends the task."""
        pulls = self.forge.find_pulls(self.proposal.repo, self.proposal.branch)
        me = self.forge.login() if pulls else ""
        mine = tuple(pull for pull in pulls if pull.author == me and _MARK in pull.body)
        foreign = [pull for pull in pulls if pull.state == "open" and pull not in mine]
        if foreign:
            msg = f"Somebody else's pull request #{foreign[0].number} uses the branch."
            raise TaskSkipped(msg, "Close it, or let it be.")
        running = tuple(pull for pull in mine if pull.state == "open")
        ended = [pull for pull in mine if pull.state != "open"]
        if not running and ended:
            how = "merged" if ended[0].state == "merged" else "closed by a person"
            msg = f"Pull request #{ended[0].number} was {how} and stays so."
            raise TaskSkipped(msg, "Reopen it to go on.")
        return running

    def push(self) -> None:
        proposal = self.proposal
        if self.head == proposal.commit:
            return
        if self.head is not None and not ours(self.git, self.head, proposal.base_sha):
            msg = f"The branch {proposal.branch} has commits that fleet-bot did not make."
            raise TaskSkipped(msg, "Merge or delete the branch to let fleet-bot use the name again.")
        self.forge.push(proposal.repo, self.git.path, proposal.commit, proposal.branch, self.head)
        self.journal.append(BranchPushed(branch=proposal.branch, sha=proposal.commit, previous=self.head))

    def pull_request(self, pulls: tuple[PullRequest, ...]) -> tuple[PullRequest, str]:
        proposal, repo = self.proposal, self.proposal.repo
        if not pulls:
            pull, action = self.create(), "created"
        elif self.mark() in pulls[0].body:
            # The text is about this very commit; what a person wrote into it since then stays.
            pull, action = pulls[0], "unchanged"
        else:
            body = self.body(_READY if _READY in pulls[0].body else "")
            pull = self.forge.update_pull(repo, pulls[0].number, title=proposal.title, body=body)
            action = "updated"
        self.journal.append(
            PullRequestOpened(number=pull.number, url=pull.url, action=action, draft=pull.draft)  # type: ignore[arg-type]
        )
        return pull, action

    def create(self) -> PullRequest:
        proposal = self.proposal
        arguments = {"base": proposal.base_branch, "branch": proposal.branch, "title": proposal.title}
        try:
            try:
                return self.forge.create_pull(proposal.repo, **arguments, body=self.body(), draft=proposal.draft)
            except DraftsRefused:
                self.journal.append(Note(message="drafts are not available here, so the pull request is ready"))
                return self.forge.create_pull(proposal.repo, **arguments, body=self.body(_READY), draft=False)
        except ForgeError:
            # The answer may have been lost after the pull request was made: look before giving up.
            found = self.own_pulls()
            if not found:
                raise
            return found[0]

    def mark(self) -> str:
        proposal = self.proposal
        return f"{_MARK} campaign={proposal.campaign} plugin={proposal.plugin} commit={proposal.commit} -->\n"

    def body(self, note: str = "") -> str:
        mark = self.mark() + note
        room = _BODY_LIMIT - len(mark)
        text = self.proposal.body
        if len(text) > room:
            text = text[: room - 200] + "\n\n… cut here; the whole text is in the proposal.\n"
        return mark + text

    def decorate(self, pull: PullRequest) -> None:
        """Labels and reviewers. A reviewer who cannot be asked is noted and does not undo the pull request."""
        proposal = self.proposal
        missing = tuple(label for label in proposal.labels if label not in pull.labels)
        if missing:
            self.forge.add_labels(proposal.repo, pull.number, missing)
        people = tuple(name for name in proposal.reviewers if name not in pull.reviewers)
        if people:
            try:
                self.forge.request_reviewers(proposal.repo, pull.number, people)
            except ForgeError as error:
                self.journal.append(Note(message=f"reviewers could not be asked: {error.what}"))

    def comment(self, pull: PullRequest) -> None:
        repo = self.proposal.repo
        text = render_comment(
            self.folder / TRACE, msgspec.to_builtins(self.proposal), link=self.press.trace_link(self.folder)
        )
        if self.press.redactor.found(text):
            text = self.press.redactor.text(text)
        me = self.forge.login()
        mine = [c for c in self.forge.comments(repo, pull.number) if c.author == me and _COMMENT_MARK in c.body]
        if mine and _lines(mine[0].body) == _lines(text):
            written, action = mine[0], "unchanged"
        elif mine:
            written, action = self.forge.update_comment(repo, mine[0].id, text), "updated"
        else:
            written, action = self.forge.create_comment(repo, pull.number, text), "created"
        self.journal.append(
            CommentWritten(id=written.id, url=written.url, action=action)  # type: ignore[arg-type]
        )


def _lines(text: str) -> list[str]:
    # Forges store line endings and trailing white space as they like.
    return [line.rstrip() for line in text.strip().splitlines()]
