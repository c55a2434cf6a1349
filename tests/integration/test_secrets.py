"""Where the model's key comes from, and that neither key nor token is ever to be seen."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Self

import pytest
from small_playbooks import EDIT, EDITS_A
from small_world import KEY, TOKEN, Done, World

WRONG = "AIza" + "wr0ng" * 7


@pytest.fixture
def small(world: World) -> World:
    world.playbook("edit", EDIT)
    world.plugin("a", {"a": "old\n"})
    world.script("a", "edit", EDITS_A)
    return world


def line(key: str) -> str:
    return f"OTHER=1\nexport GEMINI_API_KEY='{key}'\n"


@pytest.mark.parametrize(
    ("given", "project", "environment", "home", "actions"),
    [
        (KEY, WRONG, WRONG, WRONG, False),
        ("", KEY, WRONG, WRONG, False),
        ("", "", KEY, WRONG, False),
        ("", "", "", KEY, False),
        ("", WRONG, KEY, WRONG, True),
    ],
    ids=["--api-key", ".env of the project", "environment", "~/.env", "inside Actions only the environment"],
)
def test_the_first_of_four_places_has_the_key(
    small: World, monkeypatch: pytest.MonkeyPatch, given: str, project: str, environment: str, home: str, actions: bool
) -> None:
    house = small.folder / "home"
    house.mkdir()
    for folder, key in ((small.folder, project), (house, home)):
        if key:
            (folder / ".env").write_text(line(key), encoding="utf-8")
    monkeypatch.setattr("bot.cli.secrets._given", given or None)
    env = {"GEMINI_API_KEY": environment, "HOME": str(house), "GITHUB_ACTIONS": "true" if actions else ""}
    done = small.run("edit", "--dry-run", env=env)
    assert done.json["totals"] == {"changed": 1}, done.err


SPIES = (
    "cat /proc/*/environ /proc/*/cmdline /proc/*/task/*/environ 2>/dev/null; env; cat .git/config; git config --list"
)
LEAK = f"({SPIES}) | tr '\\\\0' '\\\\n' | grep -c -e 'g[h]p_' -e 'AI[z]a' -e 'GEMINI_A[P]I_KEY' -e 'GITHUB_T[O]KEN' -e 'extrah[e]ader'"
SPYING = f"""
    rules:
      - {{when: {{step: 0}}, calls: [{{edit_file: {{path: a, old: old, new: new}}}}, {{run_shell_command: {{command: "{LEAK}; sleep 0.3"}}}}]}}
      - when: {{result: {{tool: run_shell_command, matches: '^0$'}}}}
        say: Nothing to be seen.
    """


def test_neither_key_nor_token_is_ever_to_be_seen(small: World) -> None:
    small.script("a", "edit", SPYING)
    words = ["run", "edit", "--out", str(small.out), "--json", "--api-key", KEY]
    with Watch(small) as watch, small.start(*words, env={"GEMINI_API_KEY": ""}) as process:
        out, err = process.communicate(timeout=60)
    done = Done(process.returncode, out, err)
    assert done.code == 0, err
    assert done.task("a")["answer"] == "Nothing to be seen."
    assert watch.arguments, "no child was seen"
    assert any("git" in words.split(" ")[0] for words in watch.arguments)
    for secret in (KEY, TOKEN):
        assert secret not in out + err
        assert not [words for words in watch.arguments if secret in words]
        holders = [file for file in small.out.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
        assert holders == []
        found = subprocess.run(["grep", "-rlF", secret, str(small.folder / "github")], capture_output=True, text=True)
        assert found.stdout == ""
    assert list(small.scratch.iterdir()) == []


class Watch:
    """Looks at the arguments of everything that a run starts, over and over."""

    def __init__(self, world: World) -> None:
        self.scratch, self.arguments = str(world.scratch), set[str]()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.005):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                except OSError:
                    continue
                if self.scratch in line:
                    self.arguments.add(line)
