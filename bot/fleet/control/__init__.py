"""What `fleet-bot init` writes into a control repository: files with a few gaps, in `files/`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from bot.base.documents import parse
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
        "OPTIONS": "".join(f"        - {_scalar(name)}\n" for name, _, _ in entries) or "        - my-plugin\n",
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
    shown = f"\n    topics: [{', '.join(map(_scalar, topics))}]" if topics else ""
    return f"  - name: {_scalar(name)}\n    repo: {_scalar(repo)}{shown}\n"


def _scalar(text: str) -> str:
    """A text as it is spelled in YAML: `plain`, but `'123'` and `'1e3'`."""

    def spelled(style: str | None) -> str:
        held: str = yaml.safe_dump([text], default_flow_style=True, default_style=style, width=1000)
        return held.strip()[1:-1]

    plain = spelled(None)
    # The library quotes what it takes for a number itself; YAML 1.2, and we, take more words for one.
    return plain if parse(f"[{plain}]", "").value == [text] else spelled("'")


def plugin_names(repositories: Iterable[str]) -> list[str]:
    """Valid names for plugins, each another one, from their repositories' names: of `x` and `_x`, `x` and `x-2`."""
    names = list(repositories)
    wanted = [_valid(name) for name in names]
    taken = {name.casefold() for name, valid in zip(names, wanted, strict=True) if name == valid}
    found = []
    for name, valid in zip(names, wanted, strict=True):
        fresh, number = valid, 1
        while name != valid and fresh.casefold() in taken:
            number += 1
            fresh = f"{valid}-{number}"
        taken.add(fresh.casefold())
        found.append(fresh)
    return found


def _valid(name: str) -> str:
    plain = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]", "-", name)).lstrip("._-")[:90].rstrip(".")
    return re.sub(r"\.lock$", "-lock", plain) or "plugin"
