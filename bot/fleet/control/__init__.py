"""What `fleet-bot init` writes into a control repository: files with a few gaps, in `files/`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from bot.base.errors import UsageError

_FILES = Path(__file__).resolve().parent / "files"
_GAP = re.compile(r"<<([A-Z_]+)>>")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+")


def control_files(
    source: str, pin: str, version: str, plugins: Iterable[tuple[str, str, tuple[str, ...]]]
) -> dict[str, str]:
    """Path → text. `source` is fleet-bot's repository, `pin` its commit; plugins are name, repository, topics.

    Raises `UsageError` for what is no repository or no commit.
    """
    if not _NAME.fullmatch(source):
        raise UsageError(f"{source!r} is no repository.", "Write owner/name.")
    if not re.fullmatch(r"[0-9a-f]{40}", pin):
        raise UsageError(f"{pin!r} is no commit.", "Give all 40 digits: a tag can be moved, a commit cannot.")
    entries = list(plugins)
    gaps = {
        "SOURCE": source,
        "PIN": pin,
        "VERSION": version,
        "PLUGINS": "".join(map(_entry, entries)) or "  []\n",
        "OPTIONS": "".join(f"        - {name}\n" for name, _, _ in entries) or "        - my-plugin\n",
    }
    found = {}
    for file in sorted(path for path in _FILES.rglob("*") if path.is_file()):
        text = file.read_text(encoding="utf-8")
        # In the package the folder has a plain name, so that tools which skip hidden ones take it along.
        place = str(file.relative_to(_FILES)).replace("github/", ".github/", 1)
        found[place] = _GAP.sub(lambda gap: gaps[gap[1]], text)
    return found


def _entry(plugin: tuple[str, str, tuple[str, ...]]) -> str:
    name, repo, topics = plugin
    shown = f"\n    topics: [{', '.join(topics)}]" if topics else ""
    return f"  - name: {name}\n    repo: {repo}{shown}\n"
