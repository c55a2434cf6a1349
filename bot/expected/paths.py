"""Which paths a change may touch: the allowed ones, and the protected ones that steer people's machines or us."""

from __future__ import annotations

import unicodedata

from bot.base.glob import any_matches

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


def why_not(
    path: str, *, allowed: tuple[str, ...] = (), protected: tuple[str, ...] = (), opens: tuple[str, ...] = ()
) -> str | None:
    """Why a change must not touch `path`, or None when it may. All but `path` are globs; `allowed` empty means all."""
    if is_protected(path, protected) and not any_matches(path, opens):
        return f"{path}: a protected file, and the playbook does not open it"
    if allowed and not any_matches(path, allowed):
        return f"{path}: outside of the allowed paths"
    return None


def is_protected(path: str, more: tuple[str, ...] = ()) -> bool:
    """Whether a path, or what a case-folding or Unicode-normalising file system makes of it, is protected."""
    globs = PROTECTED + more
    folded = tuple(glob.casefold() for glob in globs)
    return any_matches(path, globs) or any_matches(fold(path), folded)


def fold(path: str) -> str:
    """A path as file systems see it that fold case, normalise and drop invisible characters (HFS+, NTFS)."""
    text = unicodedata.normalize("NFKC", path).casefold()
    text = "".join(char for char in text if unicodedata.category(char) not in {"Cf", "Cc"})
    # NTFS drops dots and spaces at the end of a name, and knows files by 8.3 names.
    parts = [part.rstrip(". ") or part for part in text.split("/")]
    return "/".join(".git" if part.startswith("git~") else part for part in parts)
