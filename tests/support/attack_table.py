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
_ACTION, _RUNNER = "tests/integration/test_action.py", "tests/unit/gha/test_runner.py"
ELSEWHERE: tuple[tuple[str, str, str, str], ...] = (
    (
        "1, 2, 7",
        "A run asked for by somebody without write access, an unknown bot, a user with a bot's name, or ourselves",
        "permission and kind of account are looked up, before anything is cloned",
        f"{_ACTION}::test_who_may_not_ask_is_refused_before_anything_is_cloned",
    ),
    (
        "3",
        "`pull_request_target`, a comment or another workflow starts a run",
        "refused by name",
        f"{_ACTION}::test_events_that_hand_secrets_to_strangers_are_refused",
    ),
    (
        "3, 8",
        "A pull request, of a fork or with another `fleet.yaml` in its head, starts a run",
        "refused; one's own may be planned",
        f"{_ACTION}::test_a_forks_pull_request_is_refused_and_ones_own_may_only_be_planned",
    ),
    (
        "4",
        "An issue is edited between the label and the run",
        "the text of the label's moment counts, and the pull request says so",
        f"{_ACTION}::test_the_text_is_the_one_from_when_the_label_was_set",
    ),
    (
        "26",
        "Workflow commands (`::set-output`, `::stop-commands::`) in output of the job",
        "text, between tokens that nobody knows",
        f"{_ACTION}::test_secrets_are_masked_first_and_nothing_that_is_printed_is_a_command",
    ),
    (
        "27",
        "Delimiter lines in text that goes to `GITHUB_OUTPUT`",
        "random delimiters",
        f"{_RUNNER}::test_a_value_cannot_end_itself_and_set_another_output",
    ),
)
"""Attacks on the Action, whose tests are with it: cases, what, what stops it, test."""
NOT_OFFERED = (
    ("6", "Approval of an old commit, or by the author, in a comment", "there is none: a GitHub Environment approves"),
)
"""Attacks on what we do not have."""


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
    lines += [f"| {cases} | {what} | {refusal} | – | holds |" for cases, what, refusal, _ in ELSEWHERE]
    lines += [f"| {case} | {what} | {why} | – | – |" for case, what, why in NOT_OFFERED]
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


def elsewhere() -> set[int]:
    """The numbers of the list whose tests are not in this folder, or that are not to be had."""
    found = [cases for cases, *_ in ELSEWHERE] + [case for case, *_ in NOT_OFFERED]
    return {int(number) for cases in found for number in re.findall(r"\d+", cases)}


def missing() -> list[str]:
    """Tests that the table names and that are not where it says."""
    root = PAGE.parent.parent
    lost = []
    for *_, place in ELSEWHERE:
        file, _, name = place.partition("::")
        if f"def {name}(" not in (root / file).read_text(encoding="utf-8"):
            lost.append(place)
    return lost


def _first(cases: str) -> int:
    found = re.search(r"\d+", cases)
    return int(found.group()) if found else 1000
