"""The table of attacks in docs/security.md, made from the marks on the tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
PAGE = ATTACKS.parent.parent / "docs" / "security.md"
BEGIN, END = "<!-- attacks: begin, written by the suite -->", "<!-- attacks: end -->"
_LATER = (
    ("1", "An issue is labelled by somebody who may only triage"),
    ("2", "An unknown bot, or a user with a bot's name, starts a run"),
    ("3", "`pull_request_target`, or a pull request from a fork, starts a run"),
    ("4", "An issue is edited between the label and the run"),
    ("5", "A comment of somebody else imitates the bot's plan, approval or state"),
    ("6", "An approval of an old commit, or by the author"),
    ("7", "The bot's own comment has the trigger word in it"),
    ("8", "`fleet.yaml` is changed in the head of a pull request"),
    ("26", "Workflow commands (`::set-output`, `::stop-commands::`) in output of the job"),
    ("27", "Delimiter lines in text that goes to `GITHUB_OUTPUT`"),
    ("45", "Two runs for one repository at once"),
)
"""Attacks on the Action on GitHub."""


def attack(cases: str, what: str, refusal: str) -> pytest.MarkDecorator:
    """Marks a test: the numbers of the attacks it stands for (`+` for one of our own), what they do, what stops them."""
    return pytest.mark.attack(cases, what, refusal)


class Row(msgspec.Struct, frozen=True):
    """A test of the suite, as its mark says."""

    family: str
    test: str
    cases: str
    what: str
    refusal: str
    levels: str

    @property
    def name(self) -> str:
        return f"{self.family}::{self.test}"


def rows() -> list[Row]:
    """All marked tests, in the order of the files. Read without importing anything."""
    found = []
    for file in sorted(ATTACKS.glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "attack":
                    cases, what, refusal = (ast.literal_eval(argument) for argument in mark.args)
                    both = any(argument.arg == "arena" for argument in node.args.args)
                    found.append(Row(file.stem, node.name, cases, what, refusal, "both" if both else "–"))
    return found


def table(results: Mapping[str, bool] | None = None) -> str:
    """The table as markdown. `results` says which tests passed; without it all count as holding."""
    lines = [BEGIN, "", "| case | attack | what stops it | levels | result |", "|---|---|---|---|---|"]
    for row in sorted(rows(), key=lambda row: (_first(row.cases), row.family)):
        held = "not run" if results is not None and row.name not in results else "holds"
        held = "**broken**" if results is not None and not results.get(row.name, True) else held
        lines.append(f"| {row.cases} | {row.what} | {row.refusal} | {row.levels} | {held} |")
    lines += [f"| {case} | {what} | with the Action | | not yet |" for case, what in _LATER if not _covered(case)]
    return "\n".join([*lines, "", END])


def write(results: Mapping[str, bool]) -> None:
    """Put the table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replaced(page, table(results)), encoding="utf-8")


def replaced(page: str, text: str) -> str:
    """The page with another table."""
    begin, end = page.index(BEGIN), page.index(END) + len(END)
    return page[:begin] + text + page[end:]


def covered() -> set[int]:
    """The numbers of the list that some test stands for."""
    return {int(number) for row in rows() for number in re.findall(r"\d+", row.cases)}


def later() -> set[int]:
    """The numbers that wait for the Action."""
    return {int(case) for case, _ in _LATER}


def _covered(case: str) -> bool:
    return int(case) in covered()


def _first(cases: str) -> int:
    found = re.search(r"\d+", cases)
    return int(found.group()) if found else 1000
