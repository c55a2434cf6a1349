"""What every forge does, and what GitHub does besides: the suite of the ports ForgeRead and ForgeWrite."""

from __future__ import annotations

import pytest

from bot.base.errors import FleetBotError, ForgeError, TaskBlocked
from bot.base.git import GitDir, ls_remote

BRANCHES = [
    "fleet-bot/bump-3f2a",
    "fix/#7",
    "wörk/ünïcode",
    "a%2Fb",
    "x+y&z=1",
    "with'quote",
    "dots.and~no".replace("~", "-"),
]


def test_git_reaches_the_repository_by_what_remote_says(world):
    remote = world.forge.remote(world.repo)
    assert ls_remote(remote.url, remote.token) == ("main", {"HEAD": world.base, "refs/heads/main": world.base})
    assert "ghp_" not in remote.url + repr(remote)


def test_facts_name_the_default_branch(world):
    facts = world.forge.facts(world.repo)
    assert (facts.default_branch, facts.archived) == ("main", False)


def test_a_repository_that_is_not_there_is_a_404(world):
    with pytest.raises(ForgeError) as caught:
        world.forge.facts(world.repo + "-gone")
    assert caught.value.status == 404
    assert caught.value.cure


def test_a_branch_is_at_a_commit_or_absent(world):
    assert world.forge.branch_head(world.repo, "main") == world.base
    assert world.forge.branch_head(world.repo, "mai") is None
    assert world.forge.branch_head(world.repo, "nothing/here") is None


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_new_branch_is_pushed_whatever_its_name(world, branch):
    commit = world.change()
    world.forge.push(world.repo, world.objects.path, commit, branch, None)
    assert world.head(branch) == commit
    assert world.forge.branch_head(world.repo, branch) == commit
    assert world.forge.find_pulls(world.repo, branch) == ()


def test_a_branch_moves_only_from_where_it_was_seen(world):
    first, second = world.change(), world.change(text="other\n")
    world.forge.push(world.repo, world.objects.path, first, "fix/x", None)
    world.forge.push(world.repo, world.objects.path, second, "fix/x", first)  # no fast-forward
    assert world.head("fix/x") == second


def test_a_branch_that_a_person_moved_is_left_alone(world):
    ours, theirs = world.change(), world.change(text="theirs\n")
    world.forge.push(world.repo, world.objects.path, ours, "fix/x", None)
    world.bare.fetch(str(world.objects.path), [theirs])
    world.bare.run("update-ref", "refs/heads/fix/x", theirs)
    with pytest.raises(TaskBlocked, match="moved meanwhile"):
        world.forge.push(world.repo, world.objects.path, world.change(text="more\n"), "fix/x", ours)
    assert world.head("fix/x") == theirs


def test_a_branch_that_appeared_meanwhile_is_left_alone(world):
    world.bare.run("update-ref", "refs/heads/fix/x", world.base)
    with pytest.raises(TaskBlocked, match="moved meanwhile"):
        world.forge.push(world.repo, world.objects.path, world.change(), "fix/x", None)
    assert world.head("fix/x") == world.base


def test_a_tag_of_the_same_name_is_no_branch(world):
    world.bare.run("update-ref", "refs/tags/fix/x", world.base)
    assert world.forge.branch_head(world.repo, "fix/x") is None
    commit = world.change()
    world.forge.push(world.repo, world.objects.path, commit, "fix/x", None)
    assert world.head("fix/x") == commit
    assert world.bare.text("rev-parse", "refs/tags/fix/x") == world.base


def test_pushing_what_is_there_changes_nothing(world):
    commit = world.change()
    for expect in (None, commit):
        world.forge.push(world.repo, world.objects.path, commit, "fix/x", expect)
    assert world.head("fix/x") == commit


def test_a_commit_is_kept_at_a_ref_of_its_own_that_never_moves_and_is_no_branch(world):
    first, second = world.change(), world.change(text="other\n")
    ref = "refs/fleet-bot/traces/stamp-1-a-0123456789ab"
    for _ in range(2):
        world.forge.keep(world.repo, world.objects.path, first, ref)
    assert world.bare.resolve(ref) == first
    with pytest.raises(FleetBotError):
        world.forge.keep(world.repo, world.objects.path, second, ref)
    assert world.bare.resolve(ref) == first
    assert set(ls_remote(str(world.bare.path))[1]) == {"HEAD", "refs/heads/main", ref}


def test_an_empty_repository_has_no_branch(world, tmp_path):
    if world.github:
        world.github.add_repository("acme/empty", default_branch="main")
        repo = "acme/empty"
    else:
        repo = str(GitDir.init(tmp_path / "empty.git").path)
    assert not world.forge.facts(repo).archived
    assert world.forge.branch_head(repo, "main") is None


def test_a_path_has_no_issues_and_no_pull_requests(path_world):
    forge, repo = path_world.forge, path_world.repo
    assert (forge.login(), forge.comments(repo, 1)) == ("", ())
    for call in (
        lambda: forge.issue(repo, 1),
        lambda: forge.create_pull(repo, base="main", branch="x", title="t", body="b", draft=False),
        lambda: forge.update_pull(repo, 1, title="t", body="b"),
        lambda: forge.add_labels(repo, 1, ("x",)),
        lambda: forge.request_reviewers(repo, 1, ("x",)),
        lambda: forge.create_comment(repo, 1, "x"),
        lambda: forge.update_comment(repo, 1, "x"),
    ):
        with pytest.raises(ForgeError):
            call()


def test_a_branch_that_is_checked_out_is_not_moved(path_world, tmp_path):
    from forge_world import plain_git

    plain_git("clone", "-q", str(path_world.bare.path), str(tmp_path / "work"))
    with pytest.raises(TaskBlocked, match="checked out"):
        path_world.forge.push(
            str(tmp_path / "work"), path_world.objects.path, path_world.change(), "main", path_world.base
        )


@pytest.mark.parametrize("form", ["{}", "{}.git", "https-url", "https-url.git"])
def test_a_repository_is_named_by_name_or_by_url(github_world, form):
    repo = form.format(github_world.repo)
    if form.startswith("https-url"):
        repo = f"{github_world.github.url}/{github_world.repo}" + form.removeprefix("https-url")
    assert github_world.forge.facts(repo).full_name == "acme/widget"
    assert github_world.forge.remote(repo).url == f"{github_world.github.url}/acme/widget.git"


@pytest.mark.parametrize(
    "repo",
    [
        "https://github.com/acme/widget",
        "git@github.com:acme/widget.git",
        "http://127.0.0.1:1/acme/widget",
        "acme",
        "acme/../widget",
        "acme/widget/pulls",
        "acme/..",
        "ext::sh -c id",
        "https://[::1",
    ],
)
def test_what_is_not_on_the_server_is_no_repository(github_world, repo):
    with pytest.raises(ForgeError) as caught:
        github_world.forge.remote(repo)
    assert caught.value.cure


def test_a_credential_in_a_url_is_refused_and_not_repeated(github_world):
    with pytest.raises(ForgeError) as caught:
        github_world.forge.facts("https://x:ghp_secret@github.com/acme/widget")
    assert "ghp_secret" not in str(caught.value)
