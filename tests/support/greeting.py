"""A small playbook with rules, a virtual plugin to fly it on, and plugins to let it loose on."""

from __future__ import annotations

from small_world import World

PLAYBOOK = """
    ---
    id: greet
    version: 1.0.0
    summary: Writes a greeting.
    allow_empty: true
    verification: {tests: none}
    pull_request: {title: Greet}
    ---
    Write a file HELLO with a greeting.
    """
RULES = """
expect:
  - id: only-hello
    only: {of: {event: file_write}, allow: {path: HELLO}}
"""
ANSWERS = """
rules:
  - when: {step: 0}
    calls: [{write_file: {path: HELLO, content: "hello\\n"}}]
  - when: {result: {tool: write_file}}
    say: Done.
"""
PROFILE = """
summary: A place for a greeting.
files: {README.md: "# here\\n", src/a.py: "x = 1\\n"}
scenarios:
  - {playbook: greet, outcomes: [changed]}
"""


def greet(world: World) -> World:
    """Playbook, rules and the virtual plugin `porch`; certificates are asked for as by default."""
    world.settings = {"sandbox": "best-effort"}
    world.playbook("greet", PLAYBOOK)
    (world.playbooks / "greet.expect.yaml").write_text(RULES, encoding="utf-8")
    virtual = world.folder / "virtual_fleet" / "porch"
    (virtual / "answers").mkdir(parents=True)
    (virtual / "profile.yaml").write_text(PROFILE, encoding="utf-8")
    (virtual / "answers" / "greet.yaml").write_text(ANSWERS, encoding="utf-8")
    return world


def plugins(world: World, *names: str, answers: str = ANSWERS) -> None:
    """Real plugins, and what the model does with them."""
    for name in names:
        world.plugin(name, {"README.md": "# hi\n"})
        world.script(name, "greet", answers)
