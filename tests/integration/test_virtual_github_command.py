"""`fleet-bot virtual-github` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
import requests
import yaml
from forge_world import StillClock, commit

from bot.base.git import GitDir
from bot.forge.desk import GitHubDesk
from bot.forge.github import GitHubForge


@pytest.fixture
def start(fleet_bot, tmp_path):
    """Start it with further words; ended when the test is."""
    running = []

    def begin(*words):
        command = [*fleet_bot, "virtual-github", "--root", str(tmp_path / "github"), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_says_where_it_is_serves_and_ends_when_told(start, tmp_path, number, code):
    bare = GitDir.init(tmp_path / "github" / "acme" / "widget.git")
    bare.run("update-ref", "refs/heads/main", commit(bare, {"x": "y"}))
    bare.run("symbolic-ref", "HEAD", "refs/heads/main")
    process = start("--token", "secret", "--login", "me")
    place = json.loads(process.stdout.readline())
    assert set(place) == {"url", "api_url"}
    forge = GitHubForge(token="secret", api_url=place["api_url"], server_url=place["url"], clock=StillClock())
    assert (forge.login(), forge.facts("acme/widget").default_branch) == ("me", "main")
    forge.close()
    assert "acme/widget" in requests.get(place["url"], timeout=10).text
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (code, "", "")


def test_its_repositories_have_topics_and_a_second_person_sets_labels(start, tmp_path, fleet_bot):
    for name in ("widget", "website"):
        GitDir.init(tmp_path / "github" / "acme" / f"{name}.git")
    words = ("--topic", "acme/widget=fleet", "--topic", "acme/widget=python", "--person", "ada=secret")
    place = json.loads(start(*words).stdout.readline())
    environment = {
        "PATH": os.environ["PATH"],
        "GITHUB_TOKEN": "any",
        "GITHUB_API_URL": place["api_url"],
        "GITHUB_SERVER_URL": place["url"],
    }
    init = ["init", "--organisation", "acme", "--topic", "fleet", "--source", "acme/fleet-bot", "--pin", "0" * 40]
    subprocess.run([*fleet_bot, *init], cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    assert yaml.safe_load((tmp_path / "fleet.yaml").read_text(encoding="utf-8"))["plugins"] == [
        {"name": "widget", "repo": "acme/widget", "topics": ["fleet", "python"]}
    ]
    issues = f"{place['api_url']}/repos/acme/widget/issues"
    for address, body in ((issues, {"title": "It breaks"}), (f"{issues}/1/labels", {"labels": ["fleet-bot:fix"]})):
        answer = requests.post(address, json=body, headers={"Authorization": "Bearer secret"}, timeout=10)
        assert answer.ok, answer.text
    desk = GitHubDesk(token="any", api_url=place["api_url"], server_url=place["url"], clock=StillClock())
    (wanted,) = desk.labelled("acme/widget", "fleet-bot:fix")
    assert (wanted.login, wanted.bot, desk.access("acme/widget", "ada").permission) == ("ada", False, "write")
    desk.close()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--topic", "acme/nothing=fleet"), "acme/nothing is not in"),
        (("--topic", "../x=fleet"), "../x is not in"),
        (("--topic", "fleet"), "OWNER/NAME=WORD"),
        (("--person", "ada"), "LOGIN=TOKEN"),
    ],
)
def test_a_topic_or_a_person_that_is_none_is_a_matter_of_usage(start, words, why):
    process = start(*words)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (2, "")
    assert why in errors


def test_a_port_that_is_taken_is_a_matter_of_usage(start):
    first = start()
    port = json.loads(first.stdout.readline())["url"].rpartition(":")[2]
    second = start("--port", port)
    output, errors = second.communicate(timeout=20)
    assert (second.returncode, output) == (2, "")
    assert f"port {port} cannot be used" in errors


def test_a_root_that_is_a_file_is_a_matter_of_usage(start, tmp_path):
    (tmp_path / "github").write_text("")
    process = start()
    process.communicate(timeout=20)
    assert process.returncode == 2
