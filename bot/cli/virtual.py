"""`fleet-bot virtual`: virtual plugins of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from bot.base.errors import UsageError
from bot.base.schema import near
from bot.cli.output import emit_json, people
from bot.trace.inert import counted
from bot.virtual.mutation import OPERATORS
from bot.virtual.new import TEMPLATES, start
from bot.virtual.plugin import VirtualPlugin, find_virtual_fleet, read_virtual_fleet
from bot.virtual.profile_reader import read_profile


@click.group()
def virtual() -> None:
    """Make virtual plugins to fly playbooks on."""


@virtual.command("new")
@click.argument("name", metavar="NAME")
@click.option(
    "--from", "template", type=click.Choice(tuple(TEMPLATES)), default="bug", help="What to start from (bug)."
)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path("virtual_fleet"), metavar="DIR", show_default=True
)
def new(name: str, template: str, folder: Path) -> int:
    """Start a virtual plugin: files, profile, scenario and answers that work, to be changed into one's own."""
    made = start(name, template, folder)
    profile = read_profile(made / "profile.yaml")
    console = people()
    console.print(f"{made}: {profile.summary}", markup=False)
    for file in sorted(made.rglob("*")):
        if file.is_file():
            console.print(f"  {file.relative_to(made)}", markup=False)
    console.print("Change the files, then profile.yaml (docs/virtual-plugins.md), then fly it:")
    console.print(f"  fleet-bot tunnel PLAYBOOK --virtual {name} --model scripted --twins", markup=False)
    return 0


@virtual.command("mutate")
@click.argument("name", metavar="NAME")
@click.option(
    "--from", "model", default="slugger", metavar="PLUGIN", show_default=True, help="Whose files get the bug."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which bug of all that can be made.")
@click.option("--operator", type=click.Choice(tuple(OPERATORS)), help="Only bugs of this kind.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path("virtual_fleet"), metavar="DIR", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def mutate(name: str, model: str, seed: int, operator: str | None, folder: Path, as_json: bool) -> int:
    """Make a materialised virtual plugin with a bug, by mutation: some tests go red, others stay green.

    The red tests and the way back are its solution, which no agent sees. The suite runs in the sandbox. Where the bug
    can be told from the text it has a profile and answers too, and flies at once.
    """
    from bot.virtual.mutate import mutate as make
    from bot.wiring import mutation_room

    plugin = _plugin(model, folder)
    bug = make(plugin, name, folder, mutation_room(), seed=seed, operator=operator or "")
    if as_json:
        emit_json(
            {
                "folder": str((folder / name).absolute()),
                "profile": (folder / name / "profile.yaml").is_file(),
                "operator": bug.mutant.operator,
                "path": bug.path,
                "line": bug.mutant.line,
                "before": bug.mutant.before,
                "after": bug.mutant.after,
                "red": bug.red,
                "tried": bug.tried,
            }
        )
        return 0
    console = people()
    console.print(f"{folder / name}: {bug.mutant.operator} in {bug.path}, line {bug.mutant.line}", markup=False)
    console.print(f"  {bug.mutant.before}  →  {bug.mutant.after}", markup=False)
    shown = (
        f"{counted(len(bug.red), 'test')} of its own, now part of the solution; {counted(bug.tried, 'mutant')} tried"
    )
    console.print(f"  shown by {shown}", markup=False)
    if (folder / name / "profile.yaml").is_file():
        console.print("Look at its profile.yaml, then fly it:", markup=False)
        console.print(f"  fleet-bot tunnel fix_bug --virtual {name} --model scripted --twins", markup=False)
    else:
        console.print("The bug cannot be told from the text: write a profile.yaml to fly it (docs/virtual-plugins.md).")
    return 0


def _plugin(name: str, own: Path) -> VirtualPlugin:
    folders = [find_virtual_fleet(), *([own] if own.is_dir() else [])]
    plugins = {plugin.name: plugin for folder in folders for plugin in read_virtual_fleet(folder)}
    if name not in plugins:
        guess = near(name, list(plugins))
        msg = f"There is no materialised virtual plugin {name}."
        raise UsageError(msg, f"Did you mean {guess}?" if guess else f"There are: {', '.join(plugins)}.")
    return plugins[name]
