"""What the pull request and the commit say. Whatever a model or a stranger wrote is quoted inert; links to issues,
numbers and claims of proof are written here, from what we know.
"""

from __future__ import annotations

from bot.base.values import Task
from bot.task.ownership import TRAILER
from bot.task.proposal import Proposal
from bot.trace.comment import counted, inert, inert_block, inert_quote, inert_title
from bot.trace.events import SuiteSeen, VerificationDone

_ANSWER = 20_000
_TITLE = 70
_ASKED = 4_000
_FILES = 30
_COMMANDS = 12


def commit_message(task: Task, proposal: Proposal) -> str:
    """Title, the proof in one line, and trailers that tell a later run that the commit is ours."""
    # The reason may name tests, and tests may have names that close issues or that read as trailers.
    lines = [proposal.title or f"{task.playbook.id} on {task.plugin.name}", "", inert(proposal.reason), ""]
    if task.report and task.report.issue:
        lines.append(f"Fixes: {task.report.issue}")
    lines.append(f"Fleet-Bot-Playbook: {task.playbook.id} {task.playbook.version}")
    lines.append(f"{TRAILER}: {task.campaign}")
    return "\n".join(lines) + "\n"


def title(task: Task) -> str:
    """The pull request's title: the playbook's, and for a report that has one, its first words."""
    given = task.playbook.pull_request.title if task.playbook.pull_request else ""
    about = inert_title(task.report.title)[:_TITLE].strip() if task.report is not None else ""
    return f"{given}: {about}" if about and given else given


def pull_request_body(task: Task, proposal: Proposal) -> str:
    """The description, in GitHub's markdown."""
    text = task.playbook.pull_request
    sections = [text.body.strip() if text and text.body.strip() else f"{task.playbook.summary}"]
    if task.report is not None and task.report.issue:
        # Before everything that may be long: a text that is too long for the forge is cut at its end.
        sections.append(f"Fixes {task.report.issue}")
    if task.report is not None:
        sections += ["### What was asked", _quoted(task)]
    if proposal.answer:
        sections += ["### What the agent says it did", inert_quote(proposal.answer[:_ANSWER])]
    sections += ["### What changed", _files(proposal)]
    sections += ["### Evidence", _evidence(proposal)]
    if proposal.verification is not None:
        sections.append(_proof(proposal.verification))
    sections += ["### Try it", _reproduce(task, proposal)]
    notes = _warnings(task, proposal)
    if notes:
        sections += ["### Mind", "\n".join(f"- {note}" for note in notes)]
    model = proposal.model["name"] if proposal.model else "no model, a script"
    sections.append(
        f"<sub>Made by fleet-bot with the playbook `{task.playbook.id}` {task.playbook.version} ({inert(model)}), "
        f"campaign `{task.campaign}`. The execution trace is in the comment below.</sub>"
    )
    return "\n\n".join(sections) + "\n"


def _quoted(task: Task) -> str:
    report = task.report
    if report is None:
        raise AssertionError
    head = f"{report.source}" + (f" {report.ticket}" if report.ticket else "")
    return f"From {inert(head)}, as it was when the run began:\n\n{inert_block(report.text[:_ASKED])}"


def _files(proposal: Proposal) -> str:
    rows = [f"- `{inert(path)}`" for path in proposal.files[:_FILES]]
    if len(proposal.files) > _FILES:
        rows.append(f"- and {len(proposal.files) - _FILES} more")
    return f"{counted(len(proposal.files), 'file')}, +{proposal.added} -{proposal.removed}\n\n" + "\n".join(rows)


def _evidence(proposal: Proposal) -> str:
    usage, proof = proposal.usage, proposal.verification
    rows = [("Verdict", inert(proposal.reason))]
    if proof is not None and proof.base is not None and proof.head is not None:
        rows += [("Tests before", _suite(proof.base)), ("Tests after", _suite(proof.head))]
    theirs = [command for command in proposal.commands if command.phase in {"agent", "script"}]
    shown = "<br>".join(f"`{inert(c.command[:120])}` → {c.exit_code}" for c in theirs[-_COMMANDS:])
    left = f"<br>and {len(theirs) - _COMMANDS} before these" if len(theirs) > _COMMANDS else ""
    rows.append(("Commands of the run", (shown or "none") + left))
    if proposal.model is not None:
        about = "at most " if usage.estimated else ""
        rows.append(("Tokens", f"{usage.prompt:,} in, {usage.output + usage.thoughts:,} out, {usage.calls} calls"))
        rows.append(("Cost", f"{about}${usage.cost_usd:.4f}"))
    rows.append(("Time", f"{proposal.duration_ms / 1000:.1f} s"))
    return "| what | found |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _suite(seen: SuiteSeen) -> str:
    if seen.timed_out:
        return "did not end in time"
    colour = "green" if seen.exit_code in {0, 5} else "red"
    counted = f"{seen.passed} passed, {seen.failed + seen.errors} failed, {seen.skipped} skipped"
    return (
        f"{colour}: {counted}"
        if seen.passed + seen.failed + seen.errors + seen.skipped
        else f"{colour}: exit code {seen.exit_code}"
    )


def _proof(proof: VerificationDone) -> str:
    parts = []
    if proof.red_before:
        tests = "\n".join(f"- `{inert(name)}`" for name in proof.red_before[:_FILES])
        parts.append(f"Red without the fix, green with it, run by fleet-bot and not by the agent:\n\n{tests}")
    if proof.flaky:
        parts.append("Flaky, so not counted: " + ", ".join(f"`{inert(name)}`" for name in proof.flaky[:_FILES]))
    return "\n\n".join(parts)


def _reproduce(task: Task, proposal: Proposal) -> str:
    steps = [f"git fetch origin {proposal.branch}", "git checkout FETCH_HEAD"]
    if task.plugin.directory != ".":
        steps.append(f"cd {task.plugin.directory}")
    if task.plugin.setup:
        steps.append(task.plugin.setup)
    if task.plugin.test:
        steps.append(task.plugin.test.command)
    return "```sh\n" + "\n".join(steps).replace("```", "'''") + "\n```"


def _warnings(task: Task, proposal: Proposal) -> list[str]:
    sandbox = map(str, proposal.sandbox.get("notes", ()))
    notes = [inert(note) for note in (*task.notes, *proposal.notes, *sandbox)]
    if proposal.sandbox.get("level") == "none":
        notes.insert(0, "**No sandbox**: the commands of this run were not confined.")
    if task.plugin.network == "full":
        notes.append("The agent's commands had access to the network, as `network: full` of the plugin asks for.")
    return notes
