"""Where a run may change files, before and after the fact."""

from __future__ import annotations

import pytest

from bot.base.values import Limits, Playbook, Plugin, Task
from bot.expected.guard import PathGuard
from bot.expected.paths import Scope, is_protected, scope_of
from bot.ports import Action, Effect


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".GitHub/Workflows/ci.yml",
        ".github/workflows./ci.yml",
        ".g\u200bithub/workflows/ci.yml",
        "\uff0egithub/workflows/ci.yml",
        "sub/.vscode/settings.json",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        "AGENTS.md",
        "sub/claude.md",
        "fleet.yaml",
        ".gitmodules",
        "a/.git/config",
        "GIT~1/config",
        "playbooks/x.md",
    ],
)
def test_a_protected_file_is_protected_under_every_spelling(path: str) -> None:
    assert is_protected(path)
    assert Scope().why_not(path) is not None


@pytest.mark.parametrize("path", ["src/a.py", "README.md", ".github/ISSUE_TEMPLATE/bug.md", "docs/agents.rst"])
def test_ordinary_files_are_not_protected(path: str) -> None:
    assert not is_protected(path)
    assert Scope().why_not(path) is None


def test_every_group_of_allowed_paths_has_to_fit() -> None:
    scope = Scope(allowed=(("src/**", "tests/**"), ("src/**",)))
    assert scope.why_not("src/a.py") is None
    assert scope.why_not("tests/a.py") == "tests/a.py: outside of the allowed paths"


def test_a_playbook_opens_what_it_is_for_by_name() -> None:
    scope = Scope(opens=(".github/workflows/*.yml",))
    assert scope.why_not(".github/workflows/ci.yml") is None
    assert scope.why_not("CODEOWNERS") is not None


def test_a_project_in_a_folder_may_change_nothing_outside_of_it() -> None:
    scope = Scope(directory="packages/a", allowed=(("src/**",),))
    assert scope.why_not("packages/a/src/x.py") is None
    assert scope.why_not("packages/a/README.md") == "packages/a/README.md: outside of the allowed paths"
    assert scope.why_not("packages/ab/src/x.py") == "packages/ab/src/x.py: outside of the plugin's folder packages/a"


def test_the_scope_of_a_task_has_all_of_its_groups() -> None:
    task = Task(
        plugin=Plugin(
            name="a",
            repo="o/a",
            allowed_paths=("src/**",),
            own_allowed_paths=("src/x/**",),
            own_protected_paths=("*.lock",),
        ),
        playbook=Playbook(id="p", version="1", summary="s", allowed_paths=("**/*.py",)),
        campaign="c",
        variables={},
        prompt="",
        limits=Limits(),
        branch="b",
    )
    scope = scope_of(task, ("secret/**",))
    assert scope.allowed == (("src/**",), ("src/x/**",), ("**/*.py",))
    assert scope.protected == ("secret/**", "*.lock")


def test_the_guard_refuses_what_a_tool_declares_and_what_a_command_did() -> None:
    guard = PathGuard(Scope(allowed=(("src/**",),)))
    good = Effect(path="src/a.py", kind="created")
    bad = Effect(path="other.py", kind="created")
    action = Action(turn=1, call="1.0", tool="write_file", args={}, declared=(good, bad))
    refusal = guard.before(action)
    assert refusal is not None
    assert refusal.by == "policy"
    assert "other.py" in refusal.message
    assert guard.after(action, (good,)) is None
    assert guard.after(action, (bad,)) is not None
