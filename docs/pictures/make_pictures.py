"""Draws the pictures of the README from a real demo: `make pictures`. Needs Chromium for the pages, and a font with
Japanese characters for what an issue quotes (on Debian and Ubuntu: fonts-wqy-microhei).
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
FLEET_BOT = [sys.executable, "-P", "-m", "bot"]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync")
QUIET += ("--disable-background-networking", "--disable-component-update", "--disable-quic")


def terminal(folder: Path) -> None:
    """What the demo says, as an SVG."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"FORCE_COLOR": "1"}
    done = subprocess.run(
        [*FLEET_BOT, "demo", "--dir", str(folder)], stderr=subprocess.PIPE, text=True, env=environment, check=True
    )
    said = done.stderr[done.stderr.index("What happened") :].replace(str(folder), "/tmp/fleet")
    console = Console(record=True, width=132, file=io.StringIO())
    console.print(Text("$ make demo\n\n…\n") + Text.from_ansi("\x1b[1m" + said))
    console.save_svg(str(HERE / "demo.svg"), title="fleet-bot demo")


def page(url: str, name: str, size: str) -> None:
    """A page as a PNG."""
    if CHROMIUM is None:
        sys.exit("Chromium is not installed, so the pages cannot be drawn.")
    if not subprocess.run(["fc-list", ":lang=ja"], capture_output=True, check=True).stdout:
        sys.exit("No font has Japanese characters, so boxes would stand for them: install fonts-wqy-microhei.")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                CHROMIUM,
                *QUIET,
                f"--user-data-dir={profile}",
                f"--window-size={size}",
                f"--screenshot={HERE / name}",
                url,
            ],
            check=True,
            capture_output=True,
        )


def doctor(url: str, folder: Path) -> None:
    """What `doctor` says of a control repository that lacks a label, as an SVG."""
    fleet = "version: 1\nplugins:\n" + "".join(f"  - {{name: {n}, repo: acme/{n}}}\n" for n in ("pager", "slugger"))
    (folder / "fleet.yaml").write_text(fleet, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {
        "GITHUB_TOKEN": "github_pat_" + "x" * 30,
        "GITHUB_API_URL": f"{url}/api/v3",
        "GITHUB_SERVER_URL": url,
    }
    environment |= {"GEMINI_API_KEY": "AIza" + "x" * 35, "FORCE_COLOR": "1"}
    words = [*FLEET_BOT, "doctor", "--control", "acme/pager"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(Text("$ fleet-bot doctor --control acme/pager\n") + Text.from_ansi(done.stderr + done.stdout))
    console.save_svg(str(HERE / "doctor.svg"), title="fleet-bot doctor")


def pages(folder: Path) -> None:
    """The pull request of the bug fix and the issue behind another, as the virtual GitHub shows them."""
    server = subprocess.Popen(
        [*FLEET_BOT, "virtual-github", "--root", str(folder / "github")], stdout=subprocess.PIPE, text=True
    )
    try:
        ready = server.stdout.readline() if server.stdout else "{}"
        url = json.loads(ready)["url"]
        doctor(url, folder)
        page(f"{url}/acme/slugger/pull/1", "pull-request.png", "1100,1985")
        # As its maintainer asks for a fix.
        label = {"labels": ["fleet-bot:fix"]}
        asked = f"{url}/api/v3/repos/acme/pager/issues/7/labels"
        requests.post(asked, json=label, headers={"Authorization": "Bearer any"}, timeout=10).raise_for_status()
        page(f"{url}/acme/pager/issues/7", "issue.png", "1100,520")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "demo"
        terminal(place)
        pages(place)
