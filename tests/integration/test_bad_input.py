"""Bad input: a clear error that a person can act upon, the exit code of the contract, nothing lost, no secret shown."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_playbooks import EDIT
from small_world import KEY, TOKEN, Done, World

from bot.virtual.github.faults import Fault

STAMP = """
    ---
    id: stamp
    version: 1.0.0
    summary: Put a stamp into every plugin.
    mode: script
    script: printf '%s\\n' "$VAR_TEXT" > STAMP
    variables:
      text: {type: string, description: What the stamp says.}
    pull_request: {title: Stamp, body: A stamp.}
    ---
    """
SLEEP = """
    rules:
      - {when: {step: 0}, calls: [{edit_file: {path: a, old: old, new: new}}, {run_shell_command: {command: "env; sleep 0.5"}}]}
      - {say: Done.}
    """


def clear(done: Done, code: int, *words: str) -> str:
    """What every bad end has to hold; returns what was said."""
    said = done.err + done.out
    assert done.code == code, said
    assert "Traceback" not in said
    assert KEY not in said
    assert TOKEN not in said
    for word in words:
        assert word in said, said
    return said


def manifest(world: World, text: str) -> str:
    file = world.folder / "fleet.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


# What is wrong before anything starts: exit 2, and nothing is written.


def test_no_manifest(world: World) -> None:
    done = world.plain("run", "stamp", "--manifest", str(world.folder / "fleet.yaml"))
    clear(done, 2, "fleet.yaml", "there is no such file", "--manifest")


def test_broken_yaml_and_unknown_keys_are_all_told_with_file_and_line(world: World) -> None:
    broken = manifest(world, "version: 1\nplugins:\n  - {name: a, repo: acme/a\n")
    clear(world.plain("run", "stamp", "--manifest", broken), 2, "fleet.yaml:", "no YAML")
    unknown = manifest(world, "version: 1\ncolour: red\nplugins:\n  - {name: a, repo: acme/a, tset: pytest}\n")
    said = clear(world.plain("validate", "--manifest", unknown), 2, "fleet.yaml:2:", "colour", "fleet.yaml:4:", "tset")
    assert "test" in said.partition("tset")[2]


def test_unknown_plugin_playbook_and_variable_say_what_there_is(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("widget", {"a": "a\n"})
    clear(world.run("stampp", "--var", "text=x"), 2, "no playbook stampp", "Did you mean stamp?")
    clear(world.run("stamp", "widgte", "--var", "text=x"), 2, "widgte", "did you mean widget?")
    clear(world.run("stamp", "--var", "txt=x"), 2, "txt", "text")
    clear(world.run("stamp"), 2, "text", "--var")
    clear(world.run("stamp", "--var", "text"), 2, "--var text", "NAME=VALUE")
    assert not world.out.exists()


def test_a_missing_key_names_all_four_ways(world: World) -> None:
    world.playbook("edit", EDIT)
    world.plugin("a", {"a": "old\n"})
    said = clear(world.run("edit", env={"GEMINI_API_KEY": ""}), 2, "There is no key for the model.")
    for way in ("--api-key KEY", "in the file .env beside fleet.yaml", "environment variable GEMINI_API_KEY", "~/.env"):
        assert way in said


# What goes wrong out there: exit 1, or 2 where no task could succeed.


def test_a_repository_that_does_not_exist_stops_only_itself(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"a": "a\n"})
    world.entries.insert(0, {"name": "nowhere", "repo": "acme/nowhere"})
    world.entries.insert(0, {"name": "no-folder", "repo": str(world.folder / "nowhere")})
    done = world.run("stamp", "--var", "text=x")
    clear(done, 1)
    assert done.json["totals"] == {"changed": 1, "error": 2}
    assert "acme/nowhere" in done.task("nowhere")["reason"]
    assert "fleet.yaml" in done.task("nowhere")["reason"]
    assert "is not there" in done.task("no-folder")["reason"]


def test_a_wrong_token(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"a": "a\n"})
    done = world.run("stamp", "--var", "text=x", env={"GITHUB_TOKEN": "ghp_" + "wr0ng" * 7 + "y"})
    said = clear(done, 2, "token", "GITHUB_TOKEN")
    assert "wr0ng" not in said


def test_a_token_that_may_only_read(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"a": "a\n"})
    world.github.add_person("ghp_reader", "reader", permission="read")
    done = world.run("stamp", "--var", "text=x", env={"GITHUB_TOKEN": "ghp_reader"})
    clear(done, 1)
    assert done.task("a")["outcome"] == "error"
    assert "write access" in done.task("a")["reason"]
    again = world.fleet_bot("publish", str(world.out), "--json")
    assert again.json["totals"] == {"changed": 1}, again.err


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("status: 401", "refused the key"),
        ("status: 403", "may not use this model"),
        ("status: 404", "does not know it"),
    ],
)
def test_a_refused_key_ends_the_campaign_with_finished_work_intact(world: World, rule: str, words: str) -> None:
    world.playbook("edit", EDIT)
    for name in "ab":
        world.plugin(name, {"a": "old\n"})
    world.script("a", "edit", SLEEP)
    world.script("b", "edit", f"rules: [{{{rule}}}]")
    done = world.fleet_bot("propose", "edit", "--out", str(world.out), "--json", "--jobs", "1")
    clear(done, 2, words, "Check")
    [kept] = world.out.glob("*/*/proposal.json")
    assert json.loads(kept.read_text(encoding="utf-8"))["outcome"] == "changed"


def test_a_key_that_the_provider_does_not_know(world: World) -> None:
    world.playbook("edit", EDIT)
    world.plugin("a", {"a": "old\n"})
    wrong = "AIza" + "wr0ng" * 7
    said = clear(world.run("edit", env={"GEMINI_API_KEY": wrong}), 2, "refused the key", "--api-key", ".env")
    assert wrong not in said


def test_a_push_that_the_server_breaks_off_can_be_published_later(world: World) -> None:
    world.playbook("stamp", STAMP)
    world.plugin("a", {"a": "a\n"})
    world.github.faults.add(Fault(path="*/git-receive-pack", status=500, times=9))
    done = world.run("stamp", "--var", "text=x")
    clear(done, 1)
    assert done.task("a")["outcome"] == "error"
    world.github.faults.clear()
    assert world.fleet_bot("publish", str(world.out), "--json").json["totals"] == {"changed": 1}


def test_a_folder_without_proposals(world: World) -> None:
    world.playbook("stamp", STAMP)
    clear(world.fleet_bot("publish", str(world.folder / "nothing")), 2, "is no folder", "propose --out")
    world.out.mkdir()
    clear(world.fleet_bot("publish", str(world.out)), 2, "no proposal")


# A disk that is full.


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def limited(world: World, *words: str) -> Done:
    """In a process whose files may have 20,000 bytes at most."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bot", *world.words(*words)],
        env=dict(os.environ) | world.environ,
        cwd=world.folder,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=small_files,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_file_that_cannot_be_written_is_an_outcome_and_a_second_run_goes_on(world: World) -> None:
    world.playbook("stamp", STAMP.replace("printf", "seq 20000; printf").replace("text: {", "text: {default: x, "))
    world.plugin("a", {"a": "a\n"})
    done = limited(world, "run", "stamp", "--out", str(world.out), "--json")
    clear(done, 1)
    assert done.task("a")["outcome"] == "error"
    assert "cannot be written" in done.task("a")["reason"]
    assert "Make room" in done.task("a")["reason"]
    assert world.run("stamp").json["totals"] == {"changed": 1}


@pytest.mark.skipif(
    os.geteuid() != 0
    or shutil.which("unshare") is None
    or subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode,
    reason="no file system can be mounted here",
)
@pytest.mark.parametrize("size", ["4k", "24k"])
def test_a_disk_that_is_really_full(world: World, size: str) -> None:
    world.playbook("stamp", STAMP.replace("text: {", "text: {default: x, "))
    world.plugin("a", {"a": "a\n"})
    world.out.mkdir()
    command = [sys.executable, "-P", "-m", "bot", *world.words("run", "stamp", "--out", str(world.out), "--json")]
    mount = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, str(world.out), *command],
        env=dict(os.environ) | world.environ,
        cwd=world.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = clear(Done(done.returncode, done.stdout, done.stderr), 1)
    assert "full" in said or "No space left" in said
    assert world.run("stamp").json["totals"] == {"changed": 1}


def test_an_output_that_cannot_be_written_to_is_told_and_no_traceback(world: World) -> None:
    world.playbook("stamp", STAMP.replace("text: {", "text: {default: x, "))
    world.plugin("a", {"a": "a\n"})
    command = [sys.executable, "-P", "-m", "bot", *world.words("run", "stamp", "--out", str(world.out), "--json")]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            command,
            env=dict(os.environ) | world.environ,
            cwd=world.folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    clear(Done(done.returncode, "", done.stderr), 1, "No space left on device")
    assert len(list(world.out.glob("*/*/proposal.json"))) == 1
