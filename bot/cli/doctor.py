"""`fleet-bot doctor`: what is missing before a campaign can run, and what to do about each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

from bot.base.errors import FleetBotError, ForgeError, GitError
from bot.base.git import git_version
from bot.cli.options import Common, common_options
from bot.cli.output import emit_json, people
from bot.cli.token_kinds import APP, TokenKind, kind_of
from bot.fleet.manifest import Manifest, look_at_manifest
from bot.settings import forget_secrets
from bot.wiring import Wiring

if TYPE_CHECKING:
    from bot.forge.desk import GitHubDesk

_SIGN = {"ok": "✓", "note": "·", "missing": "✗"}
_STYLE = {"ok": "green", "note": "yellow", "missing": "bold red"}
_USES = re.compile(r"^\s*(?:- )?uses:\s*([^\s#]+)", re.MULTILINE)
_PINNED = re.compile(r"@[0-9a-f]{40}$")
_FEW = 500
"""Requests of an hour, below which a campaign may have to wait."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "note", "missing"]
    what: str
    cure: str = ""
    notes: tuple[str, ...] = ()
    """More that is good to know."""


@click.command()
@common_options
@click.option(
    "--control", metavar="OWNER/NAME", envvar="GITHUB_REPOSITORY", help="The control repository, on the forge."
)
@click.option("--label", default="fleet-bot:fix", show_default=True, help="The label that asks for a fix.")
def doctor(common: Common, control: str | None, label: str) -> int:
    """Look at fleet, key, token, permissions, label, limits, workflows and sandbox. Changes nothing."""
    manifest, problems, _ = look_at_manifest(common.manifest)
    checks = [_manifest(common.manifest, len(problems))]
    with Wiring(common.settings(), manifest or Manifest(file=common.manifest)) as wiring:
        forget_secrets()
        checks += [_git(), _sandbox(wiring), _key(wiring)]
        checks += _forge(wiring, control, label)
    checks += _workflows(common.manifest.absolute().parent / ".github" / "workflows")
    good = all(check.state != "missing" for check in checks)
    if common.json:
        emit_json({"ok": good, "checks": checks})
    else:
        _show(checks)
    return 0 if good else 1


def _manifest(file: Path, mistakes: int) -> Check:
    if mistakes:
        return Check(name="fleet", state="missing", what=f"{file} has mistakes", cure="Run `fleet-bot validate`.")
    return Check(name="fleet", state="ok", what=f"{file} is valid")


def _git() -> Check:
    try:
        return Check(name="git", state="ok", what=git_version())
    except (OSError, GitError):
        return Check(name="git", state="missing", what="git does not start", cure="Install git 2.30 or newer.")


def _sandbox(wiring: Wiring) -> Check:
    try:
        facts = wiring.confinement()
    except FleetBotError as error:
        return Check(name="sandbox", state="missing", what=error.what, cure=error.cure)
    if facts.level == "none":
        cure = "Install bubblewrap, or allow user namespaces; see docs/sandbox.md."
        return Check(name="sandbox", state="note", what="commands are not confined (best-effort)", cure=cure)
    notes = f", with limits: {'; '.join(facts.notes)}" if facts.notes else ""
    return Check(name="sandbox", state="ok", what=f"{facts.level} passed its self-test{notes}")


def _key(wiring: Wiring) -> Check:
    if wiring.settings.api_key is None:
        cure = "For agent playbooks: GEMINI_API_KEY, or in Actions the secret of that name for the propose jobs."
        return Check(name="model key", state="note", what="there is none here", cure=cure)
    return Check(name="model key", state="ok", what=f"there is one, for {wiring.settings.model}")


def _forge(wiring: Wiring, control: str | None, label: str) -> Iterator[Check]:
    plugins = [plugin for plugin in wiring.manifest.plugins if not plugin.is_path and not plugin.archived]
    if not plugins and control is None:
        return
    if wiring.settings.app is not None:
        yield from _as_app(wiring, list(dict.fromkeys(plugin.repo for plugin in plugins)), control, label)
        return
    if wiring.settings.github_token is None:
        yield Check(
            name="token",
            state="missing",
            what="there is none",
            cure="Set GITHUB_TOKEN: a fine-grained token with Contents, Pull requests and Issues: write, "
            "for the plugins' repositories; or a GitHub App's id and private key.",
        )
        return
    yield _asked("token", lambda: _whose(wiring))
    yield _asked("limits", lambda: _limits(*wiring.desk.requests_left()))
    for repo in dict.fromkeys(plugin.repo for plugin in plugins):
        yield _asked(repo, partial(_rights, repo, wiring.desk))
    if control is not None:
        yield _asked("label", lambda: _label(control, label, there=wiring.desk.has_label(control, label)))


def _asked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except FleetBotError as error:
        return Check(name=name, state="missing", what=error.what, cure=error.cure)


def _whose(wiring: Wiring) -> Check:
    token = wiring.settings.github_token or ""
    kind = kind_of(token)
    state: Literal["ok", "note"] = "note" if token.startswith("ghp_") else "ok"
    cure = "A fine-grained token can be kept to the plugins' repositories; this one reaches whatever you can."
    what = f"{kind.name} of {wiring.desk.login()}"
    return Check(name="token", state=state, what=what, cure=cure if state == "note" else "", notes=_powers(kind))


def _powers(kind: TokenKind) -> tuple[str, str]:
    return f"It can {kind.can}.", f"It cannot {kind.cannot}."


def _as_app(wiring: Wiring, repos: list[str], control: str | None, label: str) -> Iterator[Check]:
    app = wiring.settings.app
    if app is None:
        raise AssertionError
    yield Check(name="token", state="ok", what=f"{APP.name}, {app.id}", notes=_powers(APP))
    installed = [_asked(repo, partial(_installed, repo, wiring)) for repo in repos]
    seen = [check.name for check in installed if check.state == "ok"]
    if control is not None:
        try:
            there = wiring.desk_of(control).has_label(control, label)
            installed.append(_label(control, label, there=there))
            seen.append(control)
        except ForgeError as error:
            # It works without: the workflow's own token answers there.
            what = f"the App cannot look at {control}: {error.what}"
            installed.append(Check(name="label", state="note", what=what, cure=error.cure))
        except FleetBotError as error:
            installed.append(Check(name="label", state="missing", what=error.what, cure=error.cure))
    if seen:
        # Each installation has its own; one organisation is one installation.
        yield _asked("limits", lambda: _limits(*wiring.desk_of(seen[0]).requests_left()))
    yield from installed


def _installed(repo: str, wiring: Wiring) -> Check:
    wiring.forge(repo, write=True)
    return Check(name=repo, state="ok", what="the App is installed, with the permissions that publishing needs")


def _limits(left: int, limit: int) -> Check:
    state: Literal["ok", "note"] = "ok" if left >= min(_FEW, limit) else "note"
    cure = "" if state == "ok" else "Wait for the next hour, or use a GitHub App's token."
    return Check(name="limits", state=state, what=f"{left} of {limit} requests are left in this hour", cure=cure)


def _rights(repo: str, desk: GitHubDesk) -> Check:
    rights = desk.rights(repo)
    if not rights.get("pull"):
        cure = "Add the repository to the token (Settings → Developer settings), or install the App on it."
        return Check(name=repo, state="missing", what="the token does not see it", cure=cure)
    if not rights.get("push"):
        cure = "Enough to plan and propose. To publish it needs Contents and Pull requests: write."
        return Check(name=repo, state="note", what="the token can read it only", cure=cure)
    return Check(name=repo, state="ok", what="the token can write")


def _label(control: str, label: str, *, there: bool) -> Check:
    if there:
        return Check(name="label", state="ok", what=f"{control} has {label}")
    cure = f"Issues → Labels → New label, in {control}."
    return Check(name="label", state="missing", what=f"{control} has no label {label}", cure=cure)


def _workflows(folder: Path) -> Iterator[Check]:
    for file in sorted(folder.glob("*.y*ml")):
        uses = _USES.findall(file.read_text(encoding="utf-8", errors="replace"))
        loose = [name for name in uses if not name.startswith(("./", "$/")) and not _PINNED.search(name)]
        if loose:
            cure = "Write the 40 digits of a commit after the @; Dependabot keeps them fresh."
            yield Check(name=file.name, state="note", what=f"not pinned by commit: {', '.join(loose)}", cure=cure)


def _show(checks: list[Check]) -> None:
    from rich.text import Text

    console = people()
    for check in checks:
        line = Text(f"{_SIGN[check.state]} ", _STYLE[check.state])
        console.print(line.append(f"{check.name}: {check.what}", "default"))
        for more in filter(None, (*check.notes, check.cure)):
            console.print(Text(f"    {more}", "dim"))
