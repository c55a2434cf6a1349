"""Virtual plugins as values: what lies in `virtual_fleet/<name>/`, read strictly from its `plugin.yaml`.

::

    virtual_fleet/slugger/
    ├── plugin.yaml      who it is, its history, what is played on it and how that has to end
    ├── repo/            the files of its repository as they are now
    ├── history/<name>/  those of them that looked different at an older commit
    ├── reports/         bug reports
    ├── answers/         what the virtual Gemini says, one file per playbook
    └── solution/        how it has to end, as patches: for the tests, never for the agent
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from bot.base.errors import ConfigurationError, Problem
from bot.base.values import Limits, Network, Outcome, Plugin, Scalar, TestCommand
from bot.virtual.document import read_document

_SHIPPED = Path(__file__).resolve().parent.parent / "_data" / "virtual_fleet"
_CHECKOUT = Path(__file__).resolve().parent.parent.parent / "virtual_fleet"
_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_Moment = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Special(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that a plain folder, or a checkout of ours, would not keep as it is."""

    executable: bool = False
    text: str | None = None
    """Its whole content, where line endings, a BOM, an odd name or a meaning for git would get lost otherwise."""
    link: str | None = None
    """It is a symbolic link to this."""


class Commit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A commit of the history. All but the last differ from the files of today by `history/<name>/`."""

    name: _Name
    when: _Moment
    message: str
    author: str = "Ada Virtual"
    tags: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    """Globs of files that were not there yet."""


class History(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the repository became what it is."""

    branch: str = "main"
    """The default branch."""
    commits: tuple[Commit, ...] = ()
    """Oldest first; the last one is what `repo/` holds. Empty: one commit, called `head`."""
    files: dict[str, Special] = {}
    """Path → what is special about it."""
    empty: bool = False
    """The repository has no commit at all."""


class RemoteTraits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the repository behaves on the virtual GitHub."""

    private: bool = False
    archived: bool = False
    drafts: bool = True
    """Whether it has draft pull requests."""
    refuse_push: bool = False
    """Whether its rules refuse every push."""


class VirtualIssue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An issue on the virtual GitHub. `{commit:NAME}` in `body` is filled with the id of a commit."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    title: str
    body: str
    author: str = "a-user"
    labels: tuple[str, ...] = ()


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a scenario has to end."""

    outcomes: Annotated[tuple[Outcome, ...], msgspec.Meta(min_length=1)]
    """One of these."""
    pull_request: bool = False
    red_to_green: bool = False
    """Whether a test has to be shown red without the change and green with it."""


class InTunnel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different in the wind tunnel, where nothing is published and any model may fly."""

    outcomes: tuple[Outcome, ...] = ()
    """How it may end there; empty: as in the demo."""
    scripted: bool = True
    """False: the answers that lie here are those of an agent that does it wrong, so they show nothing there."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A playbook with its variables on this plugin, and how that has to end."""

    playbook: str
    variables: dict[str, Scalar] = {}
    report: str | None = None
    """File with a bug report, relative to the plugin's folder; `{commit:NAME}` in it is filled."""
    issue: int | None = None
    """Number of one of `issues`."""
    commit: str | None = None
    """What is given as `--commit`; `{commit:NAME}` in it is filled."""
    expect: Expectation
    demo: bool = True
    """Whether the demo plays it."""
    tunnel: InTunnel = InTunnel()


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plugin's entry in `fleet.yaml`, by the same keys."""

    repo: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]
    base: str | None = None
    directory: str = "."
    topics: tuple[str, ...] = ()
    setup: str | None = None
    test: str | TestCommand | None = None
    version_file: str | None = None
    changelog: str | None = None
    allowed_paths: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    draft: bool = True
    network: Network = "none"
    limits: Limits = Limits()
    archived: bool = False


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`plugin.yaml`."""

    summary: str
    entry: _Entry
    shares: _Name | None = None
    history: History = History()
    remote: RemoteTraits = RemoteTraits()
    issues: tuple[VirtualIssue, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    needs: tuple[str, ...] = ()


class VirtualPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual plugin: plain files that become a real git repository, and what is played on it."""

    name: str
    summary: str
    folder: Path
    source: Path
    """The folder that has `repo/` and `history/`: its own, or that of the plugin named by `shares`."""
    entry: Plugin
    history: History
    remote: RemoteTraits
    issues: tuple[VirtualIssue, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    shares: str | None = None
    """The plugin whose repository this one lives in."""
    needs: tuple[str, ...] = ()
    """Programs that its tests need besides Python; without them it stays out of the demo."""

    def answers(self, playbook: str) -> Path:
        """Where the virtual Gemini's answers to a playbook are, if there are any."""
        return self.folder / "answers" / f"{playbook}.yaml"

    def solution(self, playbook: str) -> Path:
        """Where the reference solution of a playbook is, if there is one: a patch, for tests only."""
        return self.folder / "solution" / f"{playbook}.patch"


def find_virtual_fleet() -> Path:
    """The virtual fleet that we ship: inside the installed package, or else at the top of the checkout."""
    return _SHIPPED if _SHIPPED.is_dir() else _CHECKOUT


def read_virtual_fleet(folder: Path) -> tuple[VirtualPlugin, ...]:
    """All virtual plugins of a folder, by name. Raises `ConfigurationError` with all mistakes found."""
    files: dict[str, tuple[Path, _File]] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob("*/plugin.yaml")):
        try:
            files[file.parent.name] = (file, read_document(file, _File))
        except ConfigurationError as error:
            problems += error.problems
    for file, content in files.values():
        problems += [Problem(file=str(file), line=1, what=what) for what in _mistakes(file.parent, content, files)]
    if problems:
        msg = f"The virtual fleet in {folder} has {len(problems)} mistakes."
        raise ConfigurationError(msg, "See virtual_fleet/README.md.", tuple(problems))
    return tuple(_plugin(file.parent, content, files) for file, content in files.values())


def _mistakes(folder: Path, content: _File, files: dict[str, tuple[Path, _File]]) -> list[str]:
    found: list[str] = []
    if content.shares is not None:
        owner = files.get(content.shares)
        if owner is None or owner[1].shares is not None:
            found.append(f"shares: {content.shares} is no virtual plugin with a repository of its own")
        elif owner[1].entry.repo != content.entry.repo:
            found.append(f"shares: {content.shares} lives in {owner[1].entry.repo}, this one in {content.entry.repo}")
    elif not content.history.empty and not (folder / "repo").is_dir():
        found.append("there is no folder repo/ beside it")
    names = [commit.name for commit in content.history.commits]
    if len(names) != len(set(names)):
        found.append("history.commits: two commits have the same name")
    issues = {issue.number for issue in content.issues}
    for scenario in content.scenarios:
        if scenario.report is not None and not (folder / scenario.report).is_file():
            found.append(f"scenarios: the report {scenario.report} is not there")
        if scenario.issue is not None and scenario.issue not in issues:
            found.append(f"scenarios: there is no issue {scenario.issue}")
    return found


def _plugin(folder: Path, content: _File, files: dict[str, tuple[Path, _File]]) -> VirtualPlugin:
    owner_folder, owner = (folder, content)
    if content.shares is not None:
        file, owner = files[content.shares]
        owner_folder = file.parent
    values = msgspec.structs.asdict(content.entry)
    if isinstance(values["test"], str):
        values["test"] = TestCommand(command=values["test"])
    return VirtualPlugin(
        name=folder.name,
        summary=content.summary,
        folder=folder,
        source=owner_folder,
        entry=Plugin(name=folder.name, **values),
        history=owner.history,
        remote=owner.remote,
        issues=content.issues,
        scenarios=content.scenarios,
        shares=content.shares,
        needs=content.needs,
    )
