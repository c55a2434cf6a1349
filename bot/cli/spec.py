"""`fleet-bot spec`: what one does with expected behaviour without flying."""

from __future__ import annotations

from pathlib import Path

import click

from bot.base.errors import UsageError
from bot.base.values import Playbook
from bot.cli.output import emit_json, people
from bot.expected.document import rules_of
from bot.expected.lint import Lint, lint
from bot.expected.vocabulary import near
from bot.fleet.playbook import find_playbooks, read_playbook


@click.group()
def spec() -> None:
    """Work on the expected behaviour of playbooks."""


@spec.command("lint")
@click.argument("names", nargs=-1, metavar="[PLAYBOOK…]")
@click.option("--playbooks", type=click.Path(path_type=Path), metavar="DIR", help="Playbooks (the shipped ones).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there.")
def lint_command(names: tuple[str, ...], playbooks: Path | None, *, as_json: bool) -> int:
    """Show that every rule can fail, by mutating a trace that passes. Exit code 1 when one cannot."""
    found = {playbook.id: lint(rules_of(playbook)) for playbook in _chosen(names, playbooks)}
    good = all(result.good for result in found.values())
    if as_json:
        emit_json({"ok": good, "playbooks": found})
    else:
        for name, result in found.items():
            _show(name, result)
    return 0 if good else 1


def _chosen(names: tuple[str, ...], folder: Path | None) -> list[Playbook]:
    known = find_playbooks(folder)
    files = []
    for name in names or tuple(known):
        if name in known:
            files.append(known[name])
        elif name.endswith(".md") and Path(name).is_file():
            files.append(Path(name))
        else:
            msg = f"There is no playbook {name}{near(name, known)}"
            raise UsageError(msg)
    return [read_playbook(file) for file in files]


def _show(name: str, result: Lint) -> None:
    console = people()
    if not result.rules:
        console.print(f"{name}: no rules", markup=False)
        return
    weak = [rule for rule in result.rules if not rule.can_fail]
    state = "every rule can fail" if result.good else f"{len(weak)} of {len(result.rules)} rules cannot fail"
    if result.contradiction:
        state = f"nothing passes: {', '.join(result.contradiction)} cannot be fulfilled with the rest"
    tried = f", {result.caught} of {result.mutants} mutants caught" if result.mutants else ""
    console.print(f"{name}: {len(result.rules)} rules, {state}{tried}", markup=False)
    for rule in weak:
        console.print(f"  {rule.id} ({rule.word}): no mutant breaks it", markup=False)
