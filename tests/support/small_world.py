"""A world for whole runs: a virtual GitHub, a virtual Gemini, a fleet of one's own, and the real command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import yaml
from replaying import replays

from bot.cli import main as command_line
from bot.task import store
from bot.virtual.gemini.server import VirtualGemini
from bot.virtual.github.server import VirtualGitHub

TOKEN = "ghp_" + "t0ken" * 7 + "x"
KEY = "AIza" + "k3y" * 11 + "ab"
BOT = "fleet-bot"


class Done(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed with `--json`."""
        return json.loads(self.out)

    def task(self, plugin: str) -> dict[str, Any]:
        """A row of the report."""
        return next(row for row in self.json["tasks"] if row["plugin"] == plugin)


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person would, with an identity of its own."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str | bytes], message: str = "change") -> str:
    """Write files into a work tree and commit them; the commit's id."""
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


class World:
    """A context manager. Plugins live on the virtual GitHub as `acme/<name>`."""

    def __init__(self, folder: Path) -> None:
        """`folder` is empty."""
        self.folder = folder
        self.out = folder / "out"
        self.scratch = folder / "scratch"
        self.entries: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {"sandbox": "best-effort", "certificates": {"require": "never"}}
        self.playbooks = folder / "playbooks"
        self.github = VirtualGitHub(folder / "github", token=TOKEN, login=BOT, people={"ghp_person": "ada"})
        self.gemini = VirtualGemini(self._script, key=KEY)

    def __enter__(self) -> Self:
        self._open = contextlib.ExitStack()
        self._open.enter_context(self.github)
        self._open.enter_context(self.gemini)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._open.close()
        if kind is None:
            for folder in store.find(self.out):
                assert replays(folder), f"the trace in {folder} does not replay to the same end"

    def plugin(
        self,
        name: str,
        files: dict[str, str | bytes] | None = None,
        *,
        branch: str = "main",
        remote: dict[str, Any] | None = None,
        **entry: Any,
    ) -> Path:
        """A plugin on the virtual GitHub; returns a work tree of it, from where `push` brings more."""
        self.github.add_repository(
            f"acme/{name}", default_branch=branch, **(remote or {}) | {"refuse_push": False, "archived": False}
        )
        work = self.folder / "work" / name
        work.mkdir(parents=True)
        git(work, "init", "--quiet", f"--initial-branch={branch}")
        git(work, "remote", "add", "origin", str(self.bare(name)))
        if files is not None:
            commit(work, files, "first")
            git(work, "push", "--quiet", "origin", branch)
        self.github.add_repository(f"acme/{name}", default_branch=branch, **(remote or {}))
        self.entries.append({"name": name, "repo": f"acme/{name}"} | entry)
        return work

    def bare(self, name: str) -> Path:
        """The repository itself."""
        return self.folder / "github" / "acme" / f"{name}.git"

    def script(self, plugin: str, playbook: str, rules: str) -> None:
        """What the virtual Gemini answers for a plugin; YAML, see `virtual_fleet/README.md`."""
        file = self.folder / "scripts" / plugin / f"{playbook}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(rules), encoding="utf-8")

    def playbook(self, name: str, text: str) -> None:
        """A playbook of one's own; then the shipped ones are not used."""
        self.playbooks.mkdir(exist_ok=True)
        (self.playbooks / f"{name}.md").write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")

    def write_manifest(self) -> Path:
        """`fleet.yaml` as it is now."""
        file = self.folder / "fleet.yaml"
        file.write_text(yaml.safe_dump({"version": 1} | self.settings | {"plugins": self.entries}), encoding="utf-8")
        return file

    @property
    def environ(self) -> dict[str, str]:
        """What the environment has to say for this world."""
        return {
            "GEMINI_API_KEY": KEY,
            "GOOGLE_GEMINI_BASE_URL": self.gemini.url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_SERVER_URL": self.github.url,
        }

    def fleet_bot(self, *words: str, env: dict[str, str] | None = None) -> Done:
        """Run the command line in this process, as `fleet-bot WORDS --manifest …` would be."""
        return self.plain(*self.words(*words), env=env)

    def plain(self, *words: str, env: dict[str, str] | None = None) -> Done:
        """The same with exactly these words. A variable that is empty is not set at all."""
        before = dict(os.environ)
        out, err = io.StringIO(), io.StringIO()
        os.environ |= self.environ | (env or {})
        for name in [name for name, value in (env or {}).items() if not value]:
            del os.environ[name]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = command_line.run(list(words))
        finally:
            os.environ.clear()
            os.environ |= before
        return Done(code, out.getvalue(), err.getvalue())

    def process(self, *words: str, env: dict[str, str] | None = None, timeout: float = 60) -> Done:
        """The same in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bot", *self.words(*words)],
            env=dict(os.environ) | self.environ | (env or {}),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """The same, under way; its scratch folders lie in `self.scratch`."""
        self.scratch.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "bot", *self.words(*words)],
            env=dict(os.environ) | self.environ | {"TMPDIR": str(self.scratch)} | (env or {}),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def words(self, *words: str) -> list[str]:
        """The words of a command line with what every command of this world needs."""
        more = ["--manifest", str(self.write_manifest())]
        if self.playbooks.exists():
            more += ["--playbooks", str(self.playbooks)]
        return [*words, *more]

    def run(self, playbook: str, *words: str, **options: Any) -> Done:
        """`run … --json`, proposals in `self.out`."""
        return self.fleet_bot("run", playbook, *words, "--out", str(self.out), "--json", "--jobs", "2", **options)

    def proposal(self, row: dict[str, Any]) -> dict[str, Any]:
        """The proposal of a row of the report."""
        found: dict[str, Any] = json.loads(Path(row["proposal"]).read_text(encoding="utf-8"))
        return found

    def show(self, name: str, branch: str, path: str) -> bytes:
        """The bytes of a file on a branch of the forge."""
        return subprocess.run(
            ["git", "cat-file", "blob", f"refs/heads/{branch}:{path}"],
            cwd=self.bare(name),
            capture_output=True,
            check=True,
        ).stdout

    def _script(self, plugin: str, playbook: str) -> Path | None:
        file = self.folder / "scripts" / plugin / f"{playbook}.yaml"
        return file if file.is_file() else None
