"""The schemas: current on disk, understood by our own walk, and of one opinion with a full validator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base import schema
from bot.base.documents import Document, parse
from bot.base.values import Condition, Contains, Limits, Playbook, Plugin, PullRequestTemplate, Variable, Verification
from bot.fleet.fleet_schema import FLEET_SCHEMA
from bot.fleet.manifest import Schedule
from bot.fleet.playbook_schema import PLAYBOOK_SCHEMA
from bot.fleet.schema import SCHEMAS, render, write_schemas
from bot.publish.gate import Policy


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_on_disk_is_the_one_in_the_code(name: str, project: Path) -> None:
    file = project / "docs" / "schemas" / f"{name}.schema.json"
    assert file.read_text(encoding="utf-8") == render(SCHEMAS[name]), "run `make schemas`"


def test_make_schemas_writes_all_of_them(tmp_path: Path) -> None:
    write_schemas(tmp_path / "new")
    assert {file.name for file in (tmp_path / "new").iterdir()} == {f"{name}.schema.json" for name in SCHEMAS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_says_nothing_that_our_walk_does_not_read(name: str) -> None:
    jsonschema_rs.meta.validate(dict(SCHEMAS[name]))
    assert set(keywords(SCHEMAS[name])) <= schema.KEYWORDS


def keywords(node: object) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        yield key
        if key in {"properties", "$defs"}:
            for part in value.values():
                yield from keywords(part)
        elif key in {"items", "additionalProperties", "propertyNames"}:
            yield from keywords(value)
        elif key == "anyOf":
            for part in value:
                yield from keywords(part)


@pytest.mark.parametrize(
    ("part", "struct", "left_out"),
    [
        (FLEET_SCHEMA["$defs"]["limits"], Limits, set()),
        (FLEET_SCHEMA["properties"]["policy"], Policy, set()),
        (FLEET_SCHEMA["properties"]["schedules"]["items"], Schedule, set()),
        (
            FLEET_SCHEMA["properties"]["plugins"]["items"],
            Plugin,
            {"ceilings", "own_allowed_paths", "own_protected_paths"},
        ),
        (PLAYBOOK_SCHEMA["properties"]["variables"]["additionalProperties"], Variable, set()),
        (PLAYBOOK_SCHEMA["$defs"]["condition"], Condition, set()),
        (PLAYBOOK_SCHEMA["$defs"]["condition"]["properties"]["contains"], Contains, set()),
        (PLAYBOOK_SCHEMA["properties"]["verification"], Verification, set()),
        (PLAYBOOK_SCHEMA["properties"]["pull_request"], PullRequestTemplate, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_schema_has_the_fields_of_the_value_it_describes(
    part: dict[str, Any], struct: type[msgspec.Struct], left_out: set[str]
) -> None:
    assert set(part["properties"]) == {field.name for field in msgspec.structs.fields(struct)} - left_out


def test_the_front_matter_has_the_fields_of_a_playbook() -> None:
    fields = {field.name for field in msgspec.structs.fields(Playbook)} - {"instructions", "includes", "hash", "file"}
    assert set(PLAYBOOK_SCHEMA["properties"]) == fields | {"include"}


GOOD = [
    "version: 1\nplugins: []\n",
    "version: 1\nplugins: [{name: a, repo: a/b, test: pytest}]\n",
    "version: 1.0\nplugins: [{name: a, repo: ./b, test: {command: x, junit: r.xml, paths: ['t/**']}, base: null}]\n",
    "version: 1\ndefaults: {setup: null, test: null, limits: {steps: 4.0, cost_usd: 0.5}}\nplugins: []\n",
    "version: 1\nplugins: []\nschedules: [{playbook: x, cron: '0 4 * * 1', vars: {a: 1, b: true, c: x}}]\n",
    "version: 1\nplugins: [{name: a.b-c_d, repo: x, reviewers: [me, a/b], labels: [good first], network: loopback}]\n",
]
BAD = [
    "[]\n",
    "version: 2\nplugins: []\n",
    "version: true\nplugins: []\n",
    "plugins: []\n",
    "version: 1\n",
    "version: 1\nplugins: {}\n",
    "version: 1\nplugins: [x]\n",
    "version: 1\nplugins: [{name: a}]\n",
    "version: 1\nplugins: [{name: a, repo: ''}]\n",
    "version: 1\nplugins: [{name: -a, repo: a/b}]\n",
    "version: 1\nplugins: [{name: 'a\n', repo: a/b}]\n",
    'version: 1\nplugins: [{name: "a\\n", repo: a/b}]\n',
    "version: 1\nplugins: [{name: a..b, repo: a/b}]\n",
    "version: 1\nplugins: [{name: 7, repo: a/b}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, tests: x}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, test: {}}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, test: [x]}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, test: ''}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, directory: ../x}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, version_file: /etc/passwd}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, topics: [x, x]}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, limits: {steps: 0}}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, limits: {steps: 1.5}}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, limits: {tokns: 1}}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, network: internet}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, base: refs/heads/main}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, base: 'x y'}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, base: x.lock}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, reviewers: ['@me']}]\n",
    "version: 1\nplugins: [{name: a, repo: a/b, labels: [" + "x" * 51 + "]}]\n",
    "version: 1\nplugins: []\nschedules: [{playbook: x, cron: '* * * * *', vars: {a: []}}]\n",
    "version: 1\nplugins: []\nschedules: [{playbook: x, cron: '* * * * *', plugins: []}]\n",
    "version: 1\nplugins: []\nsandbox: none\n",
    "version: 1\nplugins: []\npolicy: {max_files: -1}\n",
]


@pytest.mark.parametrize("text", GOOD + BAD)
def test_our_walk_and_a_full_validator_are_of_one_opinion(text: str) -> None:
    value = parse(text, "f").value
    ours = schema.check(parse(text, "f"), FLEET_SCHEMA)
    assert jsonschema_rs.is_valid(dict(FLEET_SCHEMA), value) is (text in GOOD)
    assert (not ours) is (text in GOOD), ours


_LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.floats(-1, 5)
    | st.sampled_from(
        ["", "a", "a/b", "-x", "none", "full", "1.0.0", "work", "x" * 60, "src/**", "../x", "a\n", "string", "agent"]
    )
)


def _documents(root: schema.Schema) -> st.SearchStrategy[object]:
    """Values that look a little like a document of the schema."""

    def like(node: dict[str, Any], depth: int) -> st.SearchStrategy[object]:
        while "$ref" in node:
            node = root["$defs"][node["$ref"].rpartition("/")[2]]
        if "anyOf" in node:
            return st.one_of(*(like(option, depth) for option in node["anyOf"]), _LEAF)
        if depth == 0:
            return _LEAF
        if "properties" in node:
            keys = {key: like(part, depth - 1) for key, part in node["properties"].items()}
            return st.fixed_dictionaries({}, optional=keys) | st.dictionaries(st.sampled_from([*keys, "zz"]), _LEAF)
        if "items" in node:
            return st.lists(like(node["items"], depth - 1), max_size=2) | _LEAF
        if "enum" in node or "const" in node:
            return st.sampled_from(node.get("enum", [node.get("const")])) | _LEAF
        if isinstance(node.get("additionalProperties"), dict):
            names = st.sampled_from(["a", "B", "depends"])
            return st.dictionaries(names, like(node["additionalProperties"], depth - 1), max_size=2)
        return _LEAF

    return like(dict(root), 4)


@pytest.mark.parametrize("name", SCHEMAS)
@given(data=st.data())
def test_they_agree_on_documents_that_nobody_thought_of(name: str, data: st.DataObject) -> None:
    value = data.draw(_documents(SCHEMAS[name]))
    document = Document(file="f", value=value, lines={})
    ours = schema.check(document, SCHEMAS[name])
    assert (not ours) == jsonschema_rs.is_valid(dict(SCHEMAS[name]), value), ours
