"""What a proposal claims about itself, held against what the fleet says.

A proposal comes from a job without write power, as plain data that anybody who got into that job may have changed. So
where it goes, what it may touch and what it carries is looked up here once more: in `fleet.yaml`, in the playbook, and
in the repository's own settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.base.git import GitDir
from bot.base.values import Playbook, Plugin, Task
from bot.expected.paths import Scope, scope_of
from bot.expected.twins import spelled
from bot.task.narrow import NARROW_FILE, narrowed
from bot.task.proposal import Proposal

_BRANCH = re.compile(r"(?:fleet-bot|fix)/(?!.*(?:\.\.|\.lock(?:/|\Z)))[A-Za-z0-9][A-Za-z0-9_.-]{0,190}(?<!\.)")
_TEMPLATE = re.compile(r"\{[{%]")


def beyond(
    proposal: Proposal, plugin: Plugin | None, playbook: Playbook | None, git: GitDir, head: str, usual: str
) -> list[str]:
    """The reasons why what a proposal claims is more than the fleet gives it; empty when it is not.

    `plugin` is its entry of fleet.yaml, `playbook` the one of its name here; None where there is none. `git` holds its
    base, `head` is where the base branch is now, and `usual` is the repository's default branch. Raises `TaskSkipped`
    and `TaskBlocked` where the repository's own settings say so.
    """
    if plugin is None:
        return [f"fleet.yaml has no plugin {spelled(proposal.plugin)}"]
    own = git.blob(head, NARROW_FILE)
    task = _task(proposal, plugin, playbook)
    if own is not None:
        task = narrowed(task, own)
    return [
        *_place(proposal, task.plugin, git, head, usual),
        *_size(proposal, git),
        *_scope(proposal.scope, task, known=playbook is not None),
        *_trimmings(proposal, task, playbook),
    ]


def _task(proposal: Proposal, plugin: Plugin, playbook: Playbook | None) -> Task:
    return Task(
        plugin=plugin,
        playbook=playbook or Playbook(id=proposal.playbook, version="", summary=""),
        campaign=proposal.campaign,
        variables={},
        prompt="",
        limits=plugin.limits,
        branch=proposal.branch,
    )


def _place(proposal: Proposal, plugin: Plugin, git: GitDir, head: str, usual: str) -> Iterator[str]:
    if proposal.repo != plugin.repo:
        yield f"it is for {spelled(proposal.repo)}, and {plugin.name} is {plugin.repo} in fleet.yaml"
    if not _BRANCH.fullmatch(proposal.branch) or proposal.branch in {proposal.base_branch, usual}:
        yield f"{spelled(proposal.branch)[:100]} is no branch of ours"
    if proposal.base_branch != (plugin.base or usual):
        says = f"fleet.yaml says {plugin.base}" if plugin.base else f"the default branch is {spelled(usual)}"
        yield f"it goes to {spelled(proposal.base_branch)}, and {says}"
    if not git.contains(proposal.base_sha, [head]):
        yield f"it starts from a commit that is not in {spelled(proposal.base_branch)} and would bring others along"


def _size(proposal: Proposal, git: GitDir) -> Iterator[str]:
    base = git.tree_of(proposal.base_sha)
    counts = [pair for pair in git.numstat(base, proposal.tree).values() if pair is not None]
    files = tuple(spelled(change.path) for change in git.changes(base, proposal.tree))
    size = (sum(pair[0] for pair in counts), sum(pair[1] for pair in counts))
    if (proposal.files, proposal.added, proposal.removed) != (files, *size):
        yield "it says of its files and lines what its patch does not"


def _scope(claimed: Scope, task: Task, *, known: bool) -> Iterator[str]:
    given = scope_of(task)
    if claimed.directory != given.directory:
        yield f"it claims the folder {spelled(claimed.directory)}, and fleet.yaml says {given.directory}"
    for group in given.allowed:
        templated = any(_TEMPLATE.search(glob) for glob in group)
        if group not in claimed.allowed and not (templated and len(claimed.allowed) >= len(given.allowed)):
            yield f"it leaves out that only {', '.join(group[:3])} may change"
    if not set(given.protected) <= set(claimed.protected):
        yield "it leaves out what the repository protects"
    if not set(claimed.opens) <= set(given.opens):
        why = "the playbook does not" if known else "the playbook is not here to say so"
        yield f"it opens protected files, and {why}"


def _trimmings(proposal: Proposal, task: Task, playbook: Playbook | None) -> Iterator[str]:
    plugin = task.plugin
    if proposal.test_paths != (plugin.test.paths if plugin.test else ()):
        yield "it says otherwise than fleet.yaml which files are tests"
    if plugin.draft and not proposal.draft:
        yield "it claims to be ready, and fleet.yaml says draft"
    if not set(proposal.reviewers) <= set(plugin.reviewers):
        yield "it names reviewers whom fleet.yaml does not name"
    if playbook is None:
        return
    if playbook.hash and proposal.playbook_hash != playbook.hash:
        yield f"it was made with another text of the playbook {playbook.id}; propose again"
    wanted = playbook.pull_request.labels if playbook.pull_request else ()
    extra = set(proposal.labels) - set(plugin.labels) - set(wanted)
    if extra and not any(_TEMPLATE.search(label) for label in wanted):
        yield f"it carries labels that nobody gave it: {', '.join(sorted(map(spelled, extra)))[:100]}"
