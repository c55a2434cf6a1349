"""`fleet-bot validate`: everything that is wrong with fleet.yaml and the playbooks, at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from bot.base.documents import Document
from bot.base.errors import ConfigurationError, ForgeError, Problem, UsageError
from bot.base.schema import near
from bot.base.values import Playbook
from bot.cli.output import emit_json
from bot.fleet.manifest import Manifest, look_at_manifest
from bot.fleet.playbook import find_playbooks, look_at_playbook, playbooks_beside, playbooks_in
from bot.fleet.variables import values_for

_FAULTY = 2


@click.command()
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    default=Path("fleet.yaml"),
    metavar="FILE",
    help="The fleet (fleet.yaml).",
)
@click.option(
    "--playbooks",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Playbooks (the folder playbooks/ beside the manifest, else the shipped ones).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there.")
def validate(manifest: Path, playbooks: Path | None, *, as_json: bool) -> int:
    """Check fleet.yaml and all playbooks; list all problems as `file:line: what is wrong → what to write instead`."""
    fleet, problems, document = look_at_manifest(manifest)
    folder = playbooks or playbooks_beside(manifest)
    usable = find_playbooks(folder)
    looked = {name: look_at_playbook(file) for name, file in usable.items()}
    for _, found in looked.values():
        problems += found
    problems += _elsewhere(fleet, document, os.environ.get("GITHUB_SERVER_URL", ""))
    problems += _schedules(document, {name: playbook for name, (playbook, _) in looked.items()})
    own = len(playbooks_in(folder)) if folder else 0
    checked = {
        "manifest": str(manifest),
        "plugins": len(fleet.plugins) if fleet else None,
        "schedules": len(fleet.schedules) if fleet else None,
        "playbooks": sorted(usable),
        "own_playbooks": own,
    }
    if as_json:
        emit_json({"ok": not problems, "problems": sorted(problems), "checked": checked})
        return _FAULTY if problems else 0
    shipped = _count(len(usable) - own, "shipped playbook")
    count = f"{_count(own, 'playbook')} in {folder} and {shipped}" if folder else shipped
    if problems:
        msg = f"{_count(len(problems), 'mistake')} in {manifest} and {count}."
        raise ConfigurationError(msg, problems=tuple(problems))
    size = f"{_count(len(fleet.plugins), 'plugin')}, {_count(len(fleet.schedules), 'schedule')}" if fleet else ""
    click.echo(f"{manifest} ({size}) and {count}: no mistakes.", err=True)
    return 0


def _elsewhere(fleet: Manifest | None, document: Document, server: str) -> Iterator[Problem]:
    """Plugins that are not on the server that GITHUB_SERVER_URL names; without it nobody knows where they are."""
    if not server:
        return
    from bot.forge.address import check_server, full_name

    server = check_server(server, "GITHUB_SERVER_URL")
    for index, plugin in enumerate(fleet.plugins if fleet else ()):
        if not plugin.is_path:
            try:
                full_name(plugin.repo, server)
            except ForgeError as error:
                yield document.problem(("plugins", index, "repo"), error.what.rstrip("."), error.cure.rstrip("."))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _schedules(document: Document, playbooks: dict[str, Playbook | None]) -> Iterator[Problem]:
    """Whether each schedule names a playbook that there is, and gives it the variables it takes."""
    entries = document.value.get("schedules") if isinstance(document.value, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = entry.get("playbook") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        if name not in playbooks:
            guess = near(name, list(playbooks))
            cure = f"write {guess}" if guess else f"there are: {', '.join(playbooks)}"
            yield document.problem(("schedules", index, "playbook"), f"there is no playbook {name}", cure)
        elif (playbook := playbooks[name]) is not None:
            given = entry.get("vars", {})
            try:
                values_for(playbook, given if isinstance(given, dict) else {})
            except UsageError as error:
                cure = error.cure.replace("--var ", "vars: ").replace("=…", ": …")
                yield document.problem(("schedules", index, "vars"), error.what, cure)
