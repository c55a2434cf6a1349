"""Real fleets are messy, and none of it may crash a run, lose work or leak into a pull request.

One campaign of a script playbook goes over all of them side by side; each test looks at what became of one plugin.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from once import once
from raw_git import Content, raw_blob, raw_commit, raw_tree
from small_playbooks import STAMP_AND_MORE
from small_world import World, git

ODD_BRANCH = "ünï-#1&co'$(x)%25\u2028z"
LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"
NAMES: dict[str | bytes, Content] = {
    "a b": "1",
    "new\nline": "2",
    b"caf\xe9": "3",
    "-rf": "4",
    "q\"uo'te": "5",
    "ta\tb": "6",
    "back\\slash": "7",
    "grün/ßé": "8",
    "Case": "9",
    "case": "10",
    "*": "11",
}
DIRTY: dict[str | bytes, Content] = {
    ".gitattributes": "*.txt text=auto eol=crlf\n*.c ident\n*.bin filter=evil\n*.u16 text working-tree-encoding=UTF-16\n",
    "lines.txt": "one\r\ntwo\n",
    "main.c": "/* $Id: 123$ */\n",
    "image.bin": b"\x00\x01\r\n",
    "text.u16": "hé\n",
}


class Flown:
    """What the campaign left behind."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.code, self.rows, self.folder = facts["code"], facts["rows"], Path(facts["folder"])

    def __getitem__(self, plugin: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rows[plugin]
        return found

    def bare(self, plugin: str) -> Path:
        return self.folder / "github" / "acme" / f"{plugin}.git"

    def changed(self, plugin: str) -> dict[bytes, str]:
        """Path → mode of what the pushed branch has that its base has not; `gone` for what it has no more."""
        branch = f"refs/heads/{self[plugin]['branch']}"
        before, after = raw_tree(self.bare(plugin), f"{branch}^"), raw_tree(self.bare(plugin), branch)
        return {
            path: after.get(path, ("gone", ""))[0]
            for path in before.keys() | after.keys()
            if before.get(path) != after.get(path)
        }


def fly(folder: Path) -> dict[str, Any]:
    """Make the fleet and let the campaign go over it once."""
    with World(folder) as world:
        world.playbook("stamp", STAMP_AND_MORE)
        campaign = world.fleet_bot("plan", "stamp", "--json")
        assert campaign.code == 0, campaign.err
        for build in (usual_plugins, odd_branches, broken_repositories):
            build(world, f"fleet-bot/{campaign.json['campaign']}")
        done = world.run("stamp")
        assert "Traceback" not in done.err
        assert world.github.violations == ()
        rows = {row["plugin"]: row for row in done.json["tasks"]}
    return {"code": done.code, "rows": rows, "folder": str(folder)}


def plant(world: World, name: str, files: Mapping[str | bytes, Content], *, branch: str = "main", **entry: Any) -> Path:
    """A plugin whose one commit holds exactly these bytes."""
    work = world.plugin(name, None, branch=branch, **entry)
    raw_commit(work, files)
    git(work, "push", "--quiet", "origin", branch)
    return work


def script(*lines: str) -> Content:
    return ("100755", "\n".join(["#!/bin/sh -e", *lines]) + "\n")


def usual_plugins(world: World, ours: str) -> None:
    plant(world, "dirty", DIRTY)
    plant(world, "names", NAMES)
    plant(world, "bad-name", {"more.sh": script(r"""printf x > "$(printf 'caf\351')" """)})
    plant(world, "links", {"out": ("120000", "/etc/hostname"), "up": ("120000", "../../../..")})
    plant(world, "through-link", {"out": ("120000", "/etc"), "more.sh": script("printf x > out/fleet-bot-was-here")})
    plant(
        world, "submodule", {"sub": ("160000", "1" * 40), ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = x\n'}
    )
    plant(world, "lfs", {"big.bin": LFS_POINTER, ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    inner = "git init -q inner; echo hi > inner/f; git -C inner add f; git -C inner -c user.name=x -c user.email=x commit -qm x"
    plant(world, "nested", {"more.sh": script(inner)})
    plant(world, "large", {"huge": b"0123456789abcdef" * 400_000, "more.sh": script("truncate -s 101M larger")})
    plant(world, "modes", {"run": ("100755", "x"), "more.sh": script("chmod -x run")})
    uses = ["git log --oneline", "git add -A", "git commit -qm mine", "git tag mine", "git checkout -q -b other"]
    plant(world, "uses-git", {"more.sh": script(*uses, "git config --global user.name x", "rm -rf .git")})
    plant(world, "refuses", {"a": "a"}, remote={"refuse_push": True})
    work = plant(world, "both", {"core/a": "a", "cli/b": "b"}, directory="core")
    world.entries.append({"name": "both-cli", "repo": "acme/both", "directory": "cli"})
    assert work.is_dir()


def odd_branches(world: World, ours: str) -> None:
    plant(world, "trunk", {"a": "a"}, branch="trunk")
    plant(world, "odd", {"a": "a"}, branch=ODD_BRANCH)
    work = plant(world, "tagged", {"a": "old"}, branch="release/1.x")
    # A tag is what git takes first when it has to guess.
    for tag in ("release/1.x", ours):
        git(work, "tag", tag)
        git(work, "push", "--quiet", "origin", f"refs/tags/{tag}")
    raw_commit(work, {"a": "new"})
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/release/1.x")


def broken_repositories(world: World, ours: str) -> None:
    world.plugin("empty", None)
    plant(world, "head-to-nowhere", {"a": "a"})
    git(world.bare("head-to-nowhere"), "symbolic-ref", "HEAD", "refs/heads/gone")
    plant(world, "missing-object", {"a": "a"})
    blob = git(world.bare("missing-object"), "rev-parse", "refs/heads/main:a")
    (world.bare("missing-object") / "objects" / blob[:2] / blob[2:]).unlink()
    plant(world, "corrupt-ref", {"a": "a"})
    (world.bare("corrupt-ref") / "refs" / "heads" / "main").write_text("garbage\n")


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Flown:
    """The campaign, flown once however many workers look at it."""
    return Flown(once(tmp_path_factory, "messy-fleet", fly))


def test_every_plugin_has_its_row_and_a_reason_whatever_became_of_the_others(flown: Flown) -> None:
    assert flown.code == 1
    assert {row["outcome"] for row in flown.rows.values()} == {"changed", "skipped", "blocked", "failed", "error"}
    assert all(row["reason"] and "mistake in fleet-bot" not in row["reason"] for row in flown.rows.values())


@pytest.mark.parametrize(
    "plugin", ["dirty", "names", "links", "submodule", "lfs", "trunk", "odd", "tagged", "uses-git"]
)
def test_only_what_the_script_meant_to_change_is_committed(flown: Flown, plugin: str) -> None:
    assert flown[plugin]["outcome"] == "changed", flown[plugin]["reason"]
    assert flown.changed(plugin) == {b"STAMP": "100644"}
    assert flown[plugin]["files"] == ["STAMP"]


def test_attributes_that_make_a_fresh_clone_dirty_leave_the_bytes_alone(flown: Flown) -> None:
    branch = f"refs/heads/{flown['dirty']['branch']}"
    for path, content in DIRTY.items():
        data = content if isinstance(content, bytes) else str(content).encode()
        assert raw_blob(flown.bare("dirty"), branch, os.fsencode(path)) == data


def test_the_base_is_the_branch_and_not_the_tag_of_the_same_name(flown: Flown) -> None:
    branch = f"refs/heads/{flown['tagged']['branch']}"
    assert raw_blob(flown.bare("tagged"), branch, b"a") == b"new"
    assert git(flown.bare("tagged"), "rev-parse", f"{branch}^") == git(
        flown.bare("tagged"), "rev-parse", "refs/heads/release/1.x"
    )


def test_a_new_name_that_is_no_text_is_spelled_out_and_stopped_at_the_gate(flown: Flown) -> None:
    row = flown["bad-name"]
    assert row["outcome"] == "blocked"
    assert r"caf\udce9" in row["reason"]
    assert sorted(row["files"]) == ["STAMP", r"caf\udce9"]


def test_a_link_that_leaves_the_tree_leads_nowhere(flown: Flown) -> None:
    assert flown["through-link"]["outcome"] == "failed"
    assert not Path("/etc/fleet-bot-was-here").exists()


def test_a_repository_made_inside_is_a_folder_like_any_other(flown: Flown) -> None:
    assert flown.changed("nested") == {b"STAMP": "100644", b"inner/f": "100644"}


def test_a_file_too_large_for_any_forge_is_left_out_and_that_is_said(flown: Flown) -> None:
    assert flown.changed("large") == {b"STAMP": "100644"}
    proposal = Path(flown["large"]["proposal"]).read_text(encoding="utf-8")
    assert "larger was left out" in proposal


def test_a_mode_is_a_change_like_any_other(flown: Flown) -> None:
    assert flown.changed("modes") == {b"STAMP": "100644", b"run": "100644"}


def test_two_projects_in_one_repository_get_a_branch_and_a_pull_request_each(flown: Flown) -> None:
    core, cli = flown["both"], flown["both-cli"]
    assert core["branch"] != cli["branch"]
    assert core["pull_request"]["number"] != cli["pull_request"]["number"]
    for row, path in ((core, b"core/STAMP"), (cli, b"cli/STAMP")):
        branch = f"refs/heads/{row['branch']}"
        assert path in raw_tree(flown.bare("both"), branch)
        assert raw_tree(flown.bare("both"), branch).keys() - raw_tree(flown.bare("both"), f"{branch}^").keys() == {path}


def test_a_refused_push_is_told_in_the_servers_words(flown: Flown) -> None:
    assert flown["refuses"]["outcome"] == "blocked"
    assert "Changes must be made through a pull request" in flown["refuses"]["reason"]
    assert f"refs/heads/{flown['refuses']['branch']}" not in git(
        flown.bare("refuses"), "for-each-ref", "--format=%(refname)"
    )


@pytest.mark.parametrize(
    ("plugin", "outcome", "words"),
    [
        ("empty", "skipped", ("is empty", "Push a first commit")),
        ("head-to-nowhere", "error", ("The base branch gone is not in the repository", "Set `base`")),
        ("missing-object", "error", ("acme/missing-object cannot be fetched", "git fsck")),
        ("corrupt-ref", "error", ("acme/corrupt-ref cannot be fetched", "git fsck")),
    ],
)
def test_a_repository_that_cannot_be_used_says_what_to_do(
    flown: Flown, plugin: str, outcome: str, words: tuple[str, ...]
) -> None:
    row = flown[plugin]
    assert row["outcome"] == outcome
    assert all(word in row["reason"] for word in words), row["reason"]
    assert "\n" not in row["reason"]
    branches = subprocess.run(
        ["git", "for-each-ref", "refs/heads/fleet-bot"], cwd=flown.bare(plugin), capture_output=True
    )
    assert branches.stdout == b""
