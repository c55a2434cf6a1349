"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from bot.base.errors import UsageError
from bot.base.values import Playbook
from bot.cli.secrets import given_key
from bot.fleet.keys import find_key
from bot.fleet.manifest import Manifest, read_manifest
from bot.fleet.playbook import find_playbooks, playbook_named, playbooks_beside, read_playbook
from bot.settings import Settings, from_environment

Command = Callable[..., int]
DEFAULT_OUT = Path("fleet-bot-out")


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What says which fleet, which playbooks and which model."""

    manifest: Path
    playbooks: Path | None
    model: str | None
    jobs: int
    json: bool

    def fleet(self) -> Manifest:
        """The manifest. Raises `ConfigurationError` with all of its problems."""
        return read_manifest(self.manifest)

    def playbook(self, name: str) -> Playbook:
        """A playbook by its id or its file. Raises `UsageError` when there is none."""
        return playbook_named(name, self.playbooks or playbooks_beside(self.manifest))

    @property
    def scripted(self) -> bool:
        """Whether the model is the script beside the virtual plugins, which flies in the tunnel only."""
        return self.model == "scripted"

    @property
    def certificates(self) -> Path:
        """The folder of playbooks that certificates are filed in, whether it is there yet or not."""
        return self.playbooks or self.manifest.parent / "playbooks"

    def known_playbook(self, name: str) -> Playbook | None:
        """The playbook of an id, or None. Raises `ConfigurationError` when it has mistakes."""
        file = find_playbooks(self.playbooks or playbooks_beside(self.manifest)).get(name)
        return read_playbook(file) if file is not None else None

    def settings(self, *, model: bool = True) -> Settings:
        """Keys, tokens and servers, from the command line, files and environment; no key where no `model` is asked."""
        key = find_key(given_key(), self.manifest.resolve().parent, os.environ) if model else None
        return from_environment(os.environ, api_key=key, model=self.model)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What says which tasks."""

    playbook: str
    plugins: tuple[str, ...]
    select: str | None
    variables: dict[str, str]
    bug: str | None
    issue: str | None
    commit: str | None
    error_report: Path | None


def common_options(command: Command) -> Command:
    """`--manifest --playbooks --model --jobs --json`, handed over as `common`."""

    def bundled(
        manifest: Path, playbooks: Path | None, model: str | None, jobs: int, as_json: bool, **rest: object
    ) -> int:
        common = Common(manifest=manifest, playbooks=playbooks, model=model, jobs=jobs, json=as_json)
        return command(common=common, **rest)

    bundled.__doc__ = command.__doc__
    bundled.__name__ = command.__name__
    bundled.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there."),
        click.option(
            "--jobs", type=click.IntRange(1, 64), default=os.cpu_count() or 1, help="Tasks at a time (processors)."
        ),
        click.option("--model", metavar="NAME", help="The model, instead of the default."),
        click.option(
            "--playbooks", type=click.Path(path_type=Path), metavar="DIR", help="Playbooks (the shipped ones)."
        ),
        click.option(
            "--manifest",
            type=click.Path(path_type=Path),
            default=Path("fleet.yaml"),
            metavar="FILE",
            help="The fleet (fleet.yaml).",
        ),
    ):
        option(bundled)
    return bundled


def task_options(command: Command) -> Command:
    """The playbook, the plugins and what a task needs, handed over as `selection`."""

    def bundled(
        playbook: str,
        plugins: tuple[str, ...],
        select: str | None,
        var: tuple[str, ...],
        bug: str | None,
        issue: str | None,
        commit: str | None,
        error_report: Path | None,
        **rest: object,
    ) -> int:
        selection = Selection(
            playbook=playbook,
            plugins=plugins,
            select=select,
            variables=_variables(var),
            bug=bug,
            issue=issue,
            commit=commit,
            error_report=error_report,
        )
        return command(selection=selection, **rest)

    bundled.__doc__ = command.__doc__
    bundled.__name__ = command.__name__
    bundled.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in (
        click.option(
            "--error-report", type=click.Path(path_type=Path), metavar="FILE", help="A production error, as a file."
        ),
        click.option("--commit", metavar="SHA", help="Start from this commit and not from the base branch."),
        click.option("--issue", metavar="ID|URL", help="The issue or ticket that is worked on."),
        click.option("--bug", metavar="TEXT", help="The bug, in words; @FILE reads it from a file."),
        click.option("--var", multiple=True, metavar="K=V", help="A variable of the playbook; repeatable."),
        click.option("--select", metavar="EXPR", help="Plugins by topic and name: 'topic:python and not name:old-*'."),
        click.argument("plugins", nargs=-1, metavar="[PLUGIN…]"),
        click.argument("playbook", metavar="PLAYBOOK"),
    ):
        option(bundled)
    # Not an option of click: it has left the arguments before click sees them, see `bot.cli.secrets`.
    bundled.__doc__ = f"{command.__doc__ or ''}\n\nThe model's key: --api-key KEY, or see the README for other ways."
    return bundled


def _variables(words: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            msg = f"--var {word} is not of the form NAME=VALUE."
            raise UsageError(msg, "Write for example --var version=1.2.0.")
        found[name] = value
    return found
