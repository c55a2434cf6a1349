"""A real repository made of the files of a declarative plugin that has none: what its profile says can be held to it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from bot.virtual.plugin import VirtualPlugin, find_virtual_fleet, read_virtual_fleet
from bot.virtual.profile_reader import read_profile


def counterpart(name: str, folder: Path) -> VirtualPlugin:
    """`folder/<name>/` with the files as a repository, and the scenarios of the profile."""
    shipped = find_virtual_fleet() / name
    profile = read_profile(shipped / "profile.yaml")
    place = folder / name
    special: dict[str, dict[str, bool]] = {}
    for path, node in profile.files.items():
        file = place / "repo" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(node.data)
        if node.executable:
            special[path] = {"executable": True}
    if (shipped / "answers").is_dir():
        shutil.copytree(shipped / "answers", place / "answers")
    entry = {
        "repo": f"acme/{name}",
        "test": profile.test,
        "version_file": profile.version_file,
        "changelog": profile.changelog,
    }
    scenarios: list[dict[str, Any]] = []
    for number, one in enumerate(profile.scenarios):
        told: dict[str, Any] = {"playbook": one.playbook, "variables": one.variables}
        if one.report is not None:
            (place / f"report-{number}.txt").write_text(one.report, encoding="utf-8")
            told["report"] = f"report-{number}.txt"
        scenarios.append(told | {"expect": {"outcomes": list(one.outcomes)}})
    document = {
        "summary": profile.summary,
        "entry": {key: value for key, value in entry.items() if value},
        "history": {"files": special},
        "scenarios": scenarios,
    }
    (place / "plugin.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return next(plugin for plugin in read_virtual_fleet(folder) if plugin.name == name)
