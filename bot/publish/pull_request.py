"""The pull request: found or opened, its text, its labels and reviewers."""

from __future__ import annotations

from typing import Literal

from bot.base.errors import ForgeError
from bot.ports import DraftsRefused, ForgeWrite, PullRequest, TraceSink
from bot.task.ownership import MARK, Standing, standing
from bot.task.proposal import Proposal
from bot.trace.events import Note, PullRequestOpened

Action = Literal["created", "updated", "unchanged"]
_BODY_LIMIT = 65_000  # GitHub's is 65,536 characters
_READY = "> Drafts are not available in this repository, so this pull request is marked as ready.\n\n"


def look(proposal: Proposal, forge: ForgeWrite) -> Standing:
    """Our pull requests from the branch. Raises `TaskSkipped` as `bot.task.ownership.standing` does."""
    pulls = forge.find_pulls(proposal.repo, proposal.branch)
    return standing(pulls, forge.login()) if pulls else Standing()


def bring(
    proposal: Proposal, forge: ForgeWrite, journal: TraceSink, running: PullRequest | None
) -> tuple[PullRequest, Action]:
    """Open the pull request, or bring the one that is `running` up to date."""
    pull, action = _brought(proposal, forge, journal, running)
    journal.append(PullRequestOpened(number=pull.number, url=pull.url, action=action, draft=pull.draft))
    return pull, action


def decorate(proposal: Proposal, forge: ForgeWrite, journal: TraceSink, pull: PullRequest) -> bool:
    """Add labels and ask reviewers. What the forge refuses is noted and does not undo the pull request.

    Returns whether something could not be had today (no answer, a server's error) and is worth another try.
    """
    labels = tuple(label for label in proposal.labels if label not in pull.labels)
    people = tuple(name for name in proposal.reviewers if name not in pull.reviewers)
    again = False
    for what, names, write in (
        ("labels could not be added", labels, forge.add_labels),
        ("reviewers could not be asked", people, forge.request_reviewers),
    ):
        try:
            if names:
                write(proposal.repo, pull.number, names)
        except ForgeError as error:
            journal.append(Note(message=f"{what}: {error.what}"))
            again = again or error.status in {0, 429} or error.status >= 500
    return again


def _brought(
    proposal: Proposal, forge: ForgeWrite, journal: TraceSink, running: PullRequest | None
) -> tuple[PullRequest, Action]:
    if running is None:
        return _created(proposal, forge, journal), "created"
    if _mark(proposal) in running.body:
        # The text is about this very commit; what a person wrote into it since then stays.
        return running, "unchanged"
    body = _body(proposal, _READY if _READY in running.body else "")
    return forge.update_pull(proposal.repo, running.number, title=proposal.title, body=body), "updated"


def _created(proposal: Proposal, forge: ForgeWrite, journal: TraceSink) -> PullRequest:
    arguments = {"base": proposal.base_branch, "branch": proposal.branch, "title": proposal.title}
    try:
        try:
            return forge.create_pull(proposal.repo, **arguments, body=_body(proposal), draft=proposal.draft)
        except DraftsRefused:
            journal.append(Note(message="drafts are not available here, so the pull request is ready"))
            return forge.create_pull(proposal.repo, **arguments, body=_body(proposal, _READY), draft=False)
    except ForgeError:
        # The answer may have been lost after the pull request was made: look before giving up.
        found = look(proposal, forge).running
        if found is None:
            raise
        return found


def _mark(proposal: Proposal) -> str:
    return f"{MARK} campaign={proposal.campaign} plugin={proposal.plugin} commit={proposal.commit} -->\n"


def _body(proposal: Proposal, note: str = "") -> str:
    mark = _mark(proposal) + note
    room = _BODY_LIMIT - len(mark)
    text = proposal.body
    if len(text) > room:
        text = text[: room - 200] + "\n\n… cut here; the whole text is in the proposal.\n"
    return mark + text
