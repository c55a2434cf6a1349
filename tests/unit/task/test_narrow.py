"""What a plugin's own repository can say: it narrows, and never widens."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.errors import TaskBlocked, TaskSkipped
from bot.base.values import Limits, Playbook, Plugin, Task
from bot.expected.paths import scope_of
from bot.task.narrow import NARROW_FILE, narrowed

TASK = Task(
    plugin=Plugin(name="a", repo="acme/a", allowed_paths=("src/**",), labels=("bot",), draft=False, network="loopback"),
    playbook=Playbook(id="work", version="1.0.0", summary=""),
    campaign="work-123456",
    variables={},
    prompt="",
    limits=Limits(steps=30, minutes=10),
    branch="fleet-bot/work-123456",
)


def test_the_file_has_its_name() -> None:
    assert NARROW_FILE == ".fleet-bot.yaml"


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"{}\n", b"enabled: true\n", b"\xef\xbb\xbf{}\r\n"])
def test_a_file_that_says_nothing_changes_nothing(text: bytes) -> None:
    assert narrowed(TASK, text) == TASK


def test_all_that_can_be_narrowed_is_narrowed() -> None:
    text = b"""
allowed_paths: ["**/*.py"]
protected: ["src/vendor/**"]
labels: [theirs, bot]
draft: true
network: none
limits: {steps: 5, minutes: 3.5, tokens: 100, cost_usd: 0.1, command_seconds: 20}
"""
    task = narrowed(TASK, text)
    scope = scope_of(task)
    assert scope.why_not("src/a.py") is None
    assert scope.why_not("src/a.txt") is not None
    assert scope.why_not("setup.py") is not None
    assert scope.why_not("src/vendor/a.py") is not None
    assert task.plugin.labels == ("bot", "theirs")
    assert (task.plugin.draft, task.plugin.network) == (True, "none")
    assert task.limits == Limits(steps=5, minutes=3.5, tokens=100, cost_usd=0.1, command_seconds=20)
    assert task.plugin.limits.command_seconds == 20


def test_asking_for_more_gives_no_more() -> None:
    task = narrowed(TASK, b"network: full\nlimits: {steps: 4000, minutes: 999, cost_usd: 100}\nallowed_paths: ['**']\n")
    assert (task.plugin.network, task.limits, task.plugin.limits) == ("loopback", TASK.limits, TASK.plugin.limits)
    assert scope_of(task).why_not("setup.py") is not None


def test_a_repository_can_say_no_with_a_reason() -> None:
    with pytest.raises(TaskSkipped, match="says `enabled: false`: frozen until May") as caught:
        narrowed(TASK, b"enabled: false\nreason: |\n  frozen\n  until May\n")
    assert "\n" not in caught.value.what
    with pytest.raises(TaskSkipped):
        narrowed(TASK, b"enabled: false\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"enabled: no\n", '.fleet-bot.yaml:1: `enabled` is "no"; it has to be true or false'),
        (b"# x\nenabld: true\n", ".fleet-bot.yaml:2: `enabld` is no known key → write enabled"),
        (b"draft: false\n", ".fleet-bot.yaml:1: `draft` is false → write true"),
        (b"allowed_paths: []\n", ".fleet-bot.yaml:1: `allowed_paths` is an empty list"),
        (b"allowed_paths: ['../x']\n", '.fleet-bot.yaml:1: `allowed_paths[0]` cannot be "../x"'),
        (b"protected: ['[z-a]']\n", ".fleet-bot.yaml:1: `[z-a]` is no glob"),
        (b"protected: ['" + b"**/" * 20 + b"x']\n", ".fleet-bot.yaml:1: `**/**/"),
        (b"limits: {steps: 0}\n", ".fleet-bot.yaml:1: `limits.steps` is 0"),
        (b"policy: {}\n", ".fleet-bot.yaml:1: `policy` is no known key"),
        (b"setup: curl evil.example\n", ".fleet-bot.yaml:1: `setup` is no known key"),
        (b"a: [\n", ".fleet-bot.yaml:2: is no YAML"),
        (b"- x\n", ".fleet-bot.yaml:1: `the document` is"),
        (b"a: 1\n# \xff\n", ".fleet-bot.yaml:2: has bytes that are no UTF-8"),
        (b"#" * 70_000, ".fleet-bot.yaml:1: is larger than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_understood_blocks_and_names_the_line(text: bytes, said: str) -> None:
    with pytest.raises(TaskBlocked) as caught:
        narrowed(TASK, text)
    assert said in caught.value.what
    assert "base branch" in caught.value.cure


_LIMIT = st.fixed_dictionaries(
    {}, optional={"steps": st.integers(1, 100), "minutes": st.floats(0.1, 100), "tokens": st.integers(1, 10**7)}
)


@given(
    _LIMIT,
    st.sampled_from(["none", "loopback", "full"]),
    st.lists(st.sampled_from(["src/**", "**/*.py", "docs/*"]), min_size=1),
)
def test_whatever_a_repository_says_nothing_gets_wider(
    limits: dict[str, float], network: str, paths: list[str]
) -> None:
    text = msgspec.json.encode({"limits": limits, "network": network, "allowed_paths": paths})
    task = narrowed(TASK, text)
    for field in msgspec.structs.fields(Limits):
        assert getattr(task.limits, field.name) <= getattr(TASK.limits, field.name)
    order = ("none", "loopback", "full")
    assert order.index(task.plugin.network) <= order.index(TASK.plugin.network)
    for path in ("src/a.py", "src/a.txt", "setup.py", "docs/a", ".github/workflows/x.yml"):
        if scope_of(TASK).why_not(path) is not None:
            assert scope_of(task).why_not(path) is not None
