"""Which events a selector speaks about, and what it says of its own mistakes."""

from __future__ import annotations

import pytest

from bot.expected.happening import Happening, Order, with_derived
from bot.expected.selectors import Selectors
from bot.expected.vocabulary import Mistake, field_at, near, vocabulary


def fits(spec: object, event: str, let: dict[str, object] | None = None, **fields: object) -> bool:
    mistakes: list[Mistake] = []
    selector = Selectors(let or {}, mistakes).read(spec, "x")
    assert mistakes == []
    return selector.fits(Happening(0, 0, event, with_derived(fields) if event == "command_run" else fields))


def said(spec: object, let: object = None) -> str:
    mistakes: list[Mistake] = []
    Selectors({} if let is None else let, mistakes).read(spec, "x")
    return "\n".join(map(str, mistakes))


def run(command: str, code: int = 0, **fields: object) -> dict[str, object]:
    return {"command": command, "exit_code": code, "phase": "agent", **fields}


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("src/*", "src/a.py", True),
        ("src/*", "src/deep/a.py", False),
        ("src/**", "src/deep/a.py", True),
        (["src/**", "tests/**"], "tests/a.py", True),
        ({"outside": ["src/**", "tests/**"]}, "tests/a.py", False),
        ({"outside": "src/**"}, "README.md", True),
        ({"not": "*.md"}, "README.md", False),
        ({"re": r"\.md$"}, "docs/README.md", True),
        ({"outside": "src/**", "not": "*.md"}, "README.md", False),
    ],
)
def test_paths_are_globs(glob: object, path: str, expected: bool) -> None:
    assert fits({"event": "file_write", "path": glob}, "file_write", path=path) is expected


@pytest.mark.parametrize(
    ("condition", "code", "expected"),
    [
        (0, 0, True),
        ([1, 2], 2, True),
        ({"ge": 1}, 0, False),
        ({"ge": 1}, 1, True),
        ({"gt": 1}, 1, False),
        ({"lt": 2}, 1, True),
        ({"le": 2, "ge": 2}, 2, True),
        ({"not": 0}, 0, False),
        ({"not": {"in": [1, 5]}}, 5, False),
        ({"in": [1, 5]}, 5, True),
    ],
)
def test_numbers_are_compared(condition: object, code: int, expected: bool) -> None:
    assert fits({"event": "command_run", "exit": condition}, "command_run", **run("pytest", code)) is expected


def test_a_command_is_known_by_its_program() -> None:
    spec = {"event": "command_run", "argv0": "pytest"}
    assert fits(spec, "command_run", **run("/usr/bin/pytest -q"))
    assert fits(spec, "command_run", **run("cd x && pytest -q", argv=["pytest", "-q"]))
    assert not fits(spec, "command_run", **run("cat pytest"))
    assert not fits(spec, "command_run", **run("for x in y; do pytest; done"))
    assert not fits(spec, "command_run", **run("pytest 'unclosed"))
    assert fits({"event": "command_run", "argv": {"has": "-q"}}, "command_run", **run("pytest -q"))
    assert fits({"event": "command_run", "argv": {"re": "^git push"}}, "command_run", **run("git push origin"))
    assert fits({"event": "command_run", "argv": {"ge": 2}}, "command_run", **run("git push"))


def test_what_a_field_does_not_have_fulfils_no_condition() -> None:
    for condition in (0, {"ge": 0}, {"not": 3}):
        assert not fits({"event": "command_run", "passed": condition}, "command_run", **run("ls"))
    counted = run("pytest", tests={"passed": 3, "failed": 0, "skipped": 0, "errors": 0})
    assert fits({"event": "command_run", "passed": {"not": 0}, "errors": 0}, "command_run", **counted)


def test_our_own_runs_are_left_out_unless_the_phase_is_named() -> None:
    ours = run("pytest") | {"phase": "verify"}
    assert not fits({"event": "command_run"}, "command_run", **ours)
    assert fits({"event": "command_run", "phase": "verify"}, "command_run", **ours)
    assert fits({"event": "command_run"}, "command_run", **(run("x") | {"phase": "script"}))


def test_names_build_on_names() -> None:
    let = {
        "test": {"event": "command_run", "argv0": "pytest"},
        "red": {"is": "test", "exit": {"ge": 1}},
        "edit": {"event": "file_write"},
        "code": {"is": "edit", "not": {"path": "tests/**"}},
        "either": {"any": ["red", "code"]},
        "both": {"is": ["red", "edit"]},
        "neither": {"event": ["file_write", "command_run"], "not": ["red", {"is": "edit", "path": "a"}]},
    }
    assert fits("red", "command_run", let, **run("pytest", 1))
    assert not fits("red", "command_run", let, **run("pytest", 0))
    assert fits("code", "file_write", let, path="src/a.py")
    assert not fits("code", "file_write", let, path="tests/a.py")
    assert fits("either", "command_run", let, **run("pytest", 1))
    assert fits("either", "file_write", let, path="src/a.py")
    assert not fits("either", "file_write", let, path="tests/a.py")
    assert fits("both", "file_write", let, path="x")
    assert fits("neither", "file_write", let, path="b")
    assert not fits("neither", "file_write", let, path="a")
    assert not fits("neither", "command_run", let, **run("pytest", 1))


def test_parts_of_arguments_and_records_are_reached_with_a_dot() -> None:
    spec = {"event": "tool_requested", "args.path": "src/**"}
    assert fits(spec, "tool_requested", tool="read_file", args={"path": "src/a.py"})
    assert not fits(spec, "tool_requested", tool="read_file", args={"path": ["src/a.py"]})
    assert not fits(spec, "tool_requested", tool="read_file", args={"path": {}})
    assert not fits(spec, "tool_requested", tool="read_file", args="nothing")
    assert fits({"event": "verification", "head.failed": 0}, "verification", head={"failed": 0})
    assert not fits({"event": "verification", "head.failed": 0}, "verification", head=None)
    assert fits({"event": "verification", "regressions": {"ge": 1}}, "verification", regressions=["t"])
    assert fits({"event": "gate_decided", "allowed": True}, "gate_decided", allowed=True)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"event": "file_writ"}, "x.event: there is no event 'file_writ'; did you mean file_write?"),
        ({"event": "command_run", "exit_cod": 1}, "x: command_run has no field exit_cod; did you mean exit_code?"),
        ({"event": "verification", "head.faild": 1}, "x: verification has no field head.faild; did you mean failed?"),
        ({"event": "version_change", "bump": "ptach"}, "x.bump: 'ptach' is never said here; did you mean patch?"),
        ({"event": "command_run", "exit": {"gee": 1}}, "x.exit: 'gee' is no comparison → did you mean ge?"),
        ({"event": "command_run", "exit": {True: 1}}, "YAML reads on, off, yes and no as true and false"),
        ({"event": "command_run", "exit": "1"}, "x.exit: '1' is no number"),
        ({"event": "command_run", "exit": True}, "x.exit: True is no number"),
        ({"event": "command_run", "exit": {"ge": "1"}}, "x.exit.ge: '1' is no number"),
        ({"event": "command_run", "stdout": {"ge": 1}}, "the field holds a text, which ge cannot compare"),
        ({"event": "command_run", "stdout": {"outside": "a"}}, "outside is for paths"),
        ({"event": "command_run", "stdout": {"has": "a"}}, "has is for lists"),
        ({"event": "command_run", "exit": {"re": "a"}}, "which re cannot look at"),
        ({"event": "command_run", "stdout": {"re": 3}}, "3 is no regular expression"),
        ({"event": "command_run", "stdout": {"re": "("}}, "x.stdout.re: not a regular expression"),
        ({"event": "command_run", "exit": {"in": 3}}, "in takes a list"),
        ({"event": "command_run", "argv": "pytest"}, "the field holds a list, not a single value → use has"),
        ({"event": "tool_requested", "args": "x"}, "the field holds a map, not a single value"),
        ({"event": "version_change", "to": 1.1}, "x.to: 1.1 is no text → put it in quotes"),
        ({"event": "version_change", "to": False}, "False is no text → YAML reads on, off, yes and no"),
        ({"event": "gate_decided", "allowed": 1}, "1 is neither true nor false"),
        ({"event": "file_write", "path": []}, "an empty list, which nothing fits"),
        ({"event": "file_write", True: 1}, "the key True is no text → YAML reads on, off, yes and no"),
        ({"event": "file_write", "is": "y"}, "event and is exclude each other"),
        ({"path": "a"}, "does not say which event it is about"),
        ({}, "is neither a selector nor the name of one"),
        (3, "is neither a selector nor the name of one"),
        ("nobody", "no selector is called 'nobody'"),
        ({"event": ["file_write", "command_run"], "path": "a"}, "command_run has no field path"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_cure(spec: object, sentence: str) -> None:
    assert sentence in said(spec)


def test_mistakes_in_named_selectors_are_found_even_if_nobody_uses_them() -> None:
    assert "let.a.event: there is no event 'nope'" in said({"event": "note"}, {"a": {"event": "nope"}})
    assert "let.a: is defined by itself (a → b → a)" in said({"event": "note"}, {"a": {"is": "b"}, "b": {"is": "a"}})
    assert "let.True: the name is no text" in said({"event": "note"}, {True: {"event": "note"}})
    assert "let: has to be a mapping" in said({"event": "note"}, ["a"])
    assert "did you mean green?" in said("gren", {"green": {"event": "note"}})


def test_the_vocabulary_is_the_traces() -> None:
    assert "from" in vocabulary()["version_change"]
    assert vocabulary()["version_change"]["bump"].values[0] == "major"
    assert not isinstance(field_at("tool_requested", "args.file"), str)
    assert near("zzz", ["a", "b"]) == "; there is a, b"
    assert near("zzz", []) == ""


def test_events_of_one_model_turn_share_a_rank_and_our_own_do_not() -> None:
    order = Order()
    assert [order.rank(turn) for turn in (0, 0, 1, 1, 2, 0, 2, 2, 0)] == [0, 1, 2, 2, 3, 4, 5, 5, 6]
