"""Rules in a file of their own beside a playbook: `fix_bug.expect.yaml` beside `fix_bug.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bot.base.canonical import digest
from bot.base.errors import ConfigurationError, Problem
from bot.base.values import Playbook

if TYPE_CHECKING:
    from yaml import Node

_KEYS = ("let", "expect", "outcome")


def rules_file(playbook: Path) -> Path:
    """Where the rules of a playbook lie when they have a file of their own."""
    return playbook.with_suffix(".expect.yaml")


def completed(playbook: Playbook) -> Playbook:
    """The playbook with the rules that lie beside it added to those of its front matter, and hashed with it.

    Raises `ConfigurationError` when that file cannot be read.
    """
    file = rules_file(Path(playbook.file)) if playbook.file else None
    if file is None or not file.is_file():
        return playbook
    found = _read(file)
    return msgspec.structs.replace(
        playbook,
        let=playbook.let | found.get("let", {}),
        expect=playbook.expect + tuple(found.get("expect", ())),
        outcome=playbook.outcome + tuple(found.get("outcome", ())),
        hash=digest([playbook.hash, found]),
    )


def lines_in(file: Path) -> dict[str, int]:
    """Place such as `expect[2].before.first` → line of a rules file, for messages; empty when it cannot be read."""
    import yaml

    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return dict(_places(node, "")) if node is not None else {}


def _places(node: Node, where: str) -> Iterator[tuple[str, int]]:
    import yaml

    yield where, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _places(value, f"{where}.{key.value}".removeprefix("."))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _places(value, f"{where}[{index}]")


def _read(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _wrong(file, str(getattr(error, "problem", error)), mark.line + 1 if mark else 1) from error
    if not isinstance(found, dict):
        raise _wrong(file, "is no mapping with let, expect and outcome")
    for key, value in found.items():
        if key not in _KEYS:
            raise _wrong(file, f"there is no {key!r} here; there is {', '.join(_KEYS)}")
        if not isinstance(value, dict if key == "let" else list):
            raise _wrong(file, f"{key} has to be a {'mapping' if key == 'let' else 'list'}")
    return found


def _wrong(file: Path, what: str, line: int = 1) -> ConfigurationError:
    problem = Problem(file=str(file), line=line, what=what)
    return ConfigurationError(f"The rules in {file.name} cannot be read.", problems=(problem,))
