"""Plain files become a real repository: byte for byte, and always with the same commit ids."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.base.errors import ConfigurationError, UsageError
from bot.virtual.materialise import commit_ids, fill, history_of, materialise
from bot.virtual.plugin import VirtualPlugin, read_virtual_fleet

YAML = """\
summary: Everything that a folder cannot keep.
entry: {repo: acme/odd}
history:
  branch: trunk
  commits:
    - {name: first, when: 2024-01-01T12:00:00+02:00, message: First, tags: [v1, trunk], absent: ["new/**"]}
    - {name: second, when: 2024-01-02T00:00:00Z, message: "Größer\\n\\nWith a body.", author: Zoë Lund}
  files:
    bin/run: {executable: true}
    "größe/two words.txt": {text: "one\\r\\ntwo"}
    link: {link: bin/run}
"""
FIRST, SECOND = "b58e06df5bb85e2b508636348f4b9abca99b9bf9", "50a4becb6fd7f1c0a07ff419467597840f3b3ec5"


def make(folder: Path) -> VirtualPlugin:
    base = folder / "odd"
    files = {
        "repo/bin/run": b"#!/bin/sh\n",
        "repo/a.txt": b"now\n",
        "repo/a-b": b"\x00\xff binary",
        "repo/a/b": b"",
        "repo/new/file": b"new\n",
        "history/first/a.txt": b"then\n",
        "history/first/bin/run": b"echo\n",
        "history/first/gone": b"gone\n",
        "plugin.yaml": YAML.encode(),
    }
    for path, data in files.items():
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).write_bytes(data)
    return read_virtual_fleet(folder)[0]


def git(bare: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", f"--git-dir={bare}", *arguments], check=True, capture_output=True).stdout


@pytest.fixture
def plugin(tmp_path: Path) -> VirtualPlugin:
    return make(tmp_path / "fleet")


def test_a_repository_holds_the_bytes_modes_and_links_that_were_declared(plugin: VirtualPlugin, tmp_path: Path) -> None:
    bare = tmp_path / "odd.git"
    ids = materialise(plugin, bare)
    git(bare, "fsck", "--strict")
    tree = git(bare, "ls-tree", "-r", "-z", "--name-only", ids["second"]).decode().split("\0")[:-1]
    assert tree == ["a-b", "a.txt", "a/b", "bin/run", "größe/two words.txt", "link", "new/file"]
    assert git(bare, "cat-file", "blob", f"{ids['second']}:größe/two words.txt") == b"one\r\ntwo"
    assert git(bare, "cat-file", "blob", f"{ids['second']}:a-b") == b"\x00\xff binary"
    modes = {line.split()[3]: line.split()[0] for line in git(bare, "ls-tree", "-r", "trunk").decode().splitlines()[:4]}
    assert modes["bin/run"] == "100755"
    assert git(bare, "ls-tree", "trunk", "link").startswith(b"120000 ")


def test_an_older_commit_is_today_with_what_looked_different_then(plugin: VirtualPlugin, tmp_path: Path) -> None:
    bare = tmp_path / "odd.git"
    ids = materialise(plugin, bare)
    tree = git(bare, "ls-tree", "-r", "-z", "--name-only", ids["first"]).decode().split("\0")[:-1]
    assert "new/file" not in tree
    assert "gone" in tree
    assert git(bare, "cat-file", "blob", f"{ids['first']}:a.txt") == b"then\n"
    assert git(bare, "ls-tree", ids["first"], "bin/run").startswith(b"100755 ")


def test_history_has_the_declared_people_dates_messages_and_refs(plugin: VirtualPlugin, tmp_path: Path) -> None:
    bare = tmp_path / "odd.git"
    ids = materialise(plugin, bare)
    log = git(bare, "log", "-z", "--format=%H|%an|%ae|%at|%ct|%B", "refs/heads/trunk").decode().split("\0")[:-1]
    assert log == [
        f"{ids['second']}|Zoë Lund|zoë-lund@example.invalid|1704153600|1704153600|Größer\n\nWith a body.\n",
        f"{ids['first']}|Ada Virtual|ada-virtual@example.invalid|1704103200|1704103200|First\n",
    ]
    assert git(bare, "symbolic-ref", "HEAD") == b"refs/heads/trunk\n"
    assert git(bare, "for-each-ref", "--format=%(refname) %(objectname)").decode().splitlines() == [
        f"refs/heads/trunk {ids['second']}",
        f"refs/tags/trunk {ids['first']}",
        f"refs/tags/v1 {ids['first']}",
    ]


def test_commit_ids_are_constants(plugin: VirtualPlugin, tmp_path: Path) -> None:
    assert materialise(plugin, tmp_path / "odd.git") == {"first": FIRST, "second": SECOND}


def test_no_variable_of_git_and_no_configuration_of_the_user_has_a_say(
    plugin: VirtualPlugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[i18n]\n\tcommitEncoding = latin1\n[user]\n\tname = Someone\n", encoding="utf-8"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "@1 +0000")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    assert materialise(plugin, tmp_path / "odd.git") == {"first": FIRST, "second": SECOND}


def test_a_repository_that_is_there_is_only_read(plugin: VirtualPlugin, tmp_path: Path) -> None:
    bare = tmp_path / "deep" / "odd.git"
    made = commit_ids(plugin, bare)
    before = sorted((path, path.stat().st_mtime_ns) for path in bare.rglob("*"))
    assert commit_ids(plugin, bare) == made
    assert sorted((path, path.stat().st_mtime_ns) for path in bare.rglob("*")) == before


def test_a_repository_of_an_older_state_is_refused(plugin: VirtualPlugin, tmp_path: Path) -> None:
    bare = tmp_path / "odd.git"
    commit_ids(plugin, bare)
    (plugin.folder / "repo" / "a.txt").write_text("tomorrow\n", encoding="utf-8")
    with pytest.raises(UsageError, match="older state of the virtual plugin odd"):
        commit_ids(plugin, bare)


def test_a_folder_that_is_something_else_is_refused(plugin: VirtualPlugin, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no repository of a virtual plugin"):
        commit_ids(plugin, tmp_path)


def test_nothing_is_left_of_a_repository_that_could_not_be_made(plugin: VirtualPlugin, tmp_path: Path) -> None:
    (plugin.folder / "repo" / "bin" / "run").unlink()
    place = tmp_path / "out"
    with pytest.raises(ConfigurationError, match=r"history\.files names bin/run, which is not in repo/"):
        materialise(plugin, place / "odd.git")
    assert list(place.iterdir()) == []


def test_stray_caches_and_links_of_the_plain_folder_are_not_files_of_the_plugin(plugin: VirtualPlugin) -> None:
    repo = plugin.folder / "repo"
    (repo / "__pycache__").mkdir()
    (repo / "__pycache__" / "x.pyc").write_bytes(b"")
    (repo / "stray").symlink_to("/etc/passwd")
    files = history_of(plugin)[-1][1]
    assert not {"stray", "__pycache__/x.pyc"} & set(files)


def test_a_plugin_without_declared_commits_has_one_called_head(tmp_path: Path) -> None:
    folder = tmp_path / "fleet" / "plain"
    (folder / "repo").mkdir(parents=True)
    (folder / "repo" / "x").write_text("x\n", encoding="utf-8")
    (folder / "plugin.yaml").write_text("summary: x\nentry: {repo: acme/plain}\n", encoding="utf-8")
    (plugin,) = read_virtual_fleet(tmp_path / "fleet")
    ids = materialise(plugin, tmp_path / "plain.git")
    assert git(tmp_path / "plain.git", "rev-parse", "main").decode().strip() == ids["head"]


def test_an_empty_repository_has_no_commit(tmp_path: Path) -> None:
    (tmp_path / "fleet" / "void").mkdir(parents=True)
    (tmp_path / "fleet" / "void" / "plugin.yaml").write_text(
        "summary: x\nentry: {repo: acme/void}\nhistory: {empty: true}\n", encoding="utf-8"
    )
    (plugin,) = read_virtual_fleet(tmp_path / "fleet")
    assert commit_ids(plugin, tmp_path / "void.git") == {}
    assert git(tmp_path / "void.git", "for-each-ref") == b""


def test_commits_are_filled_into_reports() -> None:
    assert fill("seen on {commit:a}, not {commit:b.1}", {"a": "1" * 40, "b.1": "2" * 40}) == (
        f"seen on {'1' * 40}, not {'2' * 40}"
    )
    assert fill("{braces} and {commit:} stay", {}) == "{braces} and {commit:} stay"
    with pytest.raises(ConfigurationError, match="no commit c"):
        fill("{commit:c}", {"a": "1" * 40})


NAME = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=6)
PATHS = st.dictionaries(st.lists(NAME, min_size=1, max_size=3).map("/".join), st.binary(max_size=40), max_size=12)


@settings(max_examples=40, deadline=None)
@given(PATHS)
def test_any_files_give_the_tree_that_git_makes_of_them(files: dict[str, bytes]) -> None:
    paths = [path for path in files if not {".", "..", ".git"} & {part.casefold() for part in path.split("/")}]
    paths = [path for path in paths if not any(other != path and other.startswith(f"{path}/") for other in paths)]
    paths = [path for path in paths if "~" not in path and ":" not in path and path.isascii()]
    if not paths:
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "fleet", "any")
        for path in paths:
            (folder / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "repo" / path).write_bytes(files[path])
        (folder / "plugin.yaml").write_text("summary: x\nentry: {repo: acme/any}\n", encoding="utf-8")
        (plugin,) = read_virtual_fleet(folder.parent)
        bare = Path(scratch, "any.git")
        materialise(plugin, bare)
        work = ["-c", "core.autocrlf=false", "-c", "core.bare=false", f"--work-tree={folder / 'repo'}"]
        git(bare, *work, "add", "--all", "--force", "--sparse")
        assert git(bare, "write-tree") == git(bare, "rev-parse", "main^{tree}")


def test_the_library_is_loaded_only_when_something_is_made() -> None:
    code = "import sys, bot.virtual.materialise; assert not {'git', 'gitdb'} & set(sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
