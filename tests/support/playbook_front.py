"""The front matter of the shipped playbooks, as far as their rules need it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from bot.base.values import Playbook, Variable


def playbook_at(file: Path) -> Playbook:
    """A playbook with its id and its variables, and nothing else."""
    front = yaml.safe_load(file.read_text(encoding="utf-8").split("---\n")[1])
    variables = msgspec.convert(front.get("variables", {}), dict[str, Variable])
    return Playbook(id=front["id"], version=front["version"], summary="", variables=variables, file=str(file))
