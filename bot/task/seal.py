"""The last hop: the outcome, the commit that publishing will make, and the trace, sealed into one proposal."""

from __future__ import annotations

import msgspec

from bot.base.canonical import sha256, spelled_out
from bot.expected.paths import scope_of
from bot.expected.twins import spelled
from bot.task.body import commit_message, pull_request_body, title
from bot.task.ending import Ended, outcome_of
from bot.task.ownership import AUTHOR_EMAIL, AUTHOR_NAME
from bot.task.proposal import CommandSummary, Proposal, text_digest
from bot.task.run import Run
from bot.task.store import TRACE, write
from bot.trace.events import CommandRun, CommitCreated, Note, RunFinished
from bot.trace.inert import visible
from bot.trace.reader import read

_SHOWN = 40


def seal(run: Run, end: Ended) -> Proposal:
    """Close the trace and write the proposal.

    When that cannot be done (a full disk), the proposal returned says so and is on no disk: outcome `error`. That of a
    run whose folder is not its own is on no disk either.
    """
    if run.lock is None:
        return _draft(run, end)
    try:
        return _seal(run, end)
    except Exception as error:  # noqa: BLE001 (what cannot be sealed must not stop the other plugins either)
        lost = outcome_of(error)
        reason = f"{lost.reason} Before that: {end.outcome}: {end.reason}"
        return msgspec.structs.replace(_draft(run, Ended(lost.outcome, reason)), tree="", patch_sha256="")


def _seal(run: Run, end: Ended) -> Proposal:
    run.collect_quietly()
    change, trace = run.change, run.begin()
    if end.mistake is not None:
        trace.append(Note(message=end.mistake))
    # Before the commit: its message is part of what the commit is called by.
    proposal = run.shop.redactor.struct(_draft(run, end, _commands(run)))
    if end.outcome == "changed" and change is not None:
        proposal = _with_commit(run, proposal)
    proposal = msgspec.structs.replace(proposal, body=pull_request_body(run.task, proposal))
    proposal = run.shop.redactor.struct(proposal)
    trace.append(
        RunFinished(
            outcome=end.outcome,
            reason=proposal.reason,
            usage=run.usage,
            duration_ms=proposal.duration_ms,
            events=0,
            head="",
            answer=run.answer,
            text=text_digest(proposal) if end.outcome == "changed" else "",
        )
    )
    proposal = msgspec.structs.replace(proposal, trace=trace.seal())
    write(run.folder, proposal, change.patch if change else b"")
    return proposal


def _draft(run: Run, end: Ended, commands: tuple[CommandSummary, ...] = ()) -> Proposal:
    task, playbook, change = run.task, run.task.playbook, run.change
    text = playbook.pull_request
    return Proposal(
        plugin=task.plugin.name,
        repo=task.plugin.repo,
        playbook=playbook.id,
        playbook_version=playbook.version,
        playbook_hash=playbook.hash,
        campaign=task.campaign,
        task_key=run.task_key,
        outcome=end.outcome,
        # It may quote a repository: names of files that are no text, and what steers a terminal.
        reason=run.shop.redactor.text(visible(end.reason)),
        base_sha=run.checkout.base if run.checkout else "",
        base_branch=run.origin.base_branch if run.origin else "",
        base_head=run.origin.base_head if run.origin else "",
        branch=task.branch,
        tree=change.tree if change else "",
        patch_sha256=sha256(change.patch if change else b""),
        title=title(task),
        labels=tuple(dict.fromkeys(task.plugin.labels + (text.labels if text else ()))),
        reviewers=task.plugin.reviewers,
        draft=task.plugin.draft,
        files=tuple(map(spelled, change.paths)) if change else (),
        added=change.added if change else 0,
        removed=change.removed if change else 0,
        answer=visible(spelled_out(run.answer) or "") or None,
        verification=run.verification,
        commands=commands,
        notes=run.notes,
        usage=run.usage,
        duration_ms=run.elapsed_ms,
        scope=scope_of(task),
        test_paths=task.plugin.test.paths if task.plugin.test else (),
        sandbox=run.enforced,
        model=msgspec.to_builtins(run.shop.model_id) if run.shop.model_id and playbook.mode == "agent" else None,
        sealed_at=int(run.shop.clock.now()),
    )


def _with_commit(run: Run, proposal: Proposal) -> Proposal:
    message = run.shop.redactor.text(commit_message(run.task, proposal))
    git = run.place.git
    commit = git.commit(
        proposal.tree, proposal.base_sha, message, name=AUTHOR_NAME, email=AUTHOR_EMAIL, when=proposal.sealed_at
    )
    run.trace.append(
        CommitCreated(
            sha=commit,
            tree=proposal.tree,
            parent=proposal.base_sha,
            branch=proposal.branch,
            files=len(proposal.files),
            added=proposal.added,
            removed=proposal.removed,
        )
    )
    return msgspec.structs.replace(proposal, commit=commit, commit_message=message)


def _commands(run: Run) -> tuple[CommandSummary, ...]:
    """The commands of the run, from its own trace: the last ones when there are many."""
    found = [
        CommandSummary(
            command=line.body.command,
            exit_code=line.body.exit_code,
            duration_ms=line.body.duration_ms,
            phase=line.body.phase,
        )
        for line in read(run.folder / TRACE)
        if isinstance(line.body, CommandRun)
    ]
    return tuple(found[-_SHOWN:])
