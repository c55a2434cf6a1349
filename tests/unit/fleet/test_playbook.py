"""Playbooks: front matter, shared parts, and everything that can be wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.base.errors import ConfigurationError
from bot.base.values import Condition, Contains, Playbook, Variable, Verification
from bot.fleet.playbook import find_playbooks, playbooks_beside, read_playbook

Write = Callable[..., Path]
Make = Callable[..., Playbook]
Problems = Callable[[Callable[[], object]], list[str]]

REQUEST = "pull_request: {title: Work}\n"


def test_front_matter_and_text_become_a_playbook(playbook: Make) -> None:
    made = playbook(
        """
variables:
  level: {description: How much, choices: [patch, minor], default: patch}
  count: {type: integer, required: false}
applies_if: {exists: pyproject.toml}
done_if:
  - {contains: {path: "*.toml", pattern: "^version"}}
  - {missing: setup.py}
tools: [read_file]
limits: {steps: 5, minutes: 1.5}
allowed_paths: ["src/**"]
opens: [.github/dependabot.yml]
verification: {tests: none, commands: [make lint]}
pull_request: {title: "Do {{ level }}", body: "More\\n", labels: [x]}
let: {a: b}
expect: [{that: holds}]
""",
        "# Work\n\nAt {{ level }}.\n",
    )
    assert (made.id, made.version, made.summary, made.mode, made.result) == (
        "work",
        "1.0.0",
        "Works.",
        "agent",
        "pull_request",
    )
    assert made.variables["level"] == Variable(description="How much", choices=("patch", "minor"), default="patch")
    assert made.applies_if == (Condition(exists="pyproject.toml"),)
    assert made.done_if == (
        Condition(contains=Contains(path="*.toml", pattern="^version")),
        Condition(missing="setup.py"),
    )
    assert made.verification == Verification(tests="none", commands=("make lint",))
    assert made.limits == {"steps": 5, "minutes": 1.5}
    assert made.instructions == "# Work\n\nAt {{ level }}."
    assert (made.let, made.expect) == ({"a": "b"}, ({"that": "holds"},))


def test_shared_parts_are_pasted_in_and_hashed(playbook_file: Write) -> None:
    file = playbook_file(f"include: [parts/one.md, parts/two.md]\n{REQUEST}", "Begin.\n")
    parts = file.parent / "parts"
    parts.mkdir()
    (parts / "one.md").write_bytes(b"\xef\xbb\xbfFirst.\r\n")
    (parts / "two.md").write_text("Second.\n")
    before = read_playbook(file)
    assert before.instructions == "Begin.\n\nFirst.\n\nSecond."
    assert before.includes == ("parts/one.md", "parts/two.md")
    (parts / "two.md").write_text("Second, changed.\n")
    assert read_playbook(file).hash != before.hash


def test_the_hash_follows_what_is_said_and_not_how_it_is_stored(playbook_file: Write) -> None:
    text = f"---\nid: work\nversion: 1.0.0\nsummary: Works.\n{REQUEST}---\nDo it.\n"
    hashes = {
        read_playbook(playbook_file(whole=data)).hash
        for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.replace("\n", "\r\n").encode())
    }
    assert len(hashes) == 1
    assert read_playbook(playbook_file(whole=text.replace("Do it", "Do that"))).hash not in hashes
    assert read_playbook(playbook_file(whole=text.replace("1.0.0", "1.0.1"))).hash not in hashes


MISTAKES = [
    ("", "work.md:1: is empty → begin the file with ---"),
    ("Do it.\n", "work.md:1: has no front matter → begin the file with ---"),
    ("---\nid: work\n", "work.md:1: the front matter does not end → add a line ---"),
    (
        "---\n---\nDo it.\n",
        "work.md:1: `the document` is empty; it has to be a mapping → write id, version and summary",
    ),
    ("---\nid: work\nid: work\n---\nx\n", "work.md:3: `id` is written twice"),
    ("---\nid: [\n---\nx\n", "work.md:3: is no YAML"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_file_that_is_no_playbook_is_said(playbook_file: Write, problems: Problems, text: str, said: str) -> None:
    found = problems(lambda: read_playbook(playbook_file(whole=text)))
    assert any(problem.startswith(said) for problem in found), found


FRONT = [
    ("", "work.md:2: the playbook does not say what its pull request is called → add pull_request: {title: …}"),
    (f"{REQUEST}sumary: x\n", "work.md:6: `sumary` is no known key → known are:"),
    (f"{REQUEST}tool: [x]\n", "work.md:6: `tool` is no known key → write tools"),
    (
        f"{REQUEST}tools: [read_fil]\n",
        'work.md:6: `tools[0]` is "read_fil", which is none of its values → write read_file',
    ),
    (f"{REQUEST}mode: skript\n", 'work.md:6: `mode` is "skript", which is none of its values → write script'),
    (f"{REQUEST}mode: script\n", "work.md:6: a script playbook has no `script` → add script"),
    (f"{REQUEST}mode: script\nscript: x\ntools: [read_file]\n", "work.md:8: a script uses no tools → delete `tools`"),
    (f"{REQUEST}script: x\n", "work.md:6: only script playbooks run a script → write mode: script"),
    (f"{REQUEST}result: answer\n", "work.md:5: a playbook that only looks opens no pull request → delete it"),
    ("pull_request: {body: x}\n", "work.md:5: `title` is missing in `pull_request` → add title: a line"),
    (f"{REQUEST}limits: {{steps: 1.5}}\n", "work.md:6: `limits.steps` is 1.5; it has to be a whole number"),
    (f"{REQUEST}done_if: {{}}\n", "work.md:6: a condition that asks nothing → write {exists: pyproject.toml}"),
    (f"{REQUEST}done_if: exists x\n", 'work.md:6: `done_if` is "exists x"; it has to be a mapping or a list → write'),
    (f"{REQUEST}done_if: [{{exist: x}}]\n", "work.md:6: `exist` is no known key in `done_if[0]` → write exists"),
    (f"{REQUEST}done_if: {{contains: {{path: x, pattern: '('}}}}\n", "work.md:6: `pattern` is no regular expression:"),
    (f"{REQUEST}done_if: {{exists: '{{{{ nam }}}}'}}\n", "work.md:6: the template uses `nam`, which is no variable"),
    (f"{REQUEST}allowed_paths: ['[z-a]']\n", "work.md:6: `[z-a]` is no glob"),
    (f"{REQUEST}allowed_paths: ['../x']\n", 'work.md:6: `allowed_paths[0]` cannot be "../x" → write a glob'),
    (
        f"{REQUEST}verification: {{tests: all}}\n",
        'work.md:6: `verification.tests` is "all", which is none of its values',
    ),
    (
        f"{REQUEST}verification: {{commands: ['x {{{{ y }}}}']}}\n",
        "work.md:6: the template uses `y`, which is no variable",
    ),
    (f"{REQUEST}variables: {{Name: {{}}}}\n", "work.md:6: `Name` is no good name → write a name of lower case letters"),
    (
        f"{REQUEST}variables: {{report: {{}}}}\n",
        "work.md:6: `report` is a name that every template has → choose another",
    ),
    (
        f"{REQUEST}variables: {{a: {{type: text}}}}\n",
        'work.md:6: `variables.a.type` is "text", which is none of its values',
    ),
    (f"{REQUEST}variables: {{a: {{pattern: '('}}}}\n", "work.md:6: `a.pattern` is no regular expression"),
    (
        f"{REQUEST}variables:\n  a:\n    default: 1\n",
        "work.md:8: `a.default` is 1, which is no string → write a default",
    ),
    (
        f"{REQUEST}variables: {{a: {{default: c, choices: [a, b]}}}}\n",
        'work.md:6: `a.default` is "c", but can only be a, b',
    ),
    (
        f"{REQUEST}variables: {{a: {{default: c, pattern: '[0-9]+'}}}}\n",
        'work.md:6: `a.default` is "c", which does not match',
    ),
    (
        f"{REQUEST}variables: {{a: {{type: integer, choices: [a]}}}}\n",
        'work.md:6: `a.choices` has "a", which is no integer',
    ),
    (
        f"{REQUEST}variables: {{a: {{type: integer, default: true}}}}\n",
        "work.md:6: `a.default` is true, which is no integer",
    ),
    (
        f"{REQUEST}variables: {{a: {{type: integer, untrusted: true}}}}\n",
        "work.md:6: `a.untrusted` only text can be untrusted",
    ),
    (
        f"{REQUEST}mode: script\nscript: x\nvariables: {{a: {{untrusted: true}}}}\n",
        "work.md:8: `a` is untrusted text, and a script",
    ),
    (
        "pull_request: {title: 'Fix {{ a }}'}\nvariables: {a: {untrusted: true}}\n",
        "work.md:5: `a` is untrusted text and cannot",
    ),
    (
        f"{REQUEST}done_if: {{command: 'x {{{{ a }}}}'}}\nvariables: {{a: {{untrusted: true}}}}\n",
        "work.md:6: `a` is untrusted text",
    ),
    (f"{REQUEST}include: [../../secrets.md]\n", 'work.md:6: `include[0]` cannot be "../../secrets.md"'),
    (f"{REQUEST}include: [/etc/passwd]\n", "work.md:6: `include[0]` cannot be"),
    (f"{REQUEST}include: [https://example.org/x.md]\n", "work.md:6: `https://example.org/x.md` is a URL"),
    (f"{REQUEST}include: [parts/none.md]\n", "work.md:6: `parts/none.md` does not exist"),
    (f'{REQUEST}include: ["a\\0b"]\n', "work.md:6: `include[0]` cannot be"),
]


@pytest.mark.parametrize(("front", "said"), FRONT, ids=[said[:70] for _, said in FRONT])
def test_a_mistake_is_named_with_its_line_and_what_to_write_instead(
    playbook_file: Write, problems: Problems, front: str, said: str
) -> None:
    found = problems(lambda: read_playbook(playbook_file(front)))
    assert any(problem.startswith(said) for problem in found), found


def test_the_file_is_called_as_the_playbook(playbook_file: Write, problems: Problems) -> None:
    file = playbook_file(REQUEST)
    other = file.rename(file.with_name("other.md"))
    assert problems(lambda: read_playbook(other)) == [
        "other.md:2: `id` is work, the file is called other.md → write id: other, or rename the file"
    ]


def test_an_agent_playbook_without_instructions_is_refused(playbook_file: Write, problems: Problems) -> None:
    assert problems(lambda: read_playbook(playbook_file(REQUEST, "\n")))[0].startswith(
        "work.md:2: the playbook has no instructions"
    )


def test_a_version_without_quotes_that_yaml_reads_as_a_number_is_explained(
    playbook_file: Write, problems: Problems
) -> None:
    whole = f"---\nid: work\nversion: 1.0\nsummary: x\n{REQUEST}---\nx\n"
    assert problems(lambda: read_playbook(playbook_file(whole=whole))) == [
        'work.md:3: `version` is 1.0; it has to be text → put it in quotes: "1.0"'
    ]


def test_lines_of_templates_are_those_of_the_file(playbook_file: Write, problems: Problems) -> None:
    front = "include: [part.md]\npull_request:\n  title: Work\n  body: |\n    one\n    {{ two }}\n"
    file = playbook_file(front, "# Head\n\n{{ three }}\n{% if four %}x{% endif %}\n")
    (file.parent / "part.md").write_text("a\nb\n{{ five }}\n")
    found = problems(lambda: read_playbook(file))
    assert [problem.partition(",")[0] for problem in found] == [
        "part.md:3: the template uses `five`",
        "work.md:10: the template uses `two`",
        "work.md:14: the template uses `three`",
        "work.md:15: the template uses `four`",
    ]


def test_a_link_out_of_the_folder_is_not_followed(playbook_file: Write, problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "secrets.md").write_text("secret")
    file = playbook_file(f"include: [innocent.md]\n{REQUEST}")
    (file.parent / "innocent.md").symlink_to(tmp_path / "secrets.md")
    assert "leads out of the playbooks' folder" in problems(lambda: read_playbook(file))[0]


def test_a_part_that_is_no_text_is_said(playbook_file: Write, problems: Problems) -> None:
    file = playbook_file(f"include: [part.md]\n{REQUEST}")
    (file.parent / "part.md").write_bytes(b"\xff")
    assert "has bytes that are no UTF-8" in problems(lambda: read_playbook(file))[0]


def test_a_playbook_that_is_no_utf_8_is_said(playbook_file: Write, problems: Problems) -> None:
    assert problems(lambda: read_playbook(playbook_file(whole=b"---\nid: \xe9\n")))[0].startswith(
        "work.md:2: has bytes"
    )


def test_own_playbooks_come_first_and_the_shipped_ones_are_still_there(playbook_file: Write) -> None:
    mine = playbook_file(REQUEST, name="fix_bug")
    (mine.parent / "README.md").write_text("about")
    found = find_playbooks(mine.parent)
    assert found["fix_bug"] == mine
    assert found["bump_version"].name == "bump_version.md"
    assert "README" not in found


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no folder"):
        find_playbooks(tmp_path / "none")


def test_the_folder_beside_the_manifest_is_found(tmp_path: Path) -> None:
    assert playbooks_beside(tmp_path / "fleet.yaml") is None
    (tmp_path / "playbooks").mkdir()
    assert playbooks_beside(tmp_path / "fleet.yaml") == tmp_path / "playbooks"


SHIPPED = (
    "add_editorconfig", "add_fix_workflow", "bump_version", "command_and_capture", "copy_file", "fix_bug", "list_files",
    "read_specific_file", "update_dependency", "update_description",
)  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_playbook_is_in_order(name: str) -> None:
    shipped = read_playbook(find_playbooks(None)[name])
    assert shipped.hash
    assert "$schema=../docs/schemas/playbook.schema.json" in Path(shipped.file).read_text(encoding="utf-8")
    looks_only = name in {"list_files", "read_specific_file", "command_and_capture"}
    assert (shipped.result == "answer") is looks_only
    assert (shipped.mode == "script") is (name in {"add_editorconfig", "add_fix_workflow"})


def test_no_playbook_is_shipped_that_is_not_tested_here() -> None:
    assert tuple(find_playbooks(None)) == SHIPPED


def test_the_page_on_writing_playbooks_names_every_key(project: Path) -> None:
    from bot.fleet.playbook_schema import PLAYBOOK_SCHEMA

    page = (project / "playbooks" / "README.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    properties = PLAYBOOK_SCHEMA["properties"]
    assert set(properties) <= rows
    assert {f"verification.{key}" for key in properties["verification"]["properties"]} <= rows
    assert {f"pull_request.{key}" for key in properties["pull_request"]["properties"]} <= rows
