"""What the sealed trace says about a proposal: that it tells the same story, and that its tests were not bent.

A test that was seen red and then changed in what it asserts, without being seen red again, may have been bent to fit
the code. Contents follow from the trace: what file tools wrote stands in the arguments of their calls, and a hash tells
whether it was put together rightly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.base.canonical import sha256
from bot.base.git import GitDir
from bot.expected.paths import is_test
from bot.expected.twins import spelled
from bot.expected.weaken import assertions
from bot.task.proposal import Proposal, text_digest
from bot.trace.events import (
    BroughtUp,
    CommandRun,
    CommitCreated,
    FileWrite,
    GuardRefused,
    RunFinished,
    RunStarted,
    ToolRequested,
    VerificationDone,
)
from bot.trace.line import Line


def contradictions(proposal: Proposal, lines: Iterable[Line]) -> Iterator[str]:
    """Where a proposal says otherwise than its trace."""
    told = _Told(lines)
    started, proof, commit, finished = told.started, told.proof, told.commit, told.finished
    names = ("plugin", "playbook", "playbook_hash", "campaign")
    if not _same(started, proposal, names):
        yield "the trace is of another run"
    elif started is None or (told.base, started.branch) != (proposal.base_sha, proposal.branch):
        yield "the trace is of a run on another commit or for another branch"
    if commit is None or (commit.sha, commit.tree) != (proposal.commit, proposal.tree):
        yield "the trace made another commit"
    if proof is None or not proof.proven:
        yield "the trace has no proof"
    elif proof != proposal.verification:
        yield "the trace has another proof"
    if finished is None or finished.outcome != "changed":
        yield "the run in the trace did not end with a change"
    elif finished.text != text_digest(proposal):
        yield "the run in the trace ended with another text for the pull request"


class _Told:
    """What a trace says of the run as a whole: how it began, and the last word on the rest."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.started: RunStarted | None = None
        self.base = ""
        self.proof: VerificationDone | None = None
        self.commit: CommitCreated | None = None
        self.finished: RunFinished | None = None
        for line in lines:
            match line.body:
                case RunStarted() if self.started is None:
                    self.started, self.base = line.body, line.body.base_sha
                case BroughtUp():
                    self.base = line.body.base
                case VerificationDone():
                    self.proof = line.body
                case CommitCreated():
                    self.commit = line.body
                case RunFinished():
                    self.finished = line.body


def bent_tests(proposal: Proposal, lines: Iterable[Line], git: GitDir) -> Iterator[str]:
    """The tests that were changed in what they assert after they were seen red, and not seen red since."""
    story = _Story(proposal, git)
    for line in lines:
        story.follow(line)
    for path, shown in sorted(story.red.items()):
        final = git.blob(proposal.tree, path)
        if final is None or sha256(final) in shown:
            continue
        if all(_lost(then, final, path) for then in shown.values()):
            yield f"{spelled(path)}: changed in what it asserts after it was seen red, and not seen red again"


def _lost(then: bytes | None, final: bytes, path: str) -> bool:
    """Whether something that a test asserted then is not asserted any more. What it was is not always known."""
    return then is None or bool(assertions(then, path) - assertions(final, path))


def _same(started: object, proposal: Proposal, names: tuple[str, ...]) -> bool:
    return all(getattr(started, name, None) == getattr(proposal, name) for name in names)


class _Story:
    """The contents of the test files as the run goes on, and those with which they were seen red."""

    def __init__(self, proposal: Proposal, git: GitDir) -> None:
        self.proposal, self.git = proposal, git
        self.base: str | None = git.tree_of(proposal.base_sha)
        self.contents: dict[str, tuple[str, bytes | None]] = {}
        """Path → hash, and the bytes where they are known."""
        self.red: dict[str, dict[str, bytes | None]] = {}
        self.calls: dict[str, ToolRequested] = {}

    def follow(self, line: Line) -> None:
        """One line further."""
        match line.body:
            case RunStarted() as began:
                known = self.git.resolve(began.base_sha) if began.base_sha else None
                self.base = self.git.tree_of(known) if known else None
            case ToolRequested() as call:
                self.calls[call.call] = call
            case GuardRefused() as no:
                self.calls.pop(no.call, None)
            case FileWrite() as written if is_test(written.path, self.proposal.test_paths):
                self.write(written)
            case CommandRun(phase="agent", tests=seen) if seen is not None and seen.failed + seen.errors:
                for path, (digest, data) in self.contents.items():
                    self.red.setdefault(path, {})[digest] = data

    def write(self, written: FileWrite) -> None:
        """A test file changed. One that is gone was not seen red with what comes later."""
        if written.sha256_after is None:
            self.contents.pop(written.path, None)
            return
        call = self.calls.get(written.call or "")
        data = self.made(call, written.path) if call is not None else None
        known = data if data is not None and sha256(data) == written.sha256_after else None
        self.contents[written.path] = (written.sha256_after, known)

    def made(self, call: ToolRequested, path: str) -> bytes | None:
        """What a call to a file tool made of a file."""
        if call.tool == "write_file":
            return _text(call.args.get("content"))
        old, new = _text(call.args.get("old")), _text(call.args.get("new"))
        if call.tool != "edit_file" or old is None or new is None:
            return None
        before = (
            self.contents[path][1] if path in self.contents else self.git.blob(self.base, path) if self.base else None
        )
        return before.replace(old, new) if before is not None and old else None

    def found(self, path: str) -> bytes | None:
        """A file as the run found it."""
        return self.git.blob(self.base, path) if self.base is not None else None


def _text(value: object) -> bytes | None:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None
