"""A new materialised virtual plugin: a shipped or own one, with a bug made by a mutation operator."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bot.base.clock import SystemClock
from bot.base.errors import UsageError
from bot.base.redact import Redactor
from bot.base.values import Plugin, TestCommand
from bot.ports import Sandbox
from bot.task.test_results import run_suite
from bot.trace.events import CommandRun
from bot.trace.line import decode, to_line
from bot.trace.memory import MemoryTrace
from bot.virtual.bug import Bug, Files, Outcome, make_bug
from bot.virtual.bug_model import answers_of, profile_of
from bot.virtual.materialise import history_of
from bot.virtual.new import new_folder
from bot.virtual.plugin import VirtualPlugin

_SECONDS = 120.0

Open = Callable[[Path], Sandbox]
"""A sandbox on a workspace."""


def mutate(plugin: VirtualPlugin, name: str, fleet: Path, open_: Open, *, seed: int, operator: str = "") -> Bug:
    """Write `fleet/<name>/` with one bug in the files that `plugin` has today. The suite runs in sandboxes of `open_`.

    It has a profile and answers too, where the bug can be told from the text, and flies at once.
    Raises as `new_folder`, and `UsageError` when no bug can be made; then nothing is written.
    """
    test = plugin.entry.test
    history = history_of(plugin)
    if test is None or not history:
        msg = f"{plugin.name} has no tests to find a bug with."
        raise UsageError(msg, "Choose another virtual plugin with --from.")
    files = {path: data for path, (_, data) in history[-1][1].items()}

    def run(some: Files) -> Outcome:
        return _run(some, plugin.entry, test, open_)

    with new_folder(name, fleet) as target:
        bug = make_bug(files, run, seed=seed, test_paths=test.paths, operator=operator)
        _write(target, plugin, bug)
    return bug


def _run(files: Files, plugin: Plugin, test: TestCommand, open_: Open) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="fleet-bot-mutant-") as place:
        workspace = Path(place).resolve() / "workspace"
        for path, data in files.items():
            file = workspace / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        sandbox = open_(workspace)
        try:
            sink = MemoryTrace(run="mutant", redactor=Redactor(()), clock=SystemClock())
            suite = run_suite(sandbox, plugin, test, sink, workspace=str(workspace), timeout=_SECONDS)
        finally:
            sandbox.close()
    bodies = [to_line(decode(line)).body for line in sink.lines]
    return Outcome(tests=suite.tests, output="".join(body.stdout for body in bodies if isinstance(body, CommandRun)))


def _write(target: Path, plugin: VirtualPlugin, bug: Bug) -> None:
    test = plugin.entry.test
    entry = {
        "repo": f"acme/{target.name}",
        "topics": list(plugin.entry.topics),
        "test": _test(test) if test else None,
        "directory": plugin.entry.directory,
    }
    document: dict[str, Any] = {
        "summary": f"{plugin.name} with a bug by the mutation operator {bug.mutant.operator}.",
        "entry": {name: value for name, value in entry.items() if value and value != "."},
        "history": {"branch": "main"},
        "scenarios": [
            {
                "playbook": "fix_bug",
                "report": "reports/bug.txt",
                "expect": {"outcomes": ["changed"], "pull_request": True, "red_to_green": True},
            }
        ],
    }
    written = {f"repo/{path}": data for path, data in bug.files.items()}
    written |= _declared(plugin, document["summary"], bug)
    written["reports/bug.txt"] = bug.report.encode()
    written["solution/fix_bug.patch"] = bug.solution.encode()
    for path, data in written.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (target / "plugin.yaml").write_bytes(_yaml(document))


def _declared(plugin: VirtualPlugin, summary: str, bug: Bug) -> dict[str, bytes]:
    test = plugin.entry.test
    if test is None:
        return {}
    profile = profile_of(bug, command=test.command, summary=summary)
    if profile is None:
        return {}
    answers = answers_of(bug, command=test.command, directory=plugin.entry.directory)
    return {"profile.yaml": _yaml(profile), "answers/fix_bug.yaml": _yaml(answers)}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _yaml(document: dict[str, Any]) -> bytes:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True).encode()


def _test(test: TestCommand) -> str | dict[str, object]:
    return {"command": test.command, "paths": list(test.paths)} if test.paths else test.command
