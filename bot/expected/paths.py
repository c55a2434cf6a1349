"""Which paths a change may touch: the allowed ones, and the protected ones that steer people's machines or us."""

from __future__ import annotations

import unicodedata

import msgspec

from bot.base.glob import any_matches
from bot.base.values import Task

PROTECTED = (
    ".github/workflows/**",
    ".github/actions/**",
    "**/action.yml",
    "**/action.yaml",
    ".github/dependabot.{yml,yaml}",
    ".github/fleet-bot*/**",
    "**/CODEOWNERS",
    "**/{AGENTS,CLAUDE,GEMINI,COPILOT}.md",
    ".github/copilot-instructions.md",
    ".github/instructions/**",
    "**/.{cursorrules,windsurfrules,clinerules,aider*,mcp.json}",
    "**/.{cursor,claude,gemini,vscode,idea,devcontainer,codex}/**",
    "**/.git{modules,attributes}",
    "**/.{git,husky,githooks}/**",
    "**/.pre-commit-config.yaml",
    "**/.{npmrc,yarnrc,yarnrc.yml,pypirc,netrc,envrc}",
    "**/{Jenkinsfile,.gitlab-ci.yml,.travis.yml,azure-pipelines.yml}",
    ".circleci/**",
    ".buildkite/**",
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
            return f"{path}: outside of the plugin's folder {self.directory}"
        if (is_protected(path, self.protected) or is_protected(inside, self.protected)) and not self.opened(path):
            return f"{path}: a protected file, and the playbook does not open it"
        if not all(any_matches(inside, group) for group in self.allowed):
            return f"{path}: outside of the allowed paths"
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


def is_protected(path: str, more: tuple[str, ...] = ()) -> bool:
    """Whether a path, or what a case-folding or Unicode-normalising file system makes of it, is protected."""
    globs = PROTECTED + more
    folded = tuple(glob.casefold() for glob in globs)
    return any_matches(path, globs) or any_matches(fold(path), folded)


def is_test(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a file is a test, by the plugin's `test.paths` or else by the usual names."""
    return any_matches(path, globs or _USUAL_TESTS)


def fold(path: str) -> str:
    """A path as file systems see it that fold case, normalise and drop invisible characters (HFS+, NTFS)."""
    text = unicodedata.normalize("NFKC", path).casefold()
    text = "".join(char for char in text if unicodedata.category(char) not in {"Cf", "Cc"})
    # NTFS drops dots and spaces at the end of a name, and knows files by 8.3 names.
    parts = [part.rstrip(". ") or part for part in text.split("/")]
    return "/".join(".git" if part.startswith("git~") else part for part in parts)
