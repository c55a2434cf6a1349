"""Agents for the wind tunnel: what they do on `slugger` with fix_bug, turn by turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents import calls, says

from bot.base.messages import Reply
from bot.fleet.playbook import find_playbooks, read_playbook
from bot.models.scripted import ScriptedModel
from bot.virtual.plugin import find_virtual_fleet
from bot.windtunnel.pilots import InProcessPilot
from bot.windtunnel.scenario import Scenario, find_scenarios

TESTS, SOURCE = "tests/test_slugs.py", "src/slugger/slugs.py"
TEST = {
    "path": TESTS,
    "old": "def test_a_slug_stays_a_slug():\n",
    "new": 'def test_nothing_is_left_of_the_title():\n    assert slugify("") == ""\n\n\ndef test_a_slug_stays_a_slug():\n',
}
FIX = {
    "path": SOURCE,
    "old": 'if slug[0] == "-":\n        slug = slug[1:]\n    return slug[:-1] if slug[-1] == "-" else slug',
    "new": 'return slug.strip("-")',
}
RUN = ("run_shell_command", {"command": "python -m pytest -q --disable-plugin-autoload"})
LOOK = [("read_file", {"path": SOURCE}), ("read_file", {"path": TESTS})]
WRITE_TEST, MEND = ("edit_file", TEST), ("edit_file", FIX)
Step = list[tuple[str, dict[str, Any]]]
GOOD: list[Step] = [LOOK, [WRITE_TEST], [RUN], [MEND], [RUN]]


def scenario(name: str = "slugger", playbook: str = "fix_bug") -> Scenario:
    """A shipped one."""
    found = find_scenarios(read_playbook(find_playbooks(None)[playbook]), (find_virtual_fleet(),), (name,))
    return found[0]


def agent(*steps: Step, answer: str = "Fixed.") -> InProcessPilot:
    """An agent that takes these steps, one turn each, then answers."""
    return InProcessPilot(lambda scenario, seed: ScriptedModel([*(calls(*step) for step in steps), says(answer)]))


def replies(*steps: Step, answer: str = "Fixed.") -> list[Reply]:
    """What such an agent says."""
    return [*(calls(*step) for step in steps), says(answer)]


def shell(command: str) -> Step:
    return [("run_shell_command", {"command": command})]


def written(path: str, content: str) -> Step:
    return [("write_file", {"path": path, "content": content})]


def fleet() -> Path:
    return find_virtual_fleet()
