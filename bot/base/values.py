"""What a fleet is made of, as frozen values: plugin, playbook, task, limits.

Read from files by `bot.fleet.manifest` and `bot.fleet.playbook`, put together by `bot.fleet.plan`, used everywhere.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Outcome = Literal["changed", "no_change", "blocked", "skipped", "failed", "error"]
GOOD_OUTCOMES: frozenset[str] = frozenset({"changed", "no_change", "skipped"})
Network = Literal["none", "loopback", "full"]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one task may spend before it is stopped. Hitting one is an outcome, never a pull request."""

    steps: int = 40
    """Model turns."""
    minutes: float = 20.0
    """Wall time of the whole task, waiting for the model included."""
    tokens: int = 500_000
    """Tokens billed, prompt and output together."""
    cost_usd: float = 1.0
    command_seconds: float = 300.0
    """Wall time of one command; its whole process tree is killed then."""


class TestCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a plugin's tests are run."""

    __test__ = False

    command: str
    junit: str | None = None
    """Where the command leaves JUnit XML, relative to the plugin; pytest needs no help."""
    paths: tuple[str, ...] = ()
    """Globs of the files that are tests; empty means the usual names (tests/**, test_*.py, *.test.js …)."""


def is_path(repo: str) -> bool:
    """Whether a plugin's `repo` is a folder of this machine, so that no forge is needed."""
    return repo.startswith(("/", "./", "../", "~")) or repo in {".", ".."}


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """One repository of the fleet, or one project inside it, with the defaults already folded in."""

    name: str
    repo: str
    """`owner/name` on the forge, an https URL, or an absolute path."""
    base: str | None = None
    """Branch that changes go to; None means the repository's own default branch."""
    directory: str = "."
    """The project's folder inside the repository, for several projects in one repository."""
    topics: tuple[str, ...] = ()
    setup: str | None = None
    """Shell command, run with network before the model sees anything."""
    test: TestCommand | None = None
    version_file: str | None = None
    changelog: str | None = None
    allowed_paths: tuple[str, ...] = ()
    """Globs, relative to `directory`; empty means everything that is not protected."""
    own_allowed_paths: tuple[str, ...] = ()
    """What the repository itself narrows them to, in its `.fleet-bot.yaml`; a path has to fit both."""
    own_protected_paths: tuple[str, ...] = ()
    """What the repository itself protects besides."""
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    """Logins, and teams as `org/team`."""
    draft: bool = True
    network: Network = "none"
    limits: Limits = Limits()
    ceilings: tuple[str, ...] = ()
    """Which of `limits` the manifest sets: a playbook can ask for less of these, not for more."""
    archived: bool = False
    """Set by a person to leave the plugin out without deleting the entry."""
    keep_trace: bool = False
    """Whether publishing also puts the full trace into the repository, at a ref of its own."""

    @property
    def is_path(self) -> bool:
        """Whether the plugin is a folder on this machine, so that no forge is needed."""
        return is_path(self.repo)


Scalar = str | int | float | bool


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that a playbook takes. Without a default it has to be given."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    description: str = ""
    default: Scalar | None = None
    required: bool = True
    """False lets a variable without default be empty text."""
    choices: tuple[Scalar, ...] = ()
    pattern: str | None = None
    """Regular expression the whole value has to match."""
    untrusted: bool = False
    """Text that strangers may have written: it reaches the model fenced as data, and never a shell command."""


class Contains(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some file that fits the glob `path` has a line that matches `pattern`."""

    path: str
    pattern: str


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to a checkout; all parts given have to hold. Templates, rendered with the task's variables."""

    exists: str | None = None
    """A glob that some file fits."""
    missing: str | None = None
    """A glob that no file fits."""
    contains: Contains | None = None
    lacks: Contains | None = None
    command: str | None = None
    """A shell command that exits 0, run in the sandbox."""


class Verification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What *we* have to see before a proposal may be published."""

    tests: Literal["none", "no_regression", "red_to_green"] = "no_regression"
    """`no_regression`: nothing that passed on the base fails on the head. `red_to_green`: besides, the patch brings
    tests that fail on the base and pass on the head."""
    baseline: Literal["any", "green"] = "any"
    """`green`: a suite that is red before we come blocks the task."""
    commands: tuple[str, ...] = ()
    """Further commands that have to exit 0 on the head."""


class PullRequestTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the pull request says, as templates over the task's variables."""

    title: str
    body: str = ""
    labels: tuple[str, ...] = ()


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """A versioned instruction: front matter, included parts and text, with the hash of all of it."""

    id: str
    version: str
    summary: str
    mode: Literal["agent", "script"] = "agent"
    result: Literal["pull_request", "answer"] = "pull_request"
    """`answer`: the playbook only looks; what the agent says goes into the report and nothing is published."""
    variables: dict[str, Variable] = {}
    applies_if: tuple[Condition, ...] = ()
    done_if: tuple[Condition, ...] = ()
    tools: tuple[str, ...] = ()
    """Names of tools the model may use; empty means all."""
    limits: dict[str, float] = {}
    """Overrides of `Limits`, by field."""
    allowed_paths: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    """Protected paths that this playbook is for (globs), opened at the gate by name."""
    allow_empty: bool = False
    """Whether an empty diff is a good end (`no_change`) and not a failure."""
    verification: Verification = Verification()
    pull_request: PullRequestTemplate | None = None
    script: str | None = None
    """The shell command of a script playbook; variables reach it as environment variables `VAR_<NAME>`, and
    the plugin's name, repository, set-up and tests as `PLUGIN_NAME`, `_REPO`, `_SETUP` and `_TEST`."""
    expect: tuple[dict[str, Any], ...] = ()
    """Expected behaviour, read by `bot.expected`."""
    let: dict[str, Any] = {}
    """Named selectors for `expect`."""
    outcome: tuple[dict[str, Any], ...] = ()
    """Expected result: predicates on the final tree, read by `bot.expected`."""
    instructions: str = ""
    """The text for the agent, a template, includes already pasted in."""
    includes: tuple[str, ...] = ()
    hash: str = ""
    """SHA-256 over front matter, text and every included part."""
    file: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody reported: a bug, an issue, a production error. All of its text is hostile."""

    text: str
    ticket: str | None = None
    """How the branch is called for it: `TICKET-123`, `issue-7`."""
    issue: str | None = None
    """`owner/repo#7` when it is an issue of the forge; only then we write `Fixes owner/repo#7`."""
    url: str | None = None
    title: str = ""
    commit: str | None = None
    """The commit that the error was seen on."""
    version: str | None = None
    """The version that it was seen in, where no commit is named; a tag may say which commit that is."""
    source: str = "text"
    """Which format it came in: text, issue, sentry, datadog."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One playbook on one plugin, complete: everything a run needs but the repository."""

    plugin: Plugin
    playbook: Playbook
    campaign: str
    variables: dict[str, Scalar]
    prompt: str
    """The playbook's instructions, rendered; untrusted values fenced."""
    limits: Limits
    branch: str
    report: Report | None = None
    commit: str | None = None
    """Start from this commit and not from the base branch."""
    commit_from_report: bool = False
    """Whether a stranger's report named that commit, and not the person who started the run."""
    skip: str | None = None
    """Why policy says not to start it, or None."""
    seed: int = 0
    notes: tuple[str, ...] = ()
    """What the pull request has to say besides, one sentence each."""

    @property
    def run(self) -> str:
        """The run's id: campaign and plugin, the name of its folder below `<out>`."""
        return f"{self.campaign}/{self.plugin.name}"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a model call, or a whole run, consumed. Counts are tokens as billed."""

    prompt: int = 0
    cached: int = 0
    """Part of `prompt` that came from the provider's cache."""
    output: int = 0
    thoughts: int = 0
    calls: int = 0
    cost_usd: float = 0.0
    estimated: bool = False
    """True when a price or a count was missing and the upper estimate stands in for it."""

    @property
    def total(self) -> int:
        """All tokens billed."""
        return self.prompt + self.output + self.thoughts

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt=self.prompt + other.prompt,
            cached=self.cached + other.cached,
            output=self.output + other.output,
            thoughts=self.thoughts + other.thoughts,
            calls=self.calls + other.calls,
            cost_usd=self.cost_usd + other.cost_usd,
            estimated=self.estimated or other.estimated,
        )
