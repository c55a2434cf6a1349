"""A playbook's templates, filled in for one plugin."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from bot.base.fence import fence
from bot.base.values import Condition, Contains, Playbook, Plugin, PullRequestTemplate, Report, Scalar, Variable
from bot.fleet.branch import ticket_of
from bot.fleet.templates import Kind, render

_TITLE = 200
_REPORT = re.compile(r"\{[{%][^}]*\b(?:report|ticket)\b")
_OPTIONAL = re.compile(r"\breport is (?:not )?defined\b")


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the templates."""

    plugin: Plugin
    variables: Mapping[str, Scalar]
    report: Report | None = None
    commit: str | None = None


def needs_report(playbook: Playbook) -> bool:
    """Whether the playbook's texts speak of `report` or `ticket` without asking first whether there is one."""
    request = playbook.pull_request
    texts = [playbook.instructions, request.title if request else "", request.body if request else ""]
    whole = "\n".join(texts)
    return _REPORT.search(whole) is not None and _OPTIONAL.search(whole) is None


def fill(playbook: Playbook, filling: Filling) -> tuple[Playbook, str]:
    """The playbook with every template filled in but its instructions, and the prompt that these give.

    A report that the instructions do not place is put after them. Raises `ConfigurationError` when a template lacks
    something.
    """
    values = _values(filling)
    write = _Writer(values)
    request = playbook.pull_request
    filled = msgspec.structs.replace(
        playbook,
        applies_if=tuple(write.condition(one) for one in playbook.applies_if),
        done_if=tuple(write.condition(one) for one in playbook.done_if),
        allowed_paths=tuple(render(one, "glob", values) for one in playbook.allowed_paths),
        verification=msgspec.structs.replace(
            playbook.verification,
            commands=tuple(render(one, "shell", values) for one in playbook.verification.commands),
        ),
        pull_request=None if request is None else write.pull_request(request),
    )
    return filled, _prompt(playbook, filling, values)


def _prompt(playbook: Playbook, filling: Filling, values: dict[str, object]) -> str:
    fenced = dict(values)
    for name, variable in playbook.variables.items():
        fenced[name] = _for_prompt(name, variable, filling.variables)
    text = render(playbook.instructions, "prompt", fenced).strip()
    if filling.report is not None and _REPORT.search(playbook.instructions) is None:
        text += f"\n\nThe report that this is about:\n\n{fenced['report']}"
    return text + "\n" if text else ""


def _for_prompt(name: str, variable: Variable, variables: Mapping[str, Scalar]) -> object:
    value = variables[name]
    return fence(str(value), name) if variable.untrusted and value != "" else value


def _values(filling: Filling) -> dict[str, object]:
    plugin, report = filling.plugin, filling.report
    values: dict[str, object] = dict(filling.variables)
    values["plugin"] = {
        "name": plugin.name,
        "repo": plugin.repo,
        "directory": plugin.directory,
        "topics": plugin.topics,
        "test": plugin.test.command if plugin.test else "",
        "setup": plugin.setup or "",
        "version_file": plugin.version_file or "",
        "changelog": plugin.changelog or "CHANGE_LOG.md",
        "base": plugin.base or "",
    }
    values["commit"] = filling.commit or ""
    if report is not None:
        head = f"{report.title}\n\n" if report.title and not report.text.startswith(report.title) else ""
        values["report"] = fence(head + report.text, "report")
        values["ticket"] = ticket_of(report)
    return values


class _Writer:
    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def condition(self, condition: Condition) -> Condition:
        return Condition(
            exists=self._maybe(condition.exists, "glob"),
            missing=self._maybe(condition.missing, "glob"),
            contains=self._contains(condition.contains),
            lacks=self._contains(condition.lacks),
            command=self._maybe(condition.command, "shell"),
        )

    def pull_request(self, request: PullRequestTemplate) -> PullRequestTemplate:
        title = " ".join(render(request.title, "text", self._values).split())
        return PullRequestTemplate(
            title=title if len(title) <= _TITLE else title[: _TITLE - 1] + "…",
            body=render(request.body, "text", self._values),
            labels=tuple(render(label, "text", self._values)[:50] for label in request.labels),
        )

    def _contains(self, part: Contains | None) -> Contains | None:
        if part is None:
            return None
        return Contains(
            path=render(part.path, "glob", self._values), pattern=render(part.pattern, "regex", self._values)
        )

    def _maybe(self, template: str | None, kind: Kind) -> str | None:
        return None if template is None else render(template, kind, self._values)
