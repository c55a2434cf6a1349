"""The Action's entry as a runner would start it: inputs and event in the environment, outputs and summary in files."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import msgspec
from payloads import started
from small_world import TOKEN, World

from bot.cli import main as command_line

CONTROL = "acme/control"


class Ran(msgspec.Struct, frozen=True):
    """How a step ended."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


def action(
    world: World,
    command: str,
    *,
    event: str = "workflow_dispatch",
    payload: dict[str, Any] | None = None,
    repository: str = CONTROL,
    env: dict[str, str] | None = None,
    **inputs: str,
) -> Ran:
    """Run one step in this process. An input's name is written with `_`."""
    runner = world.folder / "runner"
    runner.mkdir(exist_ok=True)
    places = {name: runner / name for name in ("event.json", "output", "summary")}
    places["event.json"].write_text(json.dumps(payload or started(repository)))
    for name in ("output", "summary"):
        places[name].write_text("")
    manifest = world.write_manifest()
    given = {"command": command, "manifest": str(manifest), "out": str(world.out)} | inputs
    if world.playbooks.exists():
        given.setdefault("playbooks", str(world.playbooks))
    before, said = dict(os.environ), io.StringIO()
    os.environ |= (
        world.environ
        | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(places["event.json"]),
            "GITHUB_REPOSITORY": repository,
            "GITHUB_RUN_ID": "4711",
            "GITHUB_OUTPUT": str(places["output"]),
            "GITHUB_STEP_SUMMARY": str(places["summary"]),
            "FLEET_BOT_EVENT_TOKEN": TOKEN,
        }
        | {f"INPUT_{name.upper()}": value for name, value in given.items()}
        | (env or {})
    )
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = command_line.run(["action"])
    finally:
        os.environ.clear()
        os.environ |= before
    return Ran(code, said.getvalue(), read_outputs(places["output"]), places["summary"].read_text())


def read_outputs(file: Path) -> dict[str, str]:
    """What a runner reads from GITHUB_OUTPUT."""
    found: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        name, heredoc, mark = line.partition("<<")
        if heredoc:
            value = []
            for text in lines:
                if text == mark:
                    break
                value.append(text)
            found[name] = "\n".join(value)
    return found
