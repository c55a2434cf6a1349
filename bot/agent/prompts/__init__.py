"""What the model is told once, at the beginning."""

from __future__ import annotations

import functools
from pathlib import Path

from bot.agent.tools import offered
from bot.base.values import Limits, Network, Plugin, Task

_TEMPLATE = Path(__file__).parent / "system.md"
_NETWORK: dict[Network, str] = {
    "none": "Commands have no network.",
    "loopback": "Commands have no network but the machine's own loopback.",
    "full": "Commands have access to the network.",
}


@functools.cache
def _template() -> str:
    return _TEMPLATE.read_text(encoding="utf-8")


def system_prompt(task: Task) -> str:
    """The system instruction of one task: who, where, by which rules. Contains no text that strangers wrote.

    It has the lines `Plugin: <name>` and `Playbook: <id> <version>`, each by itself.
    """
    playbook = task.playbook
    named = (playbook.id, playbook.version, playbook.result)
    return _prompt(task.plugin, named, playbook.allowed_paths, task.limits, tuple(offered(task)))


@functools.lru_cache(maxsize=64)
def _prompt(
    plugin: Plugin, playbook: tuple[str, str, str], paths: tuple[str, ...], limits: Limits, tools: tuple[str, ...]
) -> str:
    identity, version, result = playbook
    facts = [_NETWORK[plugin.network]]
    if plugin.directory != ".":
        facts.append(f"The plugin is the folder {plugin.directory} of its repository; paths and commands start there.")
    if plugin.test is not None:
        facts.append(f"Its tests run by `{plugin.test.command}`.")
    allowed = plugin.allowed_paths + paths
    if allowed:
        facts.append(f"Only these paths may change: {', '.join(allowed)}.")
    if plugin.version_file:
        facts.append(f"Its version stands in {plugin.version_file}.")
    if plugin.changelog:
        facts.append(f"Its changelog is {plugin.changelog}.")
    facts.append(f"You have at most {limits.steps} turns and {limits.minutes:g} minutes.")
    text = _template()
    values = {
        "plugin": plugin.name,
        "playbook": identity,
        "version": version,
        "tools": ", ".join(tools),
        "facts": "\n".join(f"- {fact}" for fact in facts),
        "end": _END[result],
    }
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


_END = {
    "pull_request": "say in a few sentences what was wrong, what caused it, what you changed and how you know that it "
    "works. A person reads that in the pull request.",
    "answer": "give the answer. A person reads it as it is; nothing you changed will be kept.",
}
