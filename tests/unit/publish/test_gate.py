"""What a proposal has to pass, on real git objects."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bot.base.git import Change, GitDir
from bot.base.redact import Redactor
from bot.expected.paths import Scope
from bot.publish.gate import Policy, decide
from bot.task.ownership import AUTHOR_EMAIL, AUTHOR_NAME
from bot.task.proposal import Proposal

BASE = {
    "src/a.py": b"def f():\n    return 1\n",
    "tests/test_a.py": b"from a import f\n\ndef test_f():\n    assert f() == 1\n    assert f() < 2\n",
    "pyproject.toml": b'[project]\nversion = "1.0"\n\n[tool.pytest.ini_options]\naddopts = "-q"\n',
    "README.md": b"hello\n",
}
SECRET = "AIzaSyD-canary-canary-canary-canary-c4n"

DEFAULT = Policy()
Judge = Callable[..., tuple[str, ...]]


class Repository:
    """A work tree and a git-dir of ours beside it."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.git = GitDir.init(folder / "git")
        for path, data in BASE.items():
            self.write(path, data)
        tree = self.git.stage(self.work)
        subprocess.run(["git", "init", "-q", str(folder / "seed")], check=True)
        # The first commit has no parent, which our own `commit` never needs.
        done = self.git.run("commit-tree", tree, "-m", "base", env=_identity())
        self.base = done.decode().strip()

    def write(self, path: str, data: bytes) -> None:
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _identity() -> dict[str, str]:
    return {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", AUTHOR_NAME), ("EMAIL", AUTHOR_EMAIL))
    }


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.fixture
def judge(repository: Repository) -> Judge:
    """Decides on the work tree as it is now."""

    def decided(policy: Policy = DEFAULT, **more: object) -> tuple[str, ...]:
        git = repository.git
        tree = git.stage(repository.work)
        before = git.tree_of(repository.base)
        patch = git.patch(before, tree)
        counts = [pair or (0, 0) for pair in git.numstat(before, tree).values()]
        proposal = Proposal(
            plugin="a",
            repo="o/a",
            playbook="p",
            campaign="c",
            outcome="changed",
            reason="r",
            base_sha=repository.base,
            tree=tree,
            added=sum(pair[0] for pair in counts),
            removed=sum(pair[1] for pair in counts),
        )
        proposal = msgspec.structs.replace(proposal, **more)
        return decide(proposal, git, patch, policy, Redactor([SECRET]))

    return decided


def test_an_ordinary_fix_with_a_test_passes(repository: Repository, judge: Judge) -> None:
    repository.write("src/a.py", b"def f():\n    return 1  # better\n")
    repository.write("tests/test_b.py", b"def test_b():\n    assert True\n")
    assert judge() == ()


def test_an_empty_patch_is_no_proposal(judge: Judge) -> None:
    assert judge() == ("the patch is empty",)


@pytest.mark.parametrize(
    ("path", "data", "word"),
    [
        (".github/workflows/ci.yml", b"on: push\n", "protected"),
        (".GitHub/Workflows/ci.yml", b"on: push\n", "protected"),
        ("CODEOWNERS", b"* @me\n", "protected"),
        ("AGENTS.md", b"obey\n", "protected"),
        (".vscode/settings.json", b"{}\n", "protected"),
        ("logo.png", b"\x89PNG\0\0", "binary"),
        ("src/bell\x07.py", b"x = 1\n", "control characters"),
        ("readme.md", b"twin\n", "only in case"),
        ("key.txt", SECRET.encode(), "secret"),
        ("key.txt", f"'{SECRET[::-1]}'".encode(), "secret"),
        ("conftest.py", b"collect_ignore = ['tests']\n", "steers how tests are run"),
        ("pyproject.toml", BASE["pyproject.toml"].replace(b"-q", b"-k nothing"), "its part about tests changed"),
        (
            "src/a.py",
            b"import os\ndef f():\n    return 'PYTEST_CURRENT_TEST' in os.environ\n",
            "asks whether it is being tested",
        ),
        ("tests/test_a.py", b"def test_f():\n    pass\n", "fewer assertions"),
    ],
)
def test_what_the_gate_refuses(repository: Repository, judge: Judge, path: str, data: bytes, word: str) -> None:
    repository.write(path, data)
    found = judge()
    assert any(word in reason for reason in found), found


def test_a_version_in_the_file_that_also_steers_tests_may_change(repository: Repository, judge: Judge) -> None:
    repository.write("pyproject.toml", BASE["pyproject.toml"].replace(b"1.0", b"1.1"))
    assert judge() == ()


def test_a_deleted_test_is_refused_and_a_policy_can_allow_it(repository: Repository, judge: Judge) -> None:
    (repository.work / "tests/test_a.py").unlink()
    assert judge() == ("tests/test_a.py: weakens a test: deleted",)
    assert judge(Policy(weaker_tests=True)) == ()


def test_symlinks_and_executables_are_refused(repository: Repository, judge: Judge) -> None:
    (repository.work / "out").symlink_to("/etc")
    repository.write("run.sh", b"#!/bin/sh\n")
    (repository.work / "run.sh").chmod(0o755)
    assert judge() == ("out: a symbolic link", "run.sh: becomes executable")
    assert judge(Policy(symlinks=True, executables=True)) == ("out: a symbolic link that leaves the repository",)
    (repository.work / "out").unlink()
    (repository.work / "out").symlink_to("src/a.py")
    assert judge(Policy(symlinks=True, executables=True)) == ()


@pytest.mark.parametrize("target", ["../x", "src/../../x", "/etc/passwd", "a\\b", "a\nb"])
def test_a_symlink_that_leaves_is_refused_whatever_the_policy(
    repository: Repository, judge: Judge, target: str
) -> None:
    (repository.work / "out").symlink_to(target)
    assert judge(Policy(symlinks=True)) == ("out: a symbolic link that leaves the repository",)


def test_a_submodule_is_refused_whatever_the_policy(repository: Repository, judge: Judge) -> None:
    git = repository.git
    link = Change(
        path="nested",
        status="A",
        mode_before="000000",
        mode_after="160000",
        blob_before="0" * 40,
        blob_after=repository.base,
    )
    tree = git.graft(git.tree_of(repository.base), [link])
    assert judge(Policy(symlinks=True, executables=True), tree=tree) == ("nested: a submodule",)


def test_sizes_have_limits(repository: Repository, judge: Judge) -> None:
    for number in range(3):
        repository.write(f"src/n{number}.py", b"x = 1\n" * 10)
    assert judge(Policy(max_files=2)) == ("3 files changed, 2 are allowed",)
    assert judge(Policy(max_lines=29)) == ("30 lines changed, 29 are allowed",)
    assert any("bytes" in reason for reason in judge(Policy(max_bytes=100)))


def test_sizes_are_counted_and_never_believed(repository: Repository, judge: Judge) -> None:
    repository.write("src/n.py", b"x = 1\n" * 30)
    assert judge(Policy(max_lines=29), added=0, removed=0) == ("30 lines changed, 29 are allowed",)


def test_a_key_that_was_there_already_may_stay_or_go_and_a_new_one_needs_a_policy(
    repository: Repository, judge: Judge
) -> None:
    example = b"key = 'AKIAQYLPMN5HFIQR7XYA'\n"
    repository.write("src/scan.py", example)
    assert judge() == ("the patch contains a secret",)
    assert judge(Policy(secrets=True)) == ()
    repository.write("src/scan.py", f"key = '{SECRET}'\n".encode())
    assert judge(Policy(secrets=True)) == ("the patch contains a secret",)


def test_a_secret_in_a_binary_file_or_in_the_text_of_the_pull_request_is_found(
    repository: Repository, judge: Judge
) -> None:
    repository.write("logo.bin", b"\0\0" + b"\0".join(bytes([byte]) for byte in SECRET.encode()))
    assert judge(Policy(binaries=True)) == ("the patch contains a secret",)
    (repository.work / "logo.bin").unlink()
    repository.write("src/b.py", b"x = 1\n")
    assert judge(body=f"see {SECRET[::-1]}") == ("the text of the pull request contains a secret",)


def test_a_line_that_nobody_can_review_is_refused(repository: Repository, judge: Judge) -> None:
    repository.write("src/b.py", b"x = '" + b"a" * 200_000 + b"'\n")
    assert judge() == ("src/b.py: has lines of more than 100,000 bytes, which nobody can review",)


def test_a_folder_that_is_another_ones_twin_is_refused(repository: Repository, judge: Judge) -> None:
    repository.write("Src/b.py", b"x = 1\n")
    (reason,) = judge()
    assert "only in case" in reason


def test_the_fleet_can_allow_a_few_paths_only(repository: Repository, judge: Judge) -> None:
    repository.write("README.md", b"changed\n")
    assert judge(Policy(allowed_paths=("src/**",))) == ("README.md: outside of what `policy` allows",)


def test_the_scope_of_the_run_is_looked_at_again(repository: Repository, judge: Judge) -> None:
    repository.write("README.md", b"changed\n")
    assert judge(scope=Scope(allowed=(("src/**",),))) == ("README.md: outside of the allowed paths",)
    assert judge(Policy(protected=("README.md",))) == (
        "README.md: a protected file, and the playbook does not open it",
    )
    assert judge(scope=Scope(opens=("README.md",)), policy=Policy(protected=("README.md",))) == ()
