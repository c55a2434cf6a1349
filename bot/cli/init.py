"""`fleet-bot init`: the files of a new control repository."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import click

from bot import __version__
from bot.base.clock import SystemClock
from bot.base.errors import UsageError
from bot.cli.output import people
from bot.fleet.control import control_files, plugin_names
from bot.settings import from_environment

_ORIGIN = re.compile(r'^\[remote "origin"\][^\[]*?^\s*url = (\S+)$', re.MULTILINE)
_ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]+@)?(?P<host>[^@/:\s]+)(?::\d+)?/|(?:[^@/:\s]+@)?(?P<ssh>[^@/:\s]+):/?)"
    r"(?P<name>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+?)(?:\.git)?/?"
)


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Where to (here)."
)
@click.option("--organisation", metavar="NAME", help="List this organisation's repositories as plugins.")
@click.option("--topic", metavar="WORD", help="Only those with this topic.")
@click.option("--source", metavar="OWNER/NAME", help="Where fleet-bot itself is (the origin of its checkout).")
@click.option("--pin", required=True, metavar="SHA", help="The commit of fleet-bot that the workflows use.")
def init(folder: Path, organisation: str | None, topic: str | None, source: str | None, pin: str) -> int:
    """Write the files of a control repository: fleet.yaml, workflows, an issue form, a README. Overwrites nothing."""
    if topic and not organisation:
        raise UsageError("--topic chooses among an organisation's repositories.", "Give --organisation too.")
    plugins = _plugins(organisation, topic) if organisation else []
    console = people()
    kept = 0
    for name, text in control_files(source or _source(), pin, f"v{__version__}", plugins).items():
        file = folder / name
        if file.exists():
            console.print(f"  kept     {file}", markup=False)
            kept += 1
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        console.print(f"  written  {file}", markup=False)
    console.print(f"{len(plugins)} plugins. Now: fleet-bot validate, then fleet-bot doctor.", markup=False)
    if kept:
        console.print("What was there already was left as it is.", markup=False)
    return 0


def _source() -> str:
    """The repository that this code was cloned from. Raises `UsageError` where that cannot be told."""
    place = os.environ.get("GITHUB_ACTION_REPOSITORY", "")
    config = Path(__file__).resolve().parents[2] / ".git" / "config"
    if not place and config.is_file():
        server = from_environment(os.environ).github_server_url
        place = origin_of(config.read_text(encoding="utf-8", errors="replace"), server) or ""
    if not place:
        msg = "It cannot be told where fleet-bot itself lives, and the workflows have to name it."
        raise UsageError(msg, "Give --source OWNER/NAME, the repository of fleet-bot that your organisation uses.")
    return place


def origin_of(config: str, server: str) -> str | None:
    """`owner/name` of the origin in a git configuration, or None unless it is on that server."""
    origin = _ORIGIN.search(config)
    found = _ADDRESS.fullmatch(origin[1]) if origin else None
    if found is None or (found["host"] or found["ssh"]).lower() != urlsplit(server).hostname:
        return None
    return found["name"]


def _plugins(organisation: str, topic: str | None) -> list[tuple[str, str, tuple[str, ...]]]:
    from bot.forge.desk import GitHubDesk

    settings = from_environment(os.environ)
    desk = GitHubDesk(
        token=settings.github_token,
        api_url=settings.github_api_url,
        server_url=settings.github_server_url,
        clock=SystemClock(),
    )
    found = [
        one
        for one in desk.repositories(organisation)
        if not one.archived and not one.fork and (topic is None or topic in one.topics)
    ]
    if not found:
        msg = f"{organisation} has no repository{f' with the topic {topic}' if topic else ''} that the token sees."
        raise UsageError(msg, "Archived ones and forks do not count.")
    names = plugin_names(one.full_name.partition("/")[2] for one in found)
    return [(name, one.full_name, one.topics) for name, one in zip(names, found, strict=True)]
