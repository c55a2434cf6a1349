"""Our REST requests against a GitHub that is not ours: npm `emulate`. It has no git over HTTP, no commit statuses and no
GraphQL; branches are made by the git data API here. What it answers otherwise than GitHub is in docs/virtual-github.md.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from app_keys import key_pair
from emulate import Emulator, installed
from forge_world import StillClock

from bot.base.clock import SystemClock
from bot.base.errors import ForgeError
from bot.forge.app import READING, WRITING, AppTokens
from bot.forge.client import AppKey
from bot.forge.desk import GitHubDesk
from bot.forge.github import GitHubForge

REPO, TOKEN = "acme/widget", "ghp_ours0000000000000000000000000000000"
SEED = {
    "tokens": {TOKEN: {"login": "fleet-bot", "scopes": ["repo", "user"]}},
    "github": {
        "users": [{"login": name, "name": name, "email": f"{name}@example.invalid"} for name in ("fleet-bot", "ada")],
        "orgs": [
            {
                "login": "acme",
                "name": "Acme",
                "members": [{"login": "fleet-bot", "role": "admin"}, {"login": "ada", "role": "member"}],
            }
        ],
        "repos": [
            {"owner": "acme", "name": "widget", "auto_init": True},
            {"owner": "acme", "name": "other", "auto_init": True},
        ],
        "apps": [
            {
                "app_id": 4711,
                "slug": "fleet-app",
                "name": "Fleet",
                "private_key": key_pair()[0],
                "permissions": dict(WRITING),
                "events": [],
                "installations": [{"installation_id": 100, "account": "acme", "repository_selection": "all"}],
            }
        ],
    },
}

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("emulate")
    node = installed(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Emulator(node, folder, port, SEED) as emulator:
        yield emulator.url


@pytest.fixture
def forge(url: str) -> Iterator[GitHubDesk]:
    desk = GitHubDesk(token=TOKEN, api_url=url, server_url=url, clock=StillClock())
    yield desk
    desk.close()


def branch(forge: GitHubForge, name: str) -> str:
    """A branch with one commit on top of main, made by REST."""
    from github import InputGitTreeElement

    repository = forge._github.get_repo(REPO)
    before = repository.get_git_commit(repository.get_branch("main").commit.sha)
    element = InputGitTreeElement(f"{name.replace('/', '-')}.txt", "100644", "blob", content="new\n")
    tree = repository.create_git_tree([element], base_tree=before.tree)
    commit = repository.create_git_commit("change", tree, [before])
    repository.create_git_ref(f"refs/heads/{name}", commit.sha)
    return commit.sha


def test_what_is_read_of_a_repository(forge: GitHubDesk) -> None:
    facts = forge.facts(REPO)
    assert (facts.full_name, facts.default_branch, facts.archived) == (REPO, "main", False)
    assert forge.login() == "fleet-bot"
    assert forge.branch_head(REPO, "none") is None
    assert len(forge.branch_head(REPO, "main") or "") == 40
    with pytest.raises(ForgeError):
        forge.facts("acme/nowhere")


def test_the_way_of_a_pull_request(forge: GitHubDesk) -> None:
    sha = branch(forge, "fix/way")
    assert forge.branch_head(REPO, "fix/way") == sha
    assert forge.find_pulls(REPO, "fix/way") == ()
    made = forge.create_pull(REPO, base="main", branch="fix/way", title="A title", body="A body", draft=True)
    assert (made.state, made.draft, made.head_sha, made.author) == ("open", True, sha, "fleet-bot")
    changed = forge.update_pull(REPO, made.number, title="Another", body="Other")
    assert (changed.title, changed.body) == ("Another", "Other")
    forge.add_labels(REPO, made.number, ("bug", "new label"))
    forge.request_reviewers(REPO, made.number, ("ada",))
    [found] = forge.find_pulls(REPO, "fix/way")
    assert (found.number, set(found.labels), found.reviewers) == (made.number, {"bug", "new label"}, ("ada",))


def test_comments_are_written_found_and_changed(forge: GitHubDesk) -> None:
    branch(forge, "fix/talk")
    pull = forge.create_pull(REPO, base="main", branch="fix/talk", title="t", body="b", draft=False)
    written = forge.create_comment(REPO, pull.number, "first")
    assert forge.update_comment(REPO, written.id, "second").body == "second"
    assert [(said.author, said.body) for said in forge.comments(REPO, pull.number)] == [("fleet-bot", "second")]


def test_an_issue_that_got_a_label_is_found_seen_and_answered_once(forge: GitHubDesk) -> None:
    issue = forge._github.get_repo(REPO).create_issue("It breaks", "add(1, 2) is -1")
    issue.add_to_labels("fleet-bot:fix")
    [wanted] = forge.labelled(REPO, "fleet-bot:fix")
    assert (wanted.number, wanted.title, wanted.login) == (issue.number, "It breaks", "fleet-bot")
    with pytest.raises(ForgeError):
        forge.seen(REPO, issue.number)  # it has no reactions
    for text in ("going", "done"):
        forge.answer(REPO, issue.number, "<!-- mark -->", text)
    assert [said.body for said in forge.comments(REPO, issue.number)] == ["<!-- mark -->\ndone"]
    assert forge.issue(REPO, issue.number).text == "add(1, 2) is -1"
    assert forge.words(REPO, issue.number) == ("It breaks", "add(1, 2) is -1")


def test_who_may_do_what(forge: GitHubDesk) -> None:
    assert forge.access(REPO, "fleet-bot").permission in {"admin", "write"}
    assert forge.rights(REPO)["pull"]
    assert forge.has_label(REPO, "bug")
    assert forge.requests_left()[1] > 0


def test_an_app_gets_a_token_for_one_repository_and_makes_a_check_run(url: str) -> None:
    tokens = AppTokens(AppKey(id="4711", key=key_pair()[0]), api_url=url, server_url=url, clock=SystemClock())
    reading = GitHubForge(token=tokens.token(REPO, READING), api_url=url, server_url=url, clock=StillClock(), app=True)
    sha = reading.branch_head(REPO, "main") or ""
    with pytest.raises(ForgeError):
        reading.report(REPO, sha, passed=True, text="fine", url=None)
    writing = GitHubForge(token=tokens.token(REPO, WRITING), api_url=url, server_url=url, clock=StillClock(), app=True)
    assert writing.report(REPO, sha, passed=True, text="fine", url="https://ci.invalid/1")
    assert not writing.report(REPO, sha, passed=True, text="fine", url=None)
    assert writing.report(REPO, sha, passed=False, text="refused", url=None)
    with pytest.raises(ForgeError):
        writing.create_comment("acme/other", 1, "not for this token")
    for forge in (reading, writing):
        forge.close()
