"""A hostile work tree becomes a tree of regular files and symlinks, and nothing of it is obeyed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from bot.base import staging
from bot.base.errors import GitError
from bot.base.git import GitDir


@pytest.fixture
def git(tmp_path: Path) -> GitDir:
    return GitDir.init(tmp_path / "git")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def sh(folder: Path, line: str) -> None:
    subprocess.run(["sh", "-ec", line], cwd=folder, check=True)


def test_a_repository_inside_is_staged_as_files_and_its_filters_never_run(git: GitDir, work: Path) -> None:
    sh(
        work,
        "git init -q inner; cd inner; echo a > file; git add file; git commit -qm x; "
        "git init -q deep; echo 1 > deep/f; git init -q empty",
    )
    assert git.paths(git.stage(work)) == ["inner/deep/f", "inner/file"]
    mark = work.parent / "executed"
    sh(work, f"cd inner; git config filter.x.clean 'touch {mark}; cat'; echo '* filter=x' > .gitattributes")
    time.sleep(1.1)  # Until git has to read the file again to see whether it changed.
    sh(work, "echo b > inner/file")
    tree = git.stage(work)
    assert git.blob(tree, "inner/file") == b"b\n"
    assert not mark.exists()


def test_a_file_can_become_a_folder_and_a_folder_a_file_or_a_link(git: GitDir, work: Path) -> None:
    sh(work, "echo 1 > a; mkdir b c; echo 1 > b/x; echo 1 > c/x")
    git.stage(work)
    sh(work, "rm -r a b c; mkdir a; echo 2 > a/y; echo 2 > b; ln -s /etc c")
    tree = git.stage(work)
    assert git.paths(tree) == ["a/y", "b", "c"]
    assert git.blob(tree, "c") == b"/etc"


def test_a_file_that_was_seen_and_is_ignored_now_goes_unless_the_base_has_it(git: GitDir, work: Path) -> None:
    sh(work, "echo 1 > kept.log")
    base = git.stage(work)
    sh(work, "mkdir out; echo 1 > out/a; echo 1 > new.log")
    assert git.paths(git.stage(work, base=base)) == ["kept.log", "new.log", "out/a"]
    sh(work, "printf 'out/\\n*.log\\n' > .gitignore; echo 2 > kept.log")
    tree = git.stage(work, base=base)
    assert git.paths(tree) == [".gitignore", "kept.log"]
    assert git.blob(tree, "kept.log") == b"2\n"


def test_special_and_very_large_files_stay_out(git: GitDir, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "LARGEST", 100)
    sh(work, "echo 1 > grows; echo 1 > turns; echo 1 > .ok; chmod 0 .ok")
    git.stage(work)
    sh(work, "truncate -s 200 grows large; rm turns; mkfifo turns pipe")
    tree = git.stage(work)
    assert git.paths(tree) == [".ok", "grows"]
    assert git.blob(tree, "grows") == b"1\n"


def test_a_fifo_where_git_reads_its_settings_is_cleared_away(
    git: GitDir, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_FIRST_TRY_SECONDS", 0.5)
    sh(work, "mkdir d closed; mkfifo d/.gitignore d/.gitattributes; echo 1 > d/f; chmod 0 closed")
    (git.path / "index.lock").touch()
    assert git.paths(git.stage(work)) == ["d/f"]
    assert list((work / "d").iterdir()) == [work / "d" / "f"]


def test_names_that_git_refuses_stay_out(git: GitDir, work: Path) -> None:
    sh(work, "mkdir .GIT; echo x > .GIT/config; echo 1 > 'a\nb'; mkdir .git; echo evil > .git/config")
    assert git.paths(git.stage(work)) == ["a\nb"]


def test_a_swarm_of_repositories_is_an_error(git: GitDir, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_MOST_REPOSITORIES", 2)
    for name in "abc":
        sh(work, f"git init -q {name}")
    with pytest.raises(GitError, match="more than 2 repositories"):
        git.stage(work)


def test_a_folder_that_became_a_link_to_one_with_the_same_names_is_gone(
    git: GitDir, work: Path, tmp_path: Path
) -> None:
    twin = tmp_path / "outside"
    twin.mkdir()
    (twin / "a").write_text("theirs")
    (twin / "a").chmod(0o044)
    (work / "d").mkdir()
    (work / "d" / "a").write_text("mine")
    base = git.stage(work)
    (work / "d" / "a").unlink()
    (work / "d").rmdir()
    (work / "d").symlink_to(twin)
    assert git.paths(git.stage(work, base=base)) == ["d"]
    assert (twin / "a").stat().st_mode & 0o777 == 0o044
