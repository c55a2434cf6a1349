"""Which paths a change may touch: the allowed ones, and the protected ones that steer people's machines or us."""

from __future__ import annotations

import functools

import msgspec

from bot.base.glob import any_matches
from bot.base.values import Task
from bot.expected.twins import fold, skeleton, spelled

PROTECTED = (
    ".github/workflows/**",
    ".github/actions/**",
    "**/action.yml",
    "**/action.yaml",
    ".github/dependabot.{yml,yaml}",
    ".github/fleet-bot*/**",
    "**/CODEOWNERS",
    "**/{AGENTS,CLAUDE,GEMINI,COPILOT}.md",
    ".github/copilot-*.{md,yml,yaml}",
    ".github/{instructions,prompts,chatmodes,agents,skills,hooks}/**",
    ".github/{settings,mergify,renovate}.*",
    "**/.{cursorrules,windsurfrules,clinerules,roorules,rules,aider*,mcp.json}",
    "**/.{cursor,claude,gemini,vscode,idea,devcontainer,codex,zed,fleet}/**",
    "**/.{windsurf,kiro,junie,roo,continue,amazonq,agents}/**",
    "**/{.devcontainer.json,*.code-workspace,.exrc,.nvimrc,.nvim.lua,.vimrc,.lvimrc,.dir-locals.el}",
    "**/.git{modules,attributes}",
    "**/.lfsconfig",
    "**/.{git,husky,githooks,lefthook}/**",
    "**/.pre-commit-{config,hooks}.yaml",
    "**/{.lefthook,lefthook}.{yml,yaml,toml,json}",
    "**/{renovate.json,renovate.json5,.renovaterc,.renovaterc.json}",
    "{.mergify.yml,.kodiak.toml,bors.toml,.mergequeue.yml}",
    "**/.{npmrc,yarnrc,yarnrc.yml,pypirc,netrc,envrc}",
    "**/{Jenkinsfile,.gitlab-ci.yml,.travis.yml,azure-pipelines.yml,bitbucket-pipelines.yml,.cirrus.yml,.drone.yml}",
    "{appveyor.yml,.appveyor.yml,.semaphore/**,.woodpecker.yml,.woodpecker/**,cloudbuild.{yml,yaml}}",
    ".{circleci,buildkite,teamcity,forgejo,gitea}/**",
    "**/fleet.yaml",
    "**/.fleet-bot.yaml",
    "playbooks/**",
)
"""Files that steer people's machines, other agents or us. A playbook opens what it is for with `opens:`."""
_USUAL_TESTS = (
    "**/test/**",
    "**/tests/**",
    "**/__tests__/**",
    "**/test_*.py",
    "**/*_test.py",
    "**/*_test.go",
    "**/*.{test,spec}.{js,jsx,ts,tsx,mjs}",
    "**/*Test.java",
    "**/*Tests.java",
    "spec/**",
)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run may change files."""

    directory: str = "."
    """The plugin's folder in the repository: nothing outside of it may change, and globs may be relative to it."""
    allowed: tuple[tuple[str, ...], ...] = ()
    """Groups of globs relative to `directory` (the plugin's, the playbook's …): a path has to fit one of each."""
    protected: tuple[str, ...] = ()
    """Globs besides the built-in ones."""
    opens: tuple[str, ...] = ()
    """Globs of protected files that the playbook is for."""

    def why_not(self, path: str) -> str | None:
        """Why a change must not touch `path` (relative to the repository), or None when it may."""
        inside = self._inside(path)
        if inside is None:
            return f"{spelled(path)}: outside of the plugin's folder {self.directory}"
        if (is_protected(path, self.protected) or is_protected(inside, self.protected)) and not self.opened(path):
            return f"{spelled(path)}: a protected file, and the playbook does not open it"
        if not all(any_matches(inside, group) for group in self.allowed):
            return f"{spelled(path)}: outside of the allowed paths"
        return None

    def opened(self, path: str) -> bool:
        """Whether the playbook opens this protected file by name."""
        return any_matches(self._inside(path) or path, self.opens)

    def _inside(self, path: str) -> str | None:
        if self.directory == ".":
            return path
        root = self.directory.rstrip("/") + "/"
        return path.removeprefix(root) if path.startswith(root) else None


def scope_of(task: Task, protected: tuple[str, ...] = ()) -> Scope:
    """The scope of a task; `protected` are the fleet's own additions."""
    plugin, playbook = task.plugin, task.playbook
    groups = (plugin.allowed_paths, plugin.own_allowed_paths, playbook.allowed_paths)
    return Scope(
        directory=plugin.directory,
        allowed=tuple(group for group in groups if group),
        protected=protected + plugin.own_protected_paths,
        opens=playbook.opens,
    )


@functools.lru_cache(maxsize=4096)
def is_protected(path: str, more: tuple[str, ...] = ()) -> bool:
    """Whether a path, or what a file system or a reader takes it for, is protected.

    A file where a glob names a folder (`.github/workflows` itself) is protected with it.
    """
    globs = PROTECTED + more
    folded = tuple(glob.casefold() for glob in globs)
    twins = {spelling + end for spelling in (fold(path), skeleton(path)) for end in ("", "/-")}
    return any_matches(path, globs) or any(any_matches(twin, folded) for twin in twins)


def is_test(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a file is a test, by the plugin's `test.paths` or else by the usual names."""
    return any_matches(path, globs or _USUAL_TESTS)
