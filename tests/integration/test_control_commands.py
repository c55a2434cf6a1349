"""`init`, `doctor` and `status`, beside a virtual GitHub."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from app_keys import key_pair
from small_plugins import STAMP, pulls
from small_world import World

from bot.cli.init import origin_of
from bot.fleet.control import plugin_names
from bot.fleet.schema_words import NAME
from bot.forge.app import WRITING

PIN = "0123456789abcdef0123456789abcdef01234567"
BIN = Path(sys.executable).parent
BOT = Path(__file__).resolve().parents[2] / "bot"


def init(world: World, *words: str) -> Path:
    folder = world.folder / "control"
    done = world.plain("init", "--dir", str(folder), "--source", "acme/fleet-bot", "--pin", PIN, *words)
    assert done.code == 0, done.err
    return folder


def test_init_lists_an_organisations_repositories_with_a_topic(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"}, remote={"topics": ("fleet", "python")})
    world.plugin("b", {"README.md": "b\n"}, remote={"topics": ("other",)})
    world.plugin("old", {"README.md": "c\n"}, remote={"topics": ("fleet",), "archived": True})
    folder = init(world, "--organisation", "acme", "--topic", "fleet")
    fleet = yaml.safe_load((folder / "fleet.yaml").read_text(encoding="utf-8"))
    assert fleet["plugins"] == [{"name": "a", "repo": "acme/a", "topics": ["fleet", "python"]}]
    form = yaml.safe_load((folder / ".github" / "ISSUE_TEMPLATE" / "fix.yml").read_text(encoding="utf-8"))
    assert form["body"][0]["attributes"] == {"label": "Plugin", "options": ["a"]}
    assert world.plain("validate", "--manifest", str(folder / "fleet.yaml")).code == 0


def test_init_quotes_what_yaml_takes_for_something_else(world: World) -> None:
    names = ["123", "1e3", "true", "null", "_x", "x", ".github", "2026-11-26", "0x1F", "a..b.", "plain", "-"]
    for name in ["123", "1e3", "true", "null", "_x", "x", "plain", "2026-11-26"]:
        world.plugin(name, {"README.md": "a\n"}, remote={"topics": ("fleet", "2024", "on", "no", "1e3")})
    folder = init(world, "--organisation", "acme", "--topic", "fleet")
    assert world.plain("validate", "--manifest", str(folder / "fleet.yaml")).code == 0
    text = (folder / "fleet.yaml").read_text(encoding="utf-8")
    fleet = yaml.safe_load(text)
    assert [(plugin["name"], plugin["repo"]) for plugin in fleet["plugins"]] == [
        ("123", "acme/123"),
        ("1e3", "acme/1e3"),
        ("2026-11-26", "acme/2026-11-26"),
        ("x-2", "acme/_x"),
        ("null", "acme/null"),
        ("plain", "acme/plain"),
        ("true", "acme/true"),
        ("x", "acme/x"),
    ]
    assert all(plugin["topics"] == ["fleet", "2024", "on", "no", "1e3"] for plugin in fleet["plugins"])
    assert "  - name: plain\n    repo: acme/plain\n    topics: [fleet, " in text
    form = yaml.safe_load((folder / ".github" / "ISSUE_TEMPLATE" / "fix.yml").read_text(encoding="utf-8"))
    assert form["body"][0]["attributes"]["options"] == [plugin["name"] for plugin in fleet["plugins"]]
    found = plugin_names(names)
    assert found == ["123", "1e3", "true", "null", "x-2", "x", "github", "2026-11-26", "0x1F", "a.b", "plain", "plugin"]
    assert all(re.fullmatch(NAME, name) for name in found)


def test_what_init_writes_passes_the_linters_and_is_pinned(world: World) -> None:
    folder = init(world)
    workflows = sorted(map(str, (folder / ".github" / "workflows").glob("*.yml")))
    assert len(workflows) == 2
    for file in workflows:
        assert f"acme/fleet-bot/.github/workflows/campaign.yml@{PIN} # v" in Path(file).read_text(encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    zizmor = ["zizmor", "--offline", "--no-progress", "--strict-collection", "--persona", "pedantic", str(folder)]
    schema = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows]
    for words in (zizmor, schema, ["actionlint", "-no-color", *workflows]):
        if (BIN / words[0]).exists():
            done = subprocess.run([str(BIN / words[0]), *words[1:]], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


def test_init_overwrites_nothing(world: World) -> None:
    folder = init(world)
    (folder / "fleet.yaml").write_text("mine\n", encoding="utf-8")
    init(world)
    assert (folder / "fleet.yaml").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--pin", "v1", "--source", "acme/fleet-bot"), "no commit"),
        (("--pin", PIN, "--source", "x"), "no repository"),
        (("--pin", PIN, "--topic", "t"), "--organisation"),
        (("--pin", PIN, "--organisation", "acme", "--topic", "none"), "no repository with the topic"),
    ],
)
def test_init_says_what_is_wrong(world: World, words: tuple[str, ...], why: str) -> None:
    world.plugin("a", {"README.md": "a\n"})
    done = world.plain("init", "--dir", str(world.folder / "control"), *words)
    assert (done.code, why in done.err) == (2, True), done.err


def doctor(world: World, **env: str) -> dict[str, dict[str, Any]]:
    done = world.fleet_bot("doctor", "--json", "--control", "acme/a", env=env)
    assert (done.code == 0) == done.json["ok"]
    return {check["name"]: check for check in done.json["checks"]}


def test_the_doctor_names_what_is_missing_and_what_to_do(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    world.plugin("secret", {"README.md": "b\n"}, remote={"private": True})
    found = doctor(world)
    assert {name: check["state"] for name, check in found.items()} == {
        "fleet": "ok",
        "git": "ok",
        "sandbox": "ok",
        "model key": "ok",
        "token": "note",
        "limits": "ok",
        "acme/a": "ok",
        "acme/secret": "ok",
        "label": "missing",
    }
    assert "New label" in found["label"]["cure"]
    world.github.add_issue("acme/a", number=1, title="t", body="b", author="ada", labels=("fleet-bot:fix",))
    assert doctor(world)["label"]["state"] == "ok"


def test_the_doctor_tells_a_token_that_reads_from_one_that_sees_nothing(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    world.plugin("secret", {"README.md": "b\n"}, remote={"private": True})
    world.github.add_person("ghp_reader", "reader", permission="read")
    world.github.add_person("ghp_nobody", "nobody", permission="none")
    reader = doctor(world, GITHUB_TOKEN="ghp_reader")
    assert (reader["acme/a"]["state"], reader["acme/secret"]["state"]) == ("note", "note")
    nobody = doctor(world, GITHUB_TOKEN="ghp_nobody")
    assert (nobody["acme/a"]["state"], nobody["acme/secret"]["state"]) == ("note", "missing")
    assert doctor(world, GITHUB_TOKEN="")["token"]["state"] == "missing"
    assert doctor(world, GITHUB_TOKEN="ghp_wrong")["token"]["state"] == "missing"
    assert doctor(world, GEMINI_API_KEY="")["model key"]["state"] == "note"


def test_the_doctor_speaks_to_people_too_and_sees_loose_pins(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    folder = world.folder / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "x.yml").write_text("jobs: {a: {steps: [\n  uses: actions/checkout@v7\n]}}\n", encoding="utf-8")
    done = world.fleet_bot("doctor")
    assert done.code == 0, done.err
    assert "x.yml: not pinned by commit: actions/checkout@v7" in done.err


def test_the_status_follows_the_pull_requests(world: World) -> None:
    world.playbook("stamp", STAMP)
    for name in "abc":
        world.plugin(name, {"README.md": f"{name}\n"})
    world.run("stamp")
    pulls(world, "b")[0].edit(state="closed")
    done = world.fleet_bot("status", "--out", str(world.out), "--json")
    assert done.code == 0, done.err
    [campaign] = done.json["campaigns"]
    assert [(row["plugin"], row["state"]) for row in campaign["plugins"]] == [
        ("a", "draft"),
        ("b", "closed"),
        ("c", "draft"),
    ]
    shown = world.fleet_bot("status", campaign["campaign"], "--out", str(world.out))
    assert (shown.code, campaign["campaign"] in shown.err) == (0, True)


def test_the_status_of_what_is_not_there(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"README.md": "a\n"})
    assert world.fleet_bot("status", "--out", str(world.out)).code == 2
    world.run("stamp", "--dry-run")
    done = world.fleet_bot("status", "stamp-000000", "--out", str(world.out))
    assert (done.code, "There are: stamp-" in done.err) == (2, True)
    row = world.fleet_bot("status", "--out", str(world.out), "--json").json["campaigns"][0]["plugins"][0]
    assert (row["state"], json.dumps(row["url"])) == ("none", "null")


def test_init_takes_the_repository_that_this_code_came_from(world: World) -> None:
    words = ("init", "--dir", str(world.folder / "control"), "--pin", PIN)
    done = world.plain(*words, env={"GITHUB_ACTION_REPOSITORY": "acme/our-fleet-bot"})
    assert done.code == 0, done.err
    workflow = (world.folder / "control" / ".github" / "workflows" / "fix.yml").read_text(encoding="utf-8")
    assert f"uses: acme/our-fleet-bot/.github/workflows/campaign.yml@{PIN}" in workflow


def init_without_a_source(world: World, code: Path) -> None:
    """Run `init` of the code in a folder, which cannot tell where its workflows are: it asks, and writes nothing."""
    words = [sys.executable, "-m", "bot", "init", "--dir", str(world.folder / "control"), "--pin", PIN]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(code)}
    done = subprocess.run(words, cwd=code, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "Give --source OWNER/NAME" in done.stderr
    assert not (world.folder / "control").exists()


@pytest.fixture
def code(world: World) -> Path:
    """This program in a folder that is no checkout."""
    elsewhere = world.folder / "elsewhere"
    shutil.copytree(BOT, elsewhere / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    return elsewhere


def test_init_asks_for_the_repository_where_it_cannot_know_it(world: World, code: Path) -> None:
    init_without_a_source(world, code)


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        ("https://github.com/acme/bots.git", "acme/bots"),
        ("https://someone:secret@github.com/acme/bots", "acme/bots"),
        ("git@github.com:acme/bots.git", "acme/bots"),
        ("ssh://git@GitHub.com:22/acme/bots.git", "acme/bots"),
        ("https://gitlab.com/acme/bots.git", None),
        ("git@github.com.example.org:acme/bots.git", None),
        ("/srv/github.com/acme/bots", None),
        ("github.com/acme/bots", None),
        ("file:///srv/acme/bots.git", None),
        ("../acme/bots", None),
    ],
)
def test_only_an_origin_on_the_forge_says_where_the_workflows_are(origin: str, source: str | None) -> None:
    config = f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {origin}\n\tfetch = +refs/heads/*:refs/x/*\n'
    other = '[remote "mine"]\n\turl = https://github.com/me/mine\n'
    assert origin_of(other + config, "https://github.com") == source
    assert origin_of(other, "https://github.com") is None
    assert origin_of(config, "https://github.example.com") is None


def test_init_from_a_clone_of_a_folder_asks_for_the_repository(world: World, code: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(code)], check=True)
    subprocess.run(["git", "-C", str(code), "remote", "add", "origin", str(world.folder / "bots")], check=True)
    init_without_a_source(world, code)


def test_the_doctor_looks_where_an_app_is_installed(world: World) -> None:
    world.plugin("a", {"README.md": "a\n"})
    world.plugin("b", {"README.md": "b\n"})
    world.github.add_app("4711", "fleet-app", key_pair()[1], ("acme/a",), dict(WRITING))
    app = {"FLEET_BOT_APP_ID": "4711", "FLEET_BOT_APP_PRIVATE_KEY": key_pair()[0], "GITHUB_TOKEN": "", "GH_TOKEN": ""}
    found = doctor(world, **app)
    assert found["acme/a"]["state"] == "ok"
    assert (found["acme/b"]["state"], "Install App" in found["acme/b"]["cure"]) == ("missing", True)
    assert (found["token"]["what"], found["limits"]["state"]) == ("a GitHub App, 4711", "ok")
    assert (found["label"]["state"], "New label" in found["label"]["cure"]) == ("missing", True)
    world.github.add_issue("acme/a", number=1, title="t", body="b", author="ada", labels=("fleet-bot:fix",))
    assert doctor(world, **app)["label"]["state"] == "ok"


def test_an_app_that_is_not_installed_on_the_control_repository_is_a_note(world: World) -> None:
    world.plugin("b", {"README.md": "b\n"})
    world.github.add_repository("acme/a", default_branch="main")
    world.github.add_app("4711", "fleet-app", key_pair()[1], ("acme/b",), dict(WRITING))
    app = {"FLEET_BOT_APP_ID": "4711", "FLEET_BOT_APP_PRIVATE_KEY": key_pair()[0], "GITHUB_TOKEN": "", "GH_TOKEN": ""}
    found = doctor(world, **app)
    assert (found["label"]["state"], "Install App" in found["label"]["cure"]) == ("note", True)
    assert (found["acme/b"]["state"], found["limits"]["state"]) == ("ok", "ok")


@pytest.mark.parametrize(
    ("token", "kind", "cannot"),
    [
        ("github_pat_x", "a fine-grained token of ada", "without Workflows: write"),
        ("ghp_x", "a classic token of ada", "without the scope workflow"),
        ("ghs_x", "the token of a workflow or an App of ada", "start CI on its pull requests"),
        ("gho_x", "the token of an OAuth app of ada", "without the scope workflow"),
        ("x", "a token of ada", "more than its owner"),
    ],
)
def test_the_doctor_says_what_a_kind_of_token_can_and_cannot(world: World, token: str, kind: str, cannot: str) -> None:
    world.plugin("a", {"README.md": "a\n"})
    world.github.add_person(token, "ada", app=token.startswith("ghs_"))
    found = doctor(world, GITHUB_TOKEN=token)["token"]
    assert found["what"] == kind
    assert found["notes"][0].startswith("It can ")
    assert found["notes"][1].startswith("It cannot ")
    assert cannot in found["notes"][1]
    assert found["notes"][1] in " ".join(world.fleet_bot("doctor", env={"GITHUB_TOKEN": token}).err.split())
