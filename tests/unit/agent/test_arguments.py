"""The arguments of a tool call: what is plainly right is taken at a glance, and that is the same as a closer look says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.agent.tools import TOOLS
from bot.agent.tools.tool import ARGUMENTS_LIMIT, Tool, ToolError


class Text(str):
    """A text that no glance takes for one."""

    __slots__ = ()


class Number(int):
    """A number that no glance takes for one."""


NAMES = sorted({name for tool in TOOLS for name in tool.declaration.parameters["properties"]} | {"unknown"})
VALUES = st.sampled_from(["", "a", "ä", "\udce9", 0, 3, 3.0, 3.5, True, None, [], {}, "x" * (ARGUMENTS_LIMIT // 2 + 1)])


def looked_at_closely(args: dict[str, Any]) -> dict[str, Any]:
    kinds = {str: Text, int: Number}
    return {name: kinds.get(type(value), lambda same: same)(value) for name, value in args.items()}


def taken(tool: Tool, args: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments as the tool gets them; None when they are refused."""
    try:
        return tool.check(args)
    except ToolError:
        return None


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@given(args=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
@example(args={})
@example(args={"path": "a", "old": "x", "new": "y", "count": 2})
@example(args={"path": "x" * (ARGUMENTS_LIMIT // 2 + 1), "content": "x" * (ARGUMENTS_LIMIT // 2 + 1)})
def test_a_glance_finds_what_a_closer_look_finds(tool: Tool, args: dict[str, Any]) -> None:
    assert taken(tool, args) == taken(tool, looked_at_closely(args))
