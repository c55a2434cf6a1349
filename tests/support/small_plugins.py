"""A plugin with a bug, an agent that fixes it, a playbook that stamps, and what became of them."""

from __future__ import annotations

from github import Auth, Github
from github.PullRequest import PullRequest
from small_world import TOKEN, World

STAMP = """
    ---
    id: stamp
    version: 1.0.0
    summary: Put a stamp into every plugin.
    mode: script
    script: printf '%s\\n' "$VAR_TEXT" > STAMP
    variables:
      text: {type: string, description: What the stamp says., default: stamped}
    pull_request: {title: "Stamp: {{ text }}", body: A stamp., labels: [stamp]}
    ---
    """
PLUGIN = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n",
}
FIX = """
    rules:
      - when: {step: 0, declares: [edit_file, write_file, run_shell_command, get_error_report]}
        calls: [{read_file: {path: test_calc.py}}, {read_file: {path: calc.py}}]
      - when: {result: {tool: read_file, contains: a - b}}
        calls:
          - edit_file: {path: test_calc.py, old: "== 0\\n", new: "== 0\\n\\n\\ndef test_sum():\\n    assert add(1, 2) == 3\\n"}
      - when: {result: {tool: edit_file, contains: test_calc.py}}
        calls: [{run_shell_command: {command: python -m pytest -q --disable-plugin-autoload}}]
      - when: {result: {tool: run_shell_command, contains: 1 failed}}
        calls: [{edit_file: {path: calc.py, old: a - b, new: a + b}}]
      - when: {result: {tool: edit_file, contains: calc.py}}
        calls: [{run_shell_command: {command: python -m pytest -q --disable-plugin-autoload}}]
      - when: {result: {tool: run_shell_command, contains: 2 passed}}
        say: "**Cause:** a wrong sign. @everyone Fixes #99"
    """


def pulls(world: World, name: str, state: str = "all") -> list[PullRequest]:
    """The pull requests of a plugin, seen by PyGithub."""
    hub = Github(
        auth=Auth.Token(TOKEN),
        base_url=world.github.api_url,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    return list(hub.get_repo(f"acme/{name}").get_pulls(state=state))
