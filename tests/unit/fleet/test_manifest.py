"""fleet.yaml: what it says, and what it says when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.base.errors import ConfigurationError
from bot.base.values import Limits, TestCommand
from bot.fleet import cron, repository
from bot.fleet.manifest import Manifest, read_manifest
from bot.publish.gate import Policy

Fleet = Callable[[str], Manifest]
Write = Callable[[str | bytes], Path]
Problems = Callable[[Callable[[], object]], list[str]]


def plugin(lines: str) -> str:
    return f"version: 1\nplugins:\n  - name: a\n    repo: acme/a\n{lines}"


def test_the_contracts_example_is_understood(fleet: Fleet) -> None:
    manifest = fleet(
        """
version: 1
defaults: {base: null, labels: [fleet-bot], reviewers: [], draft: true,
           limits: {steps: 40, minutes: 20, tokens: 500000, cost_usd: 1.0, command_seconds: 300}}
plugins:
  - name: my-first-plugin
    repo: acme/my-first-plugin
    base: main
    topics: [python]
    setup: python -m pip install -e .[test]
    test: python -m pytest -q
    version_file: pyproject.toml
    changelog: CHANGE_LOG.md
    allowed_paths: ["src/**", "tests/**"]
schedules: [{playbook: update_dependency, cron: "0 4 * * 1", select: "topic:python", vars: {dependency: requests}}]
"""
    )
    (only,) = manifest.plugins
    assert (only.name, only.repo, only.base, only.topics) == (
        "my-first-plugin",
        "acme/my-first-plugin",
        "main",
        ("python",),
    )
    assert only.test == TestCommand(command="python -m pytest -q")
    assert only.labels == ("fleet-bot",)
    assert only.limits == Limits()
    assert only.allowed_paths == ("src/**", "tests/**")
    assert manifest.schedules[0].vars == {"dependency": "requests"}
    assert (manifest.sandbox, manifest.policy) == ("strict", Policy())


def test_an_empty_fleet_is_a_fleet(fleet: Fleet) -> None:
    assert fleet("version: 1\nplugins: []\n").plugins == ()


def test_a_plugins_own_value_replaces_the_default_and_null_takes_it_away(fleet: Fleet) -> None:
    manifest = fleet(
        """
version: 1
defaults: {labels: [a], setup: make deps, test: make test, draft: false, limits: {steps: 30, minutes: 10}}
plugins:
  - {name: one, repo: acme/one, labels: [b], setup: null, limits: {steps: 50.0}}
  - {name: two, repo: acme/two, test: {command: npm test, junit: r.xml, paths: ["t/**"]}, draft: true}
"""
    )
    one, two = manifest.plugins
    assert (one.labels, one.setup, one.test, one.draft) == (("b",), None, TestCommand(command="make test"), False)
    assert (one.limits.steps, one.limits.minutes, one.limits.tokens) == (50, 10.0, 500_000)
    assert one.ceilings == ("minutes", "steps")
    assert two.test == TestCommand(command="npm test", junit="r.xml", paths=("t/**",))
    assert two.draft


def test_several_projects_can_live_in_one_repository(fleet: Fleet) -> None:
    manifest = fleet(
        "version: 1\nplugins:\n  - {name: a, repo: acme/x, directory: ./packages//a/}\n  - {name: b, repo: acme/x}\n"
    )
    assert [one.directory for one in manifest.plugins] == ["packages/a", "."]


def test_policy_and_sandbox_are_read(fleet: Fleet) -> None:
    manifest = fleet(
        "version: 1\nplugins: []\nsandbox: best-effort\npolicy: {max_files: 5.0, protected: ['docs/**']}\n"
    )
    assert (manifest.sandbox, manifest.policy) == ("best-effort", Policy(max_files=5, protected=("docs/**",)))


@pytest.mark.parametrize(
    ("repo", "known_as"),
    [
        ("acme/plugin.js", "acme/plugin.js"),
        ("Acme_Corp/x", "Acme_Corp/x"),
        ("https://git.example.org:8443/team/group/x", "https://git.example.org:8443/team/group/x"),
        ("./x", "{here}/x"),
        ("../x", "{above}/x"),
        (".", "{here}"),
        ("/srv/x", "/srv/x"),
    ],
)
def test_a_repository_has_three_forms_and_paths_become_absolute(
    fleet_file: Write, tmp_path: Path, repo: str, known_as: str
) -> None:
    manifest = read_manifest(fleet_file(f"version: 1\nplugins: [{{name: a, repo: '{repo}'}}]\n"))
    assert manifest.plugins[0].repo == known_as.format(here=tmp_path, above=tmp_path.parent)


def test_a_path_is_seen_from_the_manifest_and_not_from_where_one_stands(
    fleet_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet_file("version: 1\nplugins: [{name: a, repo: ./a}]\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_manifest(Path("../fleet.yaml")).plugins[0].repo == str(tmp_path / "a")


def test_a_home_folder_is_written_out(fleet_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert read_manifest(fleet_file(plugin("").replace("acme/a", "~/a"))).plugins[0].repo == str(tmp_path / "home/a")


@pytest.mark.parametrize(
    "repo",
    [
        "../../x",
        "./../x",
        "/srv/../etc",
        "~root/x",
        "owner/repo.git --upload-pack=touch /tmp/x",
        "owner/repo --upload-pack=x",
        "owner/repo\n",
        "--upload-pack=x",
        "-x/y",
        "owner/-x",
        "owner/..",
        "owner/.",
        "owner/a/../../b",
        "owner/repo.git",
        "owner/re po",
        "owner\\repo",
        "owner/$(id)",
        "file:///etc/passwd",
        "ext::sh -c id",
        "git@github.com:acme/x.git",
        "ssh://git@github.com/acme/x",
        "http://github.com/acme/x",
        "https://github.com/",
        "https://github.com/acme",
        "https://token@github.com/acme/x",
        "https://u:p@github.com/acme/x",
        "https://github.com/acme/../x",
        "https://github.com/acme/x?y=1",
        "https://github.com/acme/x#y",
        "https://github.com\\@evil.example/acme/x",
        "https://attacker.example\x00.github.com/acme/x",
        "https:///acme/x",
        "https://-h/acme/x",
        "just-a-word",
    ],
)
def test_a_hostile_repository_is_refused_with_a_cure(repo: str) -> None:
    wrong = repository.trouble(repo)
    assert wrong is not None
    assert wrong[1]


MISTAKES = [
    ("", "fleet.yaml:1: `the document` is empty; it has to be a mapping → write version: 1 and plugins:"),
    ("[]\n", "fleet.yaml:1: `the document` is []; it has to be a mapping"),
    ("version: 1\n", "fleet.yaml:1: `plugins` is missing → add plugins: a list, or [] for none"),
    ("version: 2\nplugins: []\n", "fleet.yaml:1: `version` is 2 → write 1"),
    ("plugins: []\n", "fleet.yaml:1: `version` is missing → add version: 1"),
    ("version: 1\nplugins: []\npolcy: {}\n", "fleet.yaml:3: `polcy` is no known key → write policy"),
    ("version: 1\nplugins: []\nzzz: {}\n", "fleet.yaml:3: `zzz` is no known key → known are: version, defaults,"),
    (
        "version: 1\nplugins: []\ndefaults:\n  label: [x]\n",
        "fleet.yaml:4: `label` is no known key in `defaults` → write labels",
    ),
    (
        "version: 1\nplugins: []\nsandbox: bestefort\n",
        'fleet.yaml:3: `sandbox` is "bestefort", which is none of its values → write best-effort',
    ),
    ("version: 1\nplugins: [a]\n", 'fleet.yaml:2: `plugins[0]` is "a"; it has to be a mapping → write {name:'),
    (
        "version: 1\nplugins:\n  - name: a\n",
        "fleet.yaml:3: `repo` is missing in `plugins[0]` → add repo: owner/name, https:",
    ),
    (plugin("    tests: x\n"), "fleet.yaml:5: `tests` is no known key in `plugins[0]` → write test"),
    (plugin("    test: {comand: x}\n"), "fleet.yaml:5: `comand` is no known key in `plugins[0].test` → write command"),
    (
        plugin("    test: 7\n"),
        "fleet.yaml:5: `plugins[0].test` is 7; it has to be text or a mapping → put it in quotes",
    ),
    (
        plugin("    topics: python\n"),
        'fleet.yaml:5: `plugins[0].topics` is "python"; it has to be a list → write a list: [python]',
    ),
    (plugin("    topics: [py thon]\n"), 'fleet.yaml:5: `plugins[0].topics[0]` cannot be "py thon" → write a word'),
    (plugin("    draft: yes\n"), 'fleet.yaml:5: `plugins[0].draft` is "yes"; it has to be true or false → write true'),
    (plugin("    base: -x\n"), 'fleet.yaml:5: `plugins[0].base` cannot be "-x" → write a branch such as main'),
    (plugin("    base: 7\n"), 'fleet.yaml:5: `plugins[0].base` is 7; it has to be text → put it in quotes: "7"'),
    (plugin("    directory: ../x\n"), 'fleet.yaml:5: `plugins[0].directory` cannot be "../x" → write a folder'),
    (
        plugin("    reviewers: ['@me']\n"),
        'fleet.yaml:5: `plugins[0].reviewers[0]` cannot be "@me" → write a login (without @)',
    ),
    (plugin("    labels: ['']\n"), "fleet.yaml:5: `plugins[0].labels[0]` is empty text → write a label"),
    (
        plugin("    limits:\n      steps: 0\n"),
        "fleet.yaml:6: `plugins[0].limits.steps` is 0 → write a number of more than 0",
    ),
    (
        plugin("    limits:\n      step: 4\n"),
        "fleet.yaml:6: `step` is no known key in `plugins[0].limits` → write steps",
    ),
    (
        plugin("    allowed_paths: ['/etc/**']\n"),
        'fleet.yaml:5: `plugins[0].allowed_paths[0]` cannot be "/etc/**" → write a glob',
    ),
    (plugin("    allowed_paths: ['[z-a]']\n"), "fleet.yaml:5: `[z-a]` is no glob: bad character range"),
    (
        plugin("    allowed_paths: ['" + "**/" * 9 + "x']\n"),
        "fleet.yaml:5: `**/**/**/**/**/**/**/**/**/x` has more than",
    ),
    (plugin("    test: {command: x, paths: ['[z-a]']}\n"), "fleet.yaml:5: `[z-a]` is no glob"),
    (
        plugin("    network: internet\n"),
        'fleet.yaml:5: `plugins[0].network` is "internet", which is none of its values → write one of none,',
    ),
    (plugin("  - name: A\n    repo: acme/b\n"), "fleet.yaml:5: the name A is taken, see line 3 → write another name"),
    (
        plugin("  - name: b\n    repo: Acme/A\n"),
        "fleet.yaml:6: Acme/A is in the fleet already, see line 4 → delete one, or",
    ),
    (
        plugin("  - name: b\n    repo: ../../x\n"),
        'fleet.yaml:6: `repo` is "../../x": it climbs out of its folder → write the absolute',
    ),
    (
        plugin("schedules:\n  - playbook: x\n"),
        'fleet.yaml:6: `cron` is missing in `schedules[0]` → add cron: "0 4 * * 1"',
    ),
    (plugin("schedules:\n  - playbook: x\n    cron: 4 * * *\n"), "fleet.yaml:7: `cron` has 4 fields → write five:"),
    (
        plugin("schedules: [{playbook: x, cron: '@daily'}]\n"),
        "fleet.yaml:5: `cron` is @daily, which Actions does not know",
    ),
    (
        plugin("schedules: [{playbook: x, cron: '0 0 * * 7'}]\n"),
        "fleet.yaml:5: `cron` has 7 as day of the week: 7 is no day, Sunday is 0",
    ),
    (
        plugin("schedules: [{playbook: x, cron: '0 0 * * *', select: 'topc:x'}]\n"),
        "fleet.yaml:5: The selection `topc:x` is wrong at character 1",
    ),
    (
        plugin("schedules: [{playbook: x, cron: '0 0 * * *', plugins: [aa]}]\n"),
        "fleet.yaml:5: there is no plugin aa → write a",
    ),
    (
        plugin("schedules: [{playbook: x, cron: '0 0 * * *', vars: {a: [1]}}]\n"),
        "fleet.yaml:5: `schedules[0].vars.a` is [1]; it has to be text or",
    ),
    (plugin("policy: {max_files: many}\n"), 'fleet.yaml:5: `policy.max_files` is "many"; it has to be a whole number'),
    ("version: 1\n\tplugins: []\n", "fleet.yaml:2: is no YAML: a tab indents this line → indent with spaces"),
    (
        "version: 1\nplugins: []\nplugins: []\n",
        "fleet.yaml:3: `plugins` is written twice → keep one; the first is in line 2",
    ),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[said[:60] for _, said in MISTAKES])
def test_a_mistake_is_named_with_its_line_and_what_to_write_instead(
    fleet_file: Write, problems: Problems, text: str, said: str
) -> None:
    found = problems(lambda: read_manifest(fleet_file(text)))
    assert any(problem.startswith(said) for problem in found), found


def test_all_mistakes_are_listed_at_once_in_the_order_of_the_lines(fleet_file: Write, problems: Problems) -> None:
    text = (
        "version: 3\ndefaults: {drft: true}\nplugins:\n  - name: a b\n    repo: ../../x\n"
        "  - {name: c, repo: a/b, tets: 1}\n  - {name: C, repo: a/c}\nschedules: [{playbook: x, cron: x}]\n"
    )
    found = problems(lambda: read_manifest(fleet_file(text)))
    assert [int(problem.split(":")[1]) for problem in found] == [1, 2, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_mark_and_line_endings_change_nothing(
    fleet_file: Write, problems: Problems, ending: str, mark: bytes
) -> None:
    text = plugin("").replace("\n", ending).encode()
    assert read_manifest(fleet_file(mark + text)).plugins[0].name == "a"
    found = problems(lambda: read_manifest(fleet_file(mark + text + f"    zz: 1{ending}".encode())))
    assert found[0].startswith("fleet.yaml:5: `zz` is no known key")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"version: 1\n# \xe9\n", "fleet.yaml:2: has bytes that are no UTF-8"),
        ("v".encode("utf-16"), "fleet.yaml:1: is UTF-16"),
    ],
)
def test_bytes_that_are_no_utf_8_are_named(fleet_file: Write, problems: Problems, data: bytes, said: str) -> None:
    assert problems(lambda: read_manifest(fleet_file(data)))[0].startswith(said)


def test_a_manifest_that_is_not_there_is_said_with_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has a mistake") as caught:
        read_manifest(tmp_path / "fleet.yaml")
    (problem,) = caught.value.problems
    assert "no such file" in problem.what
    assert "--manifest" in problem.cure


def test_a_folder_instead_of_a_manifest_is_said(tmp_path: Path, problems: Problems) -> None:
    assert "cannot be read: Is a directory" in problems(lambda: read_manifest(tmp_path))[0]


@pytest.mark.parametrize(
    "text",
    [
        "0 4 * * 1",
        "*/5 * * * *",
        "0,30 1-5/2 1,15 JAN-mar MON-FRI",
        "59 23 31 12 0",
        "7/10 * * * sun",
        "10-50/20 * * * *",
    ],
)
def test_cron_as_actions_knows_it_is_taken(text: str) -> None:
    assert cron.trouble(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 32 * *", "0 0 * 13 *",
        "0 0 * * FUN",
        "*/0 * * * *", "5-1 * * * *", "a * * * *", "1,,2 * * * *", "-1 * * * *", "* * * * *", "*/2 * * * *",
        "1,2 * * * *",
        "@hourly", "٣ * * * *", "1//2 * * * *", "*-5 * * * *",
    ],
)  # fmt: skip
def test_cron_that_actions_refuses_is_refused(text: str) -> None:
    assert cron.trouble(text) is not None
