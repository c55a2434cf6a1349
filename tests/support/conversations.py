"""Conversations that fix `slugger`, all different, all good: what the trial's bench flies.

A number picks title, repair and what is looked at before, so that 64 of them in a row are 64 different ones; a `fresh` one
has a test besides that no trial before it has seen, so that nothing about its files is known from another.
"""

from __future__ import annotations

from flying import RUN, SOURCE, TESTS, Step, replies

from bot.base.messages import Reply
from bot.models.scripted import ScriptedModel
from bot.windtunnel.pilots import InProcessPilot

DIFFERENT = 64
_BAD = 'if slug[0] == "-":\n        slug = slug[1:]\n    return slug[:-1] if slug[-1] == "-" else slug'
_TITLES = ("", "---", "!?", " ... ")
_REPAIRS = (
    'return slug.strip("-")',
    'return "-".join(part for part in slug.split("-") if part)',
    'if not slug:\n        return ""\n    if slug[0] == "-":\n        slug = slug[1:]\n    return slug.removesuffix("-")',
    'if slug.startswith("-"):\n        slug = slug[1:]\n    return slug.removesuffix("-")',
)
_LOOKS: tuple[tuple[Step, Step], ...] = (
    ([("read_file", {"path": SOURCE}), ("read_file", {"path": TESTS})], []),
    ([("list_files", {"path": "."})], [("read_file", {"path": TESTS}), ("read_file", {"path": SOURCE})]),
    ([("read_file", {"path": "pyproject.toml"}), ("read_file", {"path": SOURCE})], [("read_file", {"path": TESTS})]),
    ([("search_files", {"pattern": "slugify", "path": "."})], [("read_file", {"path": SOURCE, "start_line": 8})]),
)


def conversation(number: int, *, fresh: bool = False) -> list[Step]:
    """Turn by turn; 8 to 10 tool calls."""
    title, repair, looks = _TITLES[number % 4], _REPAIRS[number // 4 % 4], _LOOKS[number // 16 % 4]
    name = f"case_{number}" if fresh else f"nothing_is_left_{number % 4}"
    new = f'def test_{name}():\n    assert slugify("{title}") == ""\n\n\ndef test_a_slug_stays_a_slug():\n'
    test = {"path": TESTS, "old": "def test_a_slug_stays_a_slug():\n", "new": new}
    mend = {"path": SOURCE, "old": _BAD, "new": repair}
    again: Step = [("read_file", {"path": SOURCE}), ("list_files", {"path": "."})]
    before = [look for look in looks if look]
    return [*before, [("edit_file", test)], [RUN], [("edit_file", mend)], [RUN], again, [RUN]]


def said(numbers: range, *, fresh: bool = False) -> dict[int, list[Reply]]:
    """What agents say in these conversations."""
    return {number: replies(*conversation(number, fresh=fresh)) for number in numbers}


def pilot(answers: dict[int, list[Reply]]) -> InProcessPilot:
    """Flies conversation `seed`, or the one that comes round at it."""
    return InProcessPilot(lambda scenario, seed: ScriptedModel(answers[seed % len(answers)]))
