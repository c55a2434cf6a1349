"""The vocabulary is closed, documented, and stays readable."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
from sample_traces import full_run, open_trace, publishing, write_full

from bot.trace.events import EVENTS, Seal
from bot.trace.examples import EXAMPLES
from bot.trace.line import ENVELOPE
from bot.trace.reader import read, verify
from bot.trace.schema import PAGE_FILE, SCHEMA_FILE, page, schema, write


@pytest.fixture(scope="module")
def validator(project: Path) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads((project / SCHEMA_FILE).read_text()))


def test_schema_and_page_in_the_repository_are_current(project: Path, tmp_path: Path) -> None:
    """Run `python -m bot.trace.schema` after a change to the events."""
    write_to = tmp_path / "docs"
    write_to.mkdir()
    write(tmp_path)
    for name in (SCHEMA_FILE, PAGE_FILE):
        assert (project / name).read_text() == (tmp_path / name).read_text()


def test_every_event_has_an_example_and_every_field_a_meaning() -> None:
    assert sorted(str(type(body).__struct_config__.tag) for body in EXAMPLES) == sorted(EVENTS)
    events = page().partition("\n## Usage")[0]
    assert "|  |\n" not in events


def test_every_example_is_a_valid_line(tmp_path: Path, validator: jsonschema_rs.Draft202012Validator) -> None:
    sink = open_trace(tmp_path / "t.jsonl")
    for body in EXAMPLES:
        sink.append(body, turn=1)
    for text in (tmp_path / "t.jsonl").read_text().splitlines():
        validator.validate(json.loads(text))
    assert [line.body for line in read(tmp_path / "t.jsonl")][:-1] == list(EXAMPLES[:-1])


def test_the_schema_refuses_what_is_wrong_and_lets_pass_what_is_new(
    tmp_path: Path, validator: jsonschema_rs.Draft202012Validator
) -> None:
    write_full(tmp_path / "t.jsonl")
    line = json.loads((tmp_path / "t.jsonl").read_text().splitlines()[1])
    assert validator.is_valid(line | {"mood": "good"})
    assert validator.is_valid(line | {"event": "telepathy", "exit_code": "none"})
    assert validator.is_valid(line | {"v": 2, "exit_code": {"a": 1}})
    assert not validator.is_valid(line | {"exit_code": "one"})
    assert not validator.is_valid(line | {"hash": "short"})
    assert not validator.is_valid({name: value for name, value in line.items() if name != "prev"})


def test_the_envelope_of_the_schema_is_that_of_the_writer() -> None:
    assert tuple(schema()["properties"]) == ENVELOPE


def test_a_trace_of_version_1_stays_readable(project: Path) -> None:
    """The files are never made anew: whatever a later version does, these have to be read as they are."""
    folder = project / "tests" / "golden" / "traces" / "v1"
    seal = Seal(file="execution_trace.jsonl", **json.loads((folder / "seal.json").read_text()))
    assert verify(folder / "execution_trace.jsonl", seal).finished
    assert verify(folder / "publish_trace.jsonl", previous=seal.head).finished
    kinds = {line.event for name in ("execution_trace.jsonl", "publish_trace.jsonl") for line in read(folder / name)}
    came_later = {"brought_up", "trace_kept"}
    assert kinds == set(EVENTS) - came_later
    for name in ("execution_trace.jsonl", "publish_trace.jsonl"):
        assert all(line.body is not None and line.v == 1 for line in read(folder / name))
    assert [line.body for line in read(folder / "execution_trace.jsonl")][:-1] == [body for body, _ in full_run()[:-1]]
    assert [line.body for line in read(folder / "publish_trace.jsonl")] == publishing()
