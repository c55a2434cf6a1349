"""Which commit a version is: by tags, and never a guess."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import commit, git

from bot.base.git import GitDir
from bot.task.version_tag import commit_at, tags_of

TAGS = ("1.4.2", "v1.4", "slugger-1.4.3", "release-2.0.0", "other-1.4.2", "v1.4.2-rc1", "V3.0", "slugger@5.1.0")


@pytest.mark.parametrize(
    ("version", "tags"),
    [
        ("1.4.2", ("1.4.2",)),
        ("v1.4.2", ("1.4.2",)),
        ("slugger@1.4.2", ("1.4.2",)),
        ("1.4", ("v1.4",)),
        ("1.4.3", ("slugger-1.4.3",)),
        ("2.0.0", ("release-2.0.0",)),
        ("1.4.2-rc1", ("v1.4.2-rc1",)),
        ("3.0", ("V3.0",)),
        ("acme@5.1.0", ("slugger@5.1.0",)),
        ("9.9.9", ()),
        ("latest", ()),
        ("1", ()),
        ("", ()),
        ("1.4.2; rm -rf /", ()),
    ],
)
def test_a_version_is_a_tag_by_its_usual_names_only(version: str, tags: tuple[str, ...]) -> None:
    assert tags_of(version, TAGS, "slugger") == tags


@given(st.text(max_size=60))
def test_whatever_stands_there_only_a_tag_that_exists_comes_out(version: str) -> None:
    assert set(tags_of(version, TAGS, "slugger")) <= set(TAGS)


@pytest.fixture
def repository(tmp_path: Path) -> tuple[GitDir, dict[str, str]]:
    """Three commits on main, one on a branch beside it."""
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "--quiet")
    ids = {name: commit(work, {"a": name}) for name in ("first", "second", "head")}
    git(work, "checkout", "--quiet", "-b", "beside", ids["first"])
    ids["beside"] = commit(work, {"a": "beside"})
    return GitDir(work / ".git"), ids


def test_a_tag_in_the_history_of_the_base_names_the_commit(repository: tuple[GitDir, dict[str, str]]) -> None:
    place, ids = repository
    place.run("tag", "v1.4.2", ids["second"])
    found, said = commit_at("1.4.2", place, "slugger", ids["head"])
    assert (found, said) == (ids["second"], "The work began at v1.4.2, the version that the report names.")


def test_two_tags_of_one_commit_are_no_riddle_and_of_two_commits_are(
    repository: tuple[GitDir, dict[str, str]],
) -> None:
    place, ids = repository
    place.run("tag", "v1.4.2", ids["second"])
    place.run("tag", "1.4.2", ids["second"])
    assert commit_at("1.4.2", place, "slugger", ids["head"])[0] == ids["second"]
    place.run("tag", "--force", "1.4.2", ids["first"])
    found, said = commit_at("1.4.2", place, "slugger", ids["head"])
    assert found is None
    assert "could be 1.4.2, v1.4.2" in said


def test_a_tag_beside_the_base_brings_no_foreign_commits(repository: tuple[GitDir, dict[str, str]]) -> None:
    place, ids = repository
    place.run("tag", "v1.4.2", ids["beside"])
    found, said = commit_at("1.4.2", place, "slugger", ids["head"])
    assert found is None
    assert "not in the base branch" in said


def test_without_a_tag_a_person_is_told_unless_there_are_none_at_all(
    repository: tuple[GitDir, dict[str, str]],
) -> None:
    place, ids = repository
    assert commit_at("1.4.2", place, "slugger", ids["head"]) == (None, "")
    place.run("tag", "v1.0.0", ids["first"])
    assert "has no tag here" in commit_at("1.4.2", place, "slugger", ids["head"])[1]
