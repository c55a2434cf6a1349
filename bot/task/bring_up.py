"""A fix that was made where an error was seen, carried to where the base branch is now, and proven there again."""

from __future__ import annotations

from bot.base.errors import GitError, TaskBlocked
from bot.task.baseline import baseline
from bot.task.change import difference
from bot.task.prove import prove
from bot.task.run import Run
from bot.task.setup import set_up
from bot.trace.events import BroughtUp, Note, VerificationDone


def bring_up(run: Run, proof: VerificationDone) -> VerificationDone:
    """The proof at the head of the base branch, after the change was applied there; else the one that there is.

    Nothing is done where the work began there, or on a commit that the base does not hold. A patch that does not apply
    stays where it was made, and the pull request says so. Raises `TaskBlocked` when it applies and is not proven there.
    """
    origin, place, change = run.origin, run.place, run.change
    if origin is None or change is None or place.base == origin.base_head:
        return proof
    git, seen, head = place.git, place.base, origin.base_head
    if not git.contains(seen, [head]):
        return proof
    try:
        git.apply(git.tree_of(head), change.patch)
    except GitError:
        note = (
            f"The fix was made on {seen[:12]}, where the error was seen, and does not apply to the head of "
            f"{origin.base_branch} by itself: merging needs a person."
        )
        run.notes += (note,)
        run.trace.append(Note(message=note))
        return proof
    run.trace.append(BroughtUp(before=seen, base=head, branch=origin.base_branch))
    run.leave()
    place.start_over(head)
    set_up(run)
    before = baseline(run)
    sandbox = run.enter(tree=git.apply(place.prepared_tree, change.patch))
    run.change = difference(place, sandbox.snapshot(), run.task)
    try:
        return prove(run, before, run.change)
    except TaskBlocked as no:
        msg = f"Proven on {seen[:12]}, where the error was seen, but not on the head of {origin.base_branch}: {no.what}"
        raise TaskBlocked(msg, no.cure) from no
