"""`fleet-bot virtual`: virtual plugins of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.output import people
from bot.virtual.new import TEMPLATES, start
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
