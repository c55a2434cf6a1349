"""From a repository to a workspace, on real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.base.errors import ForgeError, TaskBlocked, TaskSkipped, WorldError
from bot.base.values import Limits, Playbook, Plugin, Task
from bot.forge.path import PathForge
from bot.task.checkout import Checkout, locate
from bot.task.emptying import empty
from bot.task.ownership import AUTHOR_EMAIL, TRAILER


def git(folder: Path, *arguments: str, **env: str) -> str:
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(folder: Path, message: str = "change") -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "plugin"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "a.txt").write_text("one\n")
    commit(folder)
    return folder


def task(plugin: Path, **more: object) -> Task:
    fields = {"name": "p", "repo": str(plugin)} | {k: v for k, v in more.items() if k in Plugin.__struct_fields__}
    rest = {k: v for k, v in more.items() if k not in Plugin.__struct_fields__}
    return Task(
        plugin=Plugin(**fields),  # type: ignore[arg-type]
        playbook=Playbook(id="x", version="1", summary="s"),
        campaign="x-1",
        variables={},
        prompt="",
        limits=Limits(),
        branch="fleet-bot/x-1",
        **rest,  # type: ignore[arg-type]
    )


def make(wanted: Task, scratch: Path) -> Checkout:
    scratch.mkdir()
    return Checkout.make(wanted, locate(wanted, PathForge()), scratch)


def test_the_workspace_has_the_files_of_the_base_and_a_clean_git_of_its_own(plugin: Path, tmp_path: Path) -> None:
    git(plugin, "tag", "v1")
    checkout = make(task(plugin), tmp_path / "s")
    assert (checkout.workspace / "a.txt").read_text() == "one\n"
    assert git(checkout.workspace, "status", "--porcelain") == ""
    assert git(checkout.workspace, "describe", "--tags") == "v1"


def test_attributes_that_make_a_fresh_clone_dirty_change_nothing(plugin: Path, tmp_path: Path) -> None:
    (plugin / "crlf.txt").write_bytes(b"one\r\ntwo\r\n")
    commit(plugin)
    (plugin / ".gitattributes").write_text("* text=auto eol=lf\n*.txt filter=evil ident\n")
    git(plugin, "add", ".gitattributes")
    git(plugin, "commit", "--quiet", "-m", "attributes")
    checkout = make(task(plugin), tmp_path / "s")
    assert (checkout.workspace / "crlf.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert checkout.changes(checkout.git.stage(checkout.workspace)) == ()
    assert git(checkout.workspace, "status", "--porcelain") == ""


def test_a_tag_with_the_name_of_the_base_branch_is_not_mistaken_for_it(plugin: Path, tmp_path: Path) -> None:
    git(plugin, "branch", "-m", "main", "trunk")
    git(plugin, "tag", "trunk")
    (plugin / "a.txt").write_text("two\n")
    head = commit(plugin)
    checkout = make(task(plugin, base="trunk"), tmp_path / "s")
    assert checkout.base == head


def test_what_the_set_up_left_stays_and_is_no_change(plugin: Path, tmp_path: Path) -> None:
    checkout = make(task(plugin), tmp_path / "s")
    (checkout.workspace / "built.bin").write_bytes(b"\0")
    (checkout.workspace / "a.txt").write_text("touched by the set-up\n")
    checkout.keep_prepared()
    (checkout.workspace / "a.txt").write_text("touched by the set-up\nand by the agent\n")
    (checkout.workspace / "new.txt").write_text("new\n")
    (checkout.workspace / "__pycache__").mkdir()
    (checkout.workspace / "__pycache__" / "x.pyc").write_bytes(b"junk")
    tree = checkout.git.stage(checkout.workspace)
    assert [change.path for change in checkout.changes(tree)] == ["a.txt", "new.txt"]
    assert "built.bin" not in checkout.git.paths(checkout.git.graft(checkout.base_tree, checkout.changes(tree)))
    checkout.fill(tree)
    assert (checkout.workspace / "built.bin").exists()
    assert (checkout.workspace / "new.txt").exists()
    assert not (checkout.workspace / "__pycache__").exists()
    checkout.fill(checkout.prepared_tree)
    assert (checkout.workspace / "a.txt").read_text() == "touched by the set-up\n"
    assert not (checkout.workspace / "new.txt").exists()


def test_a_workspace_left_unreadable_is_emptied_and_symlinks_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "canary").write_text("here")
    folder = tmp_path / "workspace"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "link").symlink_to(outside, target_is_directory=True)
    (folder / "deep" / "link").symlink_to(outside, target_is_directory=True)
    (folder / "deep" / "deeper").chmod(0)
    empty(folder)
    assert list(folder.iterdir()) == []
    assert (outside / "canary").read_text() == "here"


def test_a_tree_deeper_than_the_stack_and_than_any_path_is_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    empty(folder)
    assert list(folder.iterdir()) == []


def test_what_a_set_up_left_may_hold_pipes_and_sockets(plugin: Path, tmp_path: Path) -> None:
    checkout = make(task(plugin), tmp_path / "s")
    os.mkfifo(checkout.workspace / "pipe")
    (checkout.workspace / "built").write_text("x")
    checkout.keep_prepared()
    checkout.fill(checkout.prepared_tree)
    assert (checkout.workspace / "built").exists()
    assert not (checkout.workspace / "pipe").exists()


def test_an_edit_is_seen_at_once_whatever_bytecode_python_keeps(plugin: Path, tmp_path: Path) -> None:
    (plugin / "one.py").write_text("VALUE = 1\n")
    commit(plugin)
    checkout = make(task(plugin), tmp_path / "s")
    module = checkout.workspace / "one.py"

    def value() -> str:
        command = ["python3", "-c", "import one; print(one.VALUE)"]
        done = subprocess.run(command, cwd=checkout.workspace, env=checkout.variables, capture_output=True, text=True)
        return done.stdout.strip()

    assert value() == "1"
    moment = module.stat().st_mtime_ns
    module.write_text("VALUE = 2\n")
    os.utime(module, ns=(moment, moment))
    assert value() == "2"


def test_a_named_commit_is_where_the_task_starts(plugin: Path, tmp_path: Path) -> None:
    first = git(plugin, "rev-parse", "HEAD")
    (plugin / "a.txt").write_text("two\n")
    commit(plugin)
    checkout = make(task(plugin, commit=first[:12]), tmp_path / "s")
    assert checkout.base == first
    assert (checkout.workspace / "a.txt").read_text() == "one\n"


def test_a_report_cannot_bring_the_commits_of_another_branch_along(plugin: Path, tmp_path: Path) -> None:
    git(plugin, "switch", "--quiet", "-c", "unmerged")
    foreign = commit(plugin, "not reviewed")
    git(plugin, "switch", "--quiet", "main")
    with pytest.raises(TaskBlocked, match="not in the history of main"):
        make(task(plugin, commit=foreign, commit_from_report=True), tmp_path / "s")
    assert make(task(plugin, commit=foreign), tmp_path / "t").base == foreign


def test_a_commit_that_cannot_be_reached_blocks(plugin: Path, tmp_path: Path) -> None:
    with pytest.raises(TaskBlocked, match="not in the repository"):
        make(task(plugin, commit="0123456789abcdef"), tmp_path / "s")


def test_an_empty_repository_is_skipped(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    with pytest.raises(TaskSkipped, match="empty"):
        locate(task(tmp_path / "empty.git"), PathForge())


def test_a_base_branch_that_is_not_there_is_named(plugin: Path) -> None:
    with pytest.raises(WorldError, match="release") as error:
        locate(task(plugin, base="release"), PathForge())
    assert "fleet.yaml" in error.value.cure


@pytest.mark.parametrize("broken", ["nothing", "no-git"])
def test_a_folder_that_is_no_repository_is_named(tmp_path: Path, broken: str) -> None:
    (tmp_path / "no-git").mkdir()
    with pytest.raises(ForgeError):
        locate(task(tmp_path / broken), PathForge())


def test_a_branch_with_a_persons_commits_is_left_alone(plugin: Path, tmp_path: Path) -> None:
    git(plugin, "switch", "--quiet", "-c", "fleet-bot/x-1")
    commit(plugin, "mine")
    git(plugin, "switch", "--quiet", "main")
    with pytest.raises(TaskSkipped, match="did not make"):
        make(task(plugin), tmp_path / "s")


def test_a_branch_with_our_commits_is_ours(plugin: Path, tmp_path: Path) -> None:
    git(plugin, "switch", "--quiet", "-c", "fleet-bot/x-1")
    ident = {"GIT_AUTHOR_EMAIL": AUTHOR_EMAIL, "GIT_COMMITTER_EMAIL": AUTHOR_EMAIL}
    subprocess.run(
        ["git", "commit", "--quiet", "--allow-empty", "-m", f"ours\n\n{TRAILER}: x-1\n"],
        cwd=plugin,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_AUTHOR_NAME": "b", "GIT_COMMITTER_NAME": "b"}
        | ident,
    )
    git(plugin, "switch", "--quiet", "main")
    assert make(task(plugin), tmp_path / "s").base == git(plugin, "rev-parse", "main")


def test_a_branch_that_a_person_made_and_left_empty_is_theirs(plugin: Path, tmp_path: Path) -> None:
    git(plugin, "branch", "fleet-bot/x-1")
    with pytest.raises(TaskSkipped, match="did not make"):
        make(task(plugin), tmp_path / "s")


def test_a_commit_with_our_author_but_without_our_trailer_is_a_persons(plugin: Path, tmp_path: Path) -> None:
    git(plugin, "switch", "--quiet", "-c", "fleet-bot/x-1")
    git(plugin, "-c", f"user.email={AUTHOR_EMAIL}", "commit", "--quiet", "--allow-empty", "-m", "by hand")
    git(plugin, "switch", "--quiet", "main")
    with pytest.raises(TaskSkipped, match="did not make"):
        make(task(plugin), tmp_path / "s")
