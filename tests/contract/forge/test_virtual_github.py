"""The virtual GitHub on the wire: what GitHub's description says, what it refuses, and git over HTTP.

The fixture holds every exchange to GitHub's OpenAPI description, so a test here only has to make it happen.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from forge_world import StillClock, commit, plain_git

from bot.base.errors import ConfigurationError
from bot.base.git import GitDir
from bot.virtual.github.faults import Fault
from bot.virtual.github.server import VirtualGitHub

TOKEN = "ghp_ours0000000000000000000000000000000"
HOME = "/repos/acme/widget"


class Api:
    """GitHub by its REST API, as a person or a program."""

    def __init__(self, url, token=TOKEN):
        self.url, self.session = url, requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method, path, body=None, **given):
        return self.session.request(method, self.url + path, json=body, timeout=10, **given)


@pytest.fixture
def world(github_world):
    return github_world


@pytest.fixture
def github(world):
    return world.github


@pytest.fixture
def api(github):
    made = Api(github.api_url)
    yield made
    made.session.close()


@pytest.fixture
def pulled(world, api):
    """A branch `fix/x` and a pull request, number 1."""
    world.forge.push("acme/widget", world.objects.path, world.change(), "fix/x", None)
    assert api("POST", f"{HOME}/pulls", {"title": "T", "head": "fix/x", "base": "main", "body": "B"}).status_code == 201
    return world


def http_url(world, token=TOKEN, tail="acme/widget.git"):
    return world.github.url.replace("://", f"://x-access-token:{token}@") + f"/{tail}"


# What is described


def test_every_route_answers_as_github_describes(pulled, api, github):
    sha = pulled.head("fix/x")
    github.add_artifact("acme/widget", run=5, name="traces-1.html", text="<!doctype html>")
    calls = [
        ("GET", "/user", None, 200),
        ("GET", "/rate_limit", None, 200),
        ("GET", HOME, None, 200),
        ("GET", f"{HOME}/branches", None, 200),
        ("GET", f"{HOME}/branches/fix/x", None, 200),
        ("GET", f"{HOME}/branches/none", None, 404),
        ("GET", f"{HOME}/collaborators/fleet-bot/permission", None, 200),
        ("GET", f"{HOME}/collaborators/stranger/permission", None, 200),
        ("GET", f"{HOME}/git/ref/heads/fix/x", None, 200),
        ("GET", "/orgs/acme/repos?type=all&sort=full_name&per_page=1", None, 200),
        ("GET", "/orgs/nobody/repos", None, 404),
        ("GET", f"{HOME}/git/ref/heads/fix", None, 404),
        ("GET", f"{HOME}/git/matching-refs/heads/fix", None, 200),
        ("POST", f"{HOME}/issues", {"title": "I", "labels": ["bug"]}, 201),
        ("GET", f"{HOME}/issues", None, 200),
        ("GET", f"{HOME}/issues?state=all&labels=bug&sort=updated&direction=asc&creator=fleet-bot", None, 200),
        ("GET", f"{HOME}/issues/2", None, 200),
        ("GET", f"{HOME}/issues/1", None, 200),
        ("GET", f"{HOME}/issues/9", None, 404),
        ("PATCH", f"{HOME}/issues/2", {"state": "closed", "state_reason": "not_planned", "labels": ["a", "b"]}, 200),
        ("PATCH", f"{HOME}/issues/2", {"state": "open"}, 200),
        ("GET", f"{HOME}/issues/2/events", None, 200),
        ("POST", f"{HOME}/issues/2/reactions", {"content": "eyes"}, 201),
        ("POST", f"{HOME}/issues/2/reactions", {"content": "eyes"}, 200),
        ("POST", f"{HOME}/issues/2/reactions", {"content": "shrug"}, 422),
        ("POST", f"{HOME}/issues/2/comments", {"body": "hi"}, 201),
        ("GET", f"{HOME}/issues/2/comments?since=2020-01-01T00:00:00Z", None, 200),
        ("POST", f"{HOME}/labels", {"name": "new", "color": "ff0000", "description": "d"}, 201),
        ("POST", f"{HOME}/labels", {"name": "NEW"}, 422),
        ("POST", f"{HOME}/labels", {"name": "x", "color": "red"}, 422),
        ("POST", f"{HOME}/labels", {"name": "x" * 51}, 422),
        ("GET", f"{HOME}/labels", None, 200),
        ("POST", f"{HOME}/issues/1/labels", {"labels": ["new", {"name": "more"}]}, 200),
        ("DELETE", f"{HOME}/issues/1/labels/more", None, 200),
        ("DELETE", f"{HOME}/issues/1/labels/more", None, 404),
        ("GET", f"{HOME}/pulls?state=all&sort=updated", None, 200),
        ("GET", f"{HOME}/pulls?base=main", None, 200),
        ("GET", f"{HOME}/pulls/1", None, 200),
        ("GET", f"{HOME}/pulls/2", None, 404),
        ("PATCH", f"{HOME}/pulls/1", {"title": "T2", "maintainer_can_modify": True, "base": "main"}, 200),
        ("PATCH", f"{HOME}/pulls/1", {"base": "none"}, 422),
        ("PATCH", f"{HOME}/pulls/1", {"state": "half"}, 422),
        ("POST", f"{HOME}/pulls/1/requested_reviewers", {"reviewers": ["alice"], "team_reviewers": ["core"]}, 201),
        ("POST", f"{HOME}/pulls/1/requested_reviewers", {"reviewers": ["fleet-bot"]}, 422),
        ("POST", f"{HOME}/statuses/{sha}", {"state": "pending", "context": "fleet-bot"}, 201),
        ("POST", f"{HOME}/statuses/{sha}", {"state": "success", "context": "fleet-bot"}, 201),
        ("POST", f"{HOME}/statuses/{sha}", {"state": "great"}, 422),
        ("POST", f"{HOME}/statuses/{'0' * 40}", {"state": "success"}, 422),
        ("GET", f"{HOME}/commits/fix/x/status", None, 200),
        ("GET", f"{HOME}/commits/{'0' * 40}/status", None, 422),
        ("GET", f"{HOME}/actions/runs/5/artifacts?name=traces-1.html&per_page=100", None, 200),
        ("GET", f"{HOME}/actions/runs/6/artifacts", None, 404),
        ("GET", f"{HOME}/actions/runs/5?exclude_pull_requests=true", None, 200),
        ("GET", f"{HOME}/actions/runs/6", None, 404),
        # What only Apps may do; what they get is in test_app.py.
        ("GET", f"{HOME}/commits/{sha}/check-runs", None, 200),
        ("POST", f"{HOME}/check-runs", {"name": "x", "head_sha": sha, "status": "completed"}, 403),
        ("GET", f"{HOME}/installation", None, 401),
        ("POST", "/app/installations/7000/access_tokens", {"repositories": ["widget"]}, 401),
        ("PUT", f"{HOME}/pulls/1/merge", {"sha": "0" * 40}, 409),
        ("PUT", f"{HOME}/pulls/1/merge", {"merge_method": "squash", "commit_title": "Squashed"}, 200),
        ("PUT", f"{HOME}/pulls/1/merge", None, 405),
        ("PATCH", f"{HOME}/pulls/1", {"state": "open"}, 422),
        ("GET", f"{HOME}/pulls/1", None, 200),
    ]
    for method, path, body, status in calls:
        answer = api(method, path, body)
        assert answer.status_code == status, (method, path, answer.text)
    comment = api("GET", f"{HOME}/issues/2/comments").json()[0]["id"]
    for method, body, status in (
        ("GET", None, 200),
        ("PATCH", {"body": "ho"}, 200),
        ("DELETE", None, 204),
        ("GET", None, 404),
    ):
        assert api(method, f"{HOME}/issues/comments/{comment}", body).status_code == status
    assert pulled.bare.text("log", "-1", "--format=%s", "main") == "Squashed"
    seen = {(e.method, github.rest._router.find(e.method, e.path.removeprefix("/api/v3").partition("?")[0])[0].template)
            for e in github.requests if e.path.startswith("/api/v3/")}  # fmt: skip
    assert seen == {(route.method, route.template) for _, route in github.rest._router._routes}


def test_an_empty_repository_has_no_git_data(github, api):
    github.add_repository("acme/empty", default_branch="trunk")
    assert api("GET", "/repos/acme/empty").json()["default_branch"] == "trunk"
    assert api("GET", "/repos/acme/empty/branches").json() == []
    assert api("GET", "/repos/acme/empty/git/ref/heads/trunk").status_code == 409


def test_a_list_comes_in_pages_with_links(api, github):
    for number in range(5):
        api("POST", f"{HOME}/issues", {"title": f"issue {number}"})
    first = api("GET", f"{HOME}/issues?per_page=2&state=all")
    assert [issue["number"] for issue in first.json()] == [5, 4]
    assert set(first.links) == {"next", "last"}
    second = requests.get(first.links["next"]["url"], headers=api.session.headers, timeout=10)
    assert [issue["number"] for issue in second.json()] == [3, 2]
    assert set(second.links) == {"prev", "next", "last", "first"}
    last = requests.get(second.links["last"]["url"], headers=api.session.headers, timeout=10)
    assert ([issue["number"] for issue in last.json()], set(last.links)) == ([1], {"prev", "first"})


def test_mergeable_says_whether_the_branches_conflict(pulled, api):
    assert api("GET", f"{HOME}/pulls/1").json()["mergeable"] is True
    rival = commit(pulled.bare, {"README.md": "hello\n", "a.txt": "rival\n"}, pulled.base)
    pulled.bare.run("update-ref", "refs/heads/main", rival)
    shown = api("GET", f"{HOME}/pulls/1").json()
    assert (shown["mergeable"], shown["mergeable_state"]) == (False, "dirty")
    assert api("PUT", f"{HOME}/pulls/1/merge").status_code == 405


def test_a_pull_request_counts_what_it_brings(pulled, api):
    shown = api("GET", f"{HOME}/pulls/1").json()
    assert [shown[key] for key in ("commits", "changed_files", "additions", "deletions")] == [1, 1, 1, 0]
    assert pulled.bare.text("rev-parse", "refs/pull/1/head") == shown["head"]["sha"]


def test_a_head_that_goes_back_into_the_base_closes_its_pull_request(pulled, api):
    pulled.bare.run("update-ref", "refs/heads/fix/x", pulled.base)
    shown = api("GET", f"{HOME}/pulls/1").json()
    assert (shown["state"], shown["merged"]) == ("closed", False)


def test_a_pull_request_whose_branch_is_gone_cannot_be_reopened(pulled, api):
    pulled.bare.run("update-ref", "-d", "refs/heads/fix/x")
    assert api("GET", f"{HOME}/pulls/1").json()["state"] == "closed"
    answer = api("PATCH", f"{HOME}/pulls/1", {"state": "open"})
    assert "was deleted" in answer.json()["errors"][0]["message"]


def test_histories_without_a_common_commit_make_no_pull_request(world, api):
    world.bare.run("update-ref", "refs/heads/alien", commit(world.bare, {"x": "y"}))
    answer = api("POST", f"{HOME}/pulls", {"title": "T", "head": "alien", "base": "main"})
    assert "no history in common" in answer.json()["errors"][0]["message"]


# What is refused


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"title": "T", "head": "fix/x", "base": "main", "reviewers": []}, '"reviewers" is not a permitted key'),
        ({"title": 7, "head": "fix/x", "base": "main"}, "not a string"),
        ({"title": "T", "head": "fix/x", "base": "main", "draft": "yes"}, "not a boolean"),
        ({"title": "T", "head": "fix/x"}, '"base" wasn\'t supplied'),
        ({"head": "fix/x", "base": "main"}, "missing_field"),
        ({"title": " ", "head": "fix/x", "base": "main"}, "missing_field"),
        ({"title": "T", "head": "other:fix/x", "base": "main"}, "invalid"),
        ({"title": "T", "head": "fix/x", "base": "none"}, "invalid"),
    ],
)
def test_a_body_that_does_not_fit_is_a_422(pulled, api, body, words):
    answer = api("POST", f"{HOME}/pulls", body)
    assert answer.status_code == 422
    assert words in json.dumps(answer.json()).replace('\\"', '"')


@pytest.mark.parametrize(("data", "words"), [(b"{", "Problems parsing JSON"), (b"[]", "should be a JSON object")])
def test_a_body_that_is_no_object_is_a_400(api, data, words):
    answer = api.session.post(f"{api.url}{HOME}/issues", data=data, timeout=10)
    assert (answer.status_code, words in answer.text) == (400, True)


@pytest.mark.parametrize("labels", [7, [7], {"labels": None}])
def test_labels_that_are_none_are_a_422(pulled, api, labels):
    assert api("POST", f"{HOME}/issues/1/labels", labels).status_code == 422


def test_a_blank_comment_is_a_422_and_none_without_a_body(pulled, api):
    for body in ({"body": " "}, {}):
        assert api("POST", f"{HOME}/issues/1/comments", body).status_code == 422
    assert api("POST", f"{HOME}/issues/1/comments").status_code == 422


def test_what_github_does_not_know_is_recorded(api, github):
    assert api("GET", "/repos/acme/widget/wiki").status_code == 404
    assert api("GET", f"{HOME}/labels?colour=red").status_code == 200
    assert github.violations == (
        "GET /repos/acme/widget/wiki: no such route",
        "GET /repos/{owner}/{repo}/labels: no query parameter 'colour'",
    )
    github.rest.violations.clear()
    github.requests.clear()


def test_who_may_not_write_can_read(github):
    github.add_person("reader", "reader", permission="read")
    reader = Api(github.api_url, "reader")
    assert reader("GET", HOME).json()["permissions"]["push"] is False
    assert reader("POST", f"{HOME}/issues", {"title": "x"}).status_code == 403
    assert reader("GET", f"{HOME}/collaborators/alice/permission").status_code == 403
    nobody = Api(github.api_url, None)
    assert nobody("POST", f"{HOME}/issues", {"title": "x"}).status_code == 401
    assert nobody("GET", f"{HOME}/collaborators/alice/permission").status_code == 404
    assert nobody("GET", "/user").status_code == 401
    assert Api(github.api_url, "wrong")("GET", HOME).json()["message"] == "Bad credentials"
    basic = requests.get(f"{github.api_url}/user", auth=("x-access-token", TOKEN), timeout=10)
    assert basic.json()["login"] == "fleet-bot"
    broken = requests.get(f"{github.api_url}/user", headers={"Authorization": "Basic %%%"}, timeout=10)
    assert broken.status_code == 401


def test_the_viewer_is_all_that_graphql_knows(github):
    url = github.api_url.replace("/api/v3", "/api/graphql")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"query": "query { viewer { login } }", "variables": {}}
    assert requests.post(url, json=body, headers=headers, timeout=10).json()["data"]["viewer"]["login"] == "fleet-bot"
    assert requests.post(url, json=body, timeout=10).status_code == 401
    assert "errors" in requests.post(url, json=body | {"query": "{ x }"}, headers=headers, timeout=10).json()
    github.rest.violations.clear()


def test_headers_say_what_is_left_and_in_the_end_nothing_is(tmp_path):
    clock = StillClock()
    with VirtualGitHub(tmp_path, token=TOKEN, login="me", rate_limit=3, clock=clock) as github:
        api = Api(github.api_url)
        left = [api("GET", "/user").headers["X-RateLimit-Remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = api("GET", "/user")
        assert (refused.status_code, refused.json()["message"]) == (403, "API rate limit exceeded for user ID 1.")
        assert int(refused.headers["X-RateLimit-Reset"]) > clock.now()
        assert api("GET", "/rate_limit").json()["rate"]["remaining"] == 0
        clock.sleep(3600)
        assert api("GET", "/user").status_code == 200


def test_a_request_has_a_user_agent_and_a_version_that_is_known(api):
    assert api("GET", "/user", headers={"User-Agent": ""}).status_code == 403
    answer = api("GET", "/user", headers={"X-GitHub-Api-Version": "1999-01-01"})
    assert (answer.status_code, "not supported" in answer.text) == (400, True)


def test_a_head_request_is_a_get_without_its_body(api):
    answer = api("HEAD", HOME)
    assert (answer.status_code, answer.text) == (200, "")
    assert int(answer.headers["Content-Length"]) > 1000


def test_another_host_name_is_turned_away(github):
    answer = requests.get(github.url, headers={"Host": "evil.example:80"}, timeout=10)
    assert answer.status_code == 421


@pytest.mark.parametrize("head", ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Content-Length: x\r\n\r\n"])
def test_a_malformed_request_ends_its_connection_and_nothing_else(github, head):
    import socket

    with socket.create_connection(("127.0.0.1", int(github.url.rpartition(":")[2]))) as raw:
        raw.sendall(f"POST /api/v3/user HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}".encode())
        assert raw.makefile("rb").readline().split()[1] == b"400"
    assert requests.get(github.url, timeout=10).status_code == 200


def test_a_body_that_is_far_too_large_is_refused(api):
    assert api.session.post(f"{api.url}/user", data=b"x" * ((1 << 22) + 1), timeout=30).status_code == 413


# Git


def test_git_speaks_every_version_of_its_protocol(world, tmp_path):
    for version in "012":
        place = tmp_path / f"clone{version}"
        done = plain_git("-c", f"protocol.version={version}", "clone", "-q", http_url(world), str(place))
        assert done.returncode == 0, done.stderr
        assert (place / "README.md").read_text() == "hello\n"


def test_a_partial_and_a_shallow_clone_work(world, tmp_path):
    for option in ("--filter=blob:none", "--depth=1"):
        assert plain_git("clone", "-q", option, http_url(world), str(tmp_path / option)).returncode == 0


def test_a_repository_is_served_with_and_without_its_ending(world):
    for tail in ("acme/widget", "acme/widget.git", "acme/widget.git/"):
        assert plain_git("ls-remote", http_url(world, tail=tail)).returncode == 0


def test_a_large_push_goes_through_in_chunks(world, tmp_path):
    work = tmp_path / "work"
    plain_git("clone", "-q", http_url(world), str(work))
    (work / "big").write_bytes(os.urandom(3_000_000))
    plain_git("add", ".", cwd=work)
    plain_git("commit", "-qm", "big", cwd=work)
    done = plain_git("push", "-q", "origin", "HEAD:refs/heads/big", cwd=work)
    assert done.returncode == 0, done.stderr
    assert world.bare.text("cat-file", "-s", "big:big") == "3000000"


def test_a_compressed_request_is_read(world):
    body = gzip.compress(b"0000")
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-git-upload-pack-request"}
    url = f"{world.github.url}/acme/widget/git-upload-pack"
    assert requests.post(url, data=body, headers=headers, timeout=10).status_code == 200
    world.github.add_repository("acme/widget", default_branch="main", refuse_push=True)
    ours = gzip.compress(b"00000000")
    url, auth = f"{world.github.url}/acme/widget.git/git-receive-pack", ("x-access-token", TOKEN)
    answer = requests.post(url, data=ours, headers={"Content-Encoding": "gzip"}, auth=auth, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_default_branch_and_hidden_refs_are_not_for_pushing(pulled):
    url = http_url(pulled)
    for refspec in (":refs/heads/main", f"{pulled.base}:refs/pull/1/head"):
        done = plain_git("--git-dir", str(pulled.objects.path), "push", url, refspec)
        assert done.returncode != 0
        assert "remote rejected" in done.stderr
    assert plain_git("--git-dir", str(pulled.objects.path), "push", url, ":refs/heads/fix/x").returncode == 0


def test_hooks_of_a_served_repository_never_run(world, tmp_path):
    hooks = world.bare.path / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    world.forge.push("acme/widget", world.objects.path, world.change(), "fix/x", None)
    assert not (tmp_path / "ran").exists()


def test_a_rule_declines_every_ref_of_a_push(world):
    world.github.add_repository("acme/widget", default_branch="main", refuse_push=True)
    base = world.base
    words = ["push", http_url(world), f"{base}:refs/heads/a", f"{base}:refs/heads/b"]
    done = plain_git("--git-dir", str(world.objects.path), *words)
    assert done.stderr.count("! [remote rejected]") == 2
    assert done.stderr.count("GH013: Repository rule violations found for refs/heads/") == 2


def test_what_is_no_smart_protocol_is_refused(world):
    for path in ("info/refs", "info/refs?service=git-evil", "git-upload-pack"):
        assert requests.get(f"{world.github.url}/acme/widget.git/{path}", timeout=10).status_code == 403
    assert requests.get(f"{world.github.url}/acme/widget.git/HEAD", timeout=10).status_code == 404


@pytest.mark.parametrize("name", ["acme/gone", "..%2f..%2fetc/x", "acme/..", "acme/wid%00get", "a_b/c"])
def test_what_is_no_repository_is_not_found(github, name):
    answer = requests.get(f"{github.url}/{name}.git/info/refs?service=git-upload-pack", timeout=10)
    assert answer.status_code in {401, 404}
    assert Api(github.api_url)("GET", f"/repos/{name}").status_code == 404
    github.rest.violations.clear()
    github.requests.clear()


def test_an_archived_repository_tells_a_push_so(world):
    world.github.add_repository("acme/widget", default_branch="main", archived=True)
    done = plain_git("--git-dir", str(world.objects.path), "push", http_url(world), f"{world.base}:refs/heads/x")
    assert "archived so it is read-only" in done.stderr
    assert "error: 403" in done.stderr


# What stays


def test_everything_is_found_again_after_a_start(tmp_path):
    with VirtualGitHub(tmp_path, token=TOKEN, login="me") as github:
        github.add_repository("acme/widget", default_branch="main", private=True, drafts=False)
        for _ in range(2):
            github.add_issue("acme/widget", number=7, title="T", body="B", author="alice", labels=("bug",))
        old = github.url
        api = Api(github.api_url)
        api("POST", f"{HOME}/issues/7/comments", {"body": "hi"})
        before = (api("GET", f"{HOME}/issues/7").text, api("GET", f"{HOME}/issues/7/comments").text)
    with VirtualGitHub(tmp_path, token=TOKEN, login="me") as github:
        api = Api(github.api_url)
        after = (api("GET", f"{HOME}/issues/7").text, api("GET", f"{HOME}/issues/7/comments").text)
        assert after == tuple(text.replace(old, github.url) for text in before)
        assert api("POST", f"{HOME}/issues", {"title": "next"}).json()["number"] == 8
        ids = {label["id"] for label in api("GET", f"{HOME}/labels").json()}
        assert api("GET", f"{HOME}/issues/8").json()["id"] not in ids


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "widget.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"widget\.json"):
        VirtualGitHub(tmp_path, token=TOKEN, login="me")


def test_a_bare_repository_that_appears_is_served(world):
    bare = GitDir.init(world.bare.path.parent.parent / "other" / "new.git")
    bare.run("update-ref", "refs/heads/main", commit(bare, {"x": "y"}))
    bare.run("symbolic-ref", "HEAD", "refs/heads/main")
    assert plain_git("ls-remote", http_url(world, tail="other/new.git")).returncode == 0
    assert Api(world.github.api_url)("GET", "/repos/other/new").json()["default_branch"] == "main"


def test_without_a_token_of_its_own_it_takes_any(tmp_path):
    with VirtualGitHub(tmp_path, token=None, login="me") as github:
        assert Api(github.api_url, "whatever")("GET", "/user").json()["login"] == "me"
        assert Api(github.api_url, None)("GET", "/user").status_code == 401


def test_many_at_once_lose_nothing(pulled, github):
    def say(number):
        return Api(github.api_url)("POST", f"{HOME}/issues/1/comments", {"body": str(number)}).json()["id"]

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(say, range(40)))
    assert len(set(ids)) == 40
    found = Api(github.api_url)("GET", f"{HOME}/issues/1/comments?per_page=100").json()
    assert sorted(int(comment["body"]) for comment in found) == list(range(40))


# Faults and the end


def test_a_fault_acts_on_the_chosen_requests_only(api, github):
    github.faults.add(Fault(method="GET", path="/user", nth=2, times=2, status=500))
    assert [api("GET", "/user").status_code for _ in range(4)] == [200, 500, 500, 200]
    github.faults.add(Fault(path="*", status=503, times=9))
    github.faults.clear()
    assert api("GET", "/user").status_code == 200


def test_a_fault_after_the_effect_loses_only_the_answer(pulled, api, github):
    github.faults.add(Fault(method="POST", path="*/comments", after=True, status=504))
    assert api("POST", f"{HOME}/issues/1/comments", {"body": "hi"}).status_code == 504
    assert len(api("GET", f"{HOME}/issues/1/comments").json()) == 1


def test_a_silent_connection_ends_with_the_server(tmp_path):
    with VirtualGitHub(tmp_path, token=TOKEN, login="me") as github:
        github.faults.add(Fault(path="/user", kind="hang", seconds=60))
        connection = http.client.HTTPConnection("127.0.0.1", int(github.url.rpartition(":")[2]))
        connection.request("GET", "/api/v3/user", headers={"Authorization": f"Bearer {TOKEN}"})
        began = time.monotonic()
    assert time.monotonic() - began < 5
    with pytest.raises(ConnectionError):
        connection.getresponse()
    connection.close()


def test_an_idle_connection_does_not_hold_the_server_up(tmp_path):
    with VirtualGitHub(tmp_path, token=TOKEN, login="me") as github:
        api = Api(github.api_url)
        api("GET", "/user")
        began = time.monotonic()
    assert time.monotonic() - began < 2
    api.session.close()
