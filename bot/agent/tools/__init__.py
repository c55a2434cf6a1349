"""The agent's tools, one small file each."""

from __future__ import annotations

import functools

from bot.agent.tools.edit_file import edit_file
from bot.agent.tools.get_error_report import get_error_report
from bot.agent.tools.list_files import list_files
from bot.agent.tools.read_file import read_file
from bot.agent.tools.read_output import read_output
from bot.agent.tools.run_shell_command import run_shell_command
from bot.agent.tools.search_files import search_files
from bot.agent.tools.tool import Tool
from bot.agent.tools.write_file import write_file
from bot.base.messages import ToolDeclaration
from bot.base.values import Task

TOOLS: tuple[Tool, ...] = (
    read_file,
    write_file,
    edit_file,
    list_files,
    search_files,
    run_shell_command,
    read_output,
    get_error_report,
)
"""All tools, in the order in which the model sees them."""


def offered(task: Task) -> dict[str, Tool]:
    """The tools of one task by name: those the playbook names, or all.

    `read_output` comes with `run_shell_command`, and `get_error_report` only where there is a report.
    """
    return dict(_offered(task.playbook.tools, task.report is not None))


def declarations(task: Task) -> tuple[ToolDeclaration, ...]:
    """What the model is told of the tools of one task."""
    return _declared(task.playbook.tools, task.report is not None)


@functools.lru_cache(maxsize=64)
def _offered(named: tuple[str, ...], report: bool) -> dict[str, Tool]:
    wanted = {tool.name for tool in TOOLS} if not named else set(named)
    if "run_shell_command" in wanted:
        wanted.add("read_output")
    if not report:
        wanted.discard("get_error_report")
    return {tool.name: tool for tool in TOOLS if tool.name in wanted}


@functools.lru_cache(maxsize=64)
def _declared(named: tuple[str, ...], report: bool) -> tuple[ToolDeclaration, ...]:
    return tuple(tool.declaration for tool in _offered(named, report).values())
