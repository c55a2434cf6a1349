"""`profile.yaml`: every mistake with its line, and nothing that is not meant."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from planted_profiles import plant

from bot.base.errors import ConfigurationError
from bot.virtual.plugin import find_virtual_fleet, read_virtual_fleet
from bot.virtual.profile import find_profiles
from bot.virtual.profile_reader import read_profile

WRONG = """\
summary: ""
form: repo
facts:
  a: {file: /etc/passwd}
  b: {file: x, python: {contains: "def ("}}
  c: {any: [nobody]}
commands:
  - {when: b}
  - {run: x, respond: {exit: 999, sekonds: 1}}
faults:
  - {id: f, kind: explode}
"""
DEEPER = """\
summary: x
files: {../evil: text, /abs: text, ok: {base64: "%%%"}}
facts:
  a: {any: [b]}
  b: {not: a}
  c: {file: x, matches: "("}
  d: {file: x, python: {returns: "a; b"}}
  e: fixd
  fixed: {file: x}
suite: {fails: [{unless: never, body: "["}]}
commands:
  - {run: x, when: [a], respond: {}}
faults:
  - {id: f, kind: hang}
  - {id: f, kind: flood}
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        read_profile(plant(tmp_path, text))
    return [f"{problem.line}: {problem.what}" for problem in error.value.problems]


def test_all_mistakes_of_form_are_named_with_their_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, WRONG)
    assert [line.partition(":")[0] for line in found] == ["1", "2", "4", "8", "9", "9", "11"]
    assert "`form` is no known key" in found[1]


def test_all_mistakes_of_meaning_are_named_with_their_lines(tmp_path: Path) -> None:
    text = DEEPER.replace("when: [a]", "when: a")
    found = problems(tmp_path, text)
    assert [line.partition(":")[0] for line in found] == ["4", "5", "6", "7", "8", "10", "10", "15"]
    assert any("there is no fact called fixd" in line for line in found)
    assert any("rests on itself" in line for line in found)


def test_files_that_leave_the_workspace_or_cannot_be_read_are_mistakes(tmp_path: Path) -> None:
    found = problems(tmp_path, "summary: x\nfrom: nowhere\nfiles: {../evil: text, /abs: text, ok: {base64: '%%%'}}\n")
    assert len(found) == 4


def test_a_suite_is_needed_where_one_answers(tmp_path: Path) -> None:
    assert "no suite" in problems(tmp_path, "summary: x\ncommands: [{run: x, respond: {suite: true}}]\n")[0].replace(
        "answers with a suite, but there is none", "no suite"
    )


@pytest.mark.parametrize("text", ["", "- list", "summary: [", "summary: x\nsummary: y"])
def test_what_is_no_profile_is_said_so(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        read_profile(tmp_path / "profile.yaml")


def test_files_come_from_a_folder_and_from_the_profile_which_wins(tmp_path: Path) -> None:
    file = plant(
        tmp_path,
        "summary: x\nfrom: repo\n"
        "files: {README.md: mine, run: {text: '#!/bin/sh', executable: true}, l: {link: run}, z: {base64: AAE=}}\n",
    )
    (tmp_path / "repo" / "script").write_text("#!")
    (tmp_path / "repo" / "script").chmod(0o755)
    (tmp_path / "repo" / "link").symlink_to("script")
    (tmp_path / "repo" / "__pycache__").mkdir()
    (tmp_path / "repo" / "__pycache__" / "x.pyc").write_bytes(b"")
    files = read_profile(file).files
    assert files["README.md"].data == b"mine"
    assert files["src/calc.py"].data.startswith(b"def add")
    assert (files["run"].executable, files["script"].executable, files["z"].data) == (True, True, b"\0\1")
    assert (files["l"].link, files["link"].link) == ("run", "script")
    assert not any("pycache" in path for path in files)


def test_with_a_twin_its_newest_commit_is_what_is_there(tmp_path: Path) -> None:
    twins = {plugin.name: plugin for plugin in read_virtual_fleet(find_virtual_fleet())}
    files = read_profile(plant(tmp_path, "summary: x\nfrom: repo\n"), twin=twins["atlas"]).files
    assert files["tools/count"].executable
    assert files["data/latest"].link == "öar och städer.csv"
    assert files[".gitattributes"].data == b"*.csv text eol=crlf\n"
    assert "tests/test_calc.py" not in files
    # One that lives in another one's repository sees all of that.
    assert "packages/cli/convert.py" in read_profile(tmp_path / "profile.yaml", twin=twins["workshop-cli"]).files


def test_the_hash_changes_with_every_part(tmp_path: Path) -> None:
    text = "summary: x\nfrom: repo\n"
    base = read_profile(plant(tmp_path, text)).hash
    assert read_profile(plant(tmp_path, text)).hash == base
    others = [
        read_profile(plant(tmp_path, text + more)).hash
        for more in ("state: {a: 1}\n", "files: {README.md: y}\n", "faults: [{id: f, kind: hang}]\n")
    ]
    assert len({base, *others}) == 4


def test_a_profile_cannot_be_changed(tmp_path: Path) -> None:
    profile = read_profile(plant(tmp_path, "summary: x\n"))
    with pytest.raises(AttributeError):
        profile.name = "y"  # type: ignore[misc]
    assert msgspec.structs.replace(profile, name="y").name == "y"


def test_profiles_are_found_by_their_folder(tmp_path: Path) -> None:
    plant(tmp_path / "b", "summary: x\n", files={})
    plant(tmp_path / "a", "summary: x\n", files={})
    (tmp_path / "c").mkdir()
    assert list(find_profiles(tmp_path)) == ["a", "b"]
