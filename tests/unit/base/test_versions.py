"""Versions in files of many kinds, and the steps between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.versions import bump, entries_in, is_changelog, is_version_file, version_in


@pytest.mark.parametrize(
    ("path", "text", "version"),
    [
        ("pyproject.toml", '[project]\nname = "x"\nversion = "1.2.3"\n', "1.2.3"),
        ("pyproject.toml", '[tool.poetry]\nversion = "1.2.3"\n', "1.2.3"),
        ("pyproject.toml", '[project]\ndynamic = ["version"]\n[tool.x]\nversion = "9"\n', None),
        ("pyproject.toml", "[project\n", None),
        ("Cargo.toml", '[package]\nversion = "0.1.0"\n[dependencies]\nx = { version = "2" }\n', "0.1.0"),
        ("Cargo.toml", '[workspace.package]\nversion = "0.2.0"\n', "0.2.0"),
        ("package.json", '{"name": "x", "version": "4.5.6", "dependencies": {"version": "1"}}', "4.5.6"),
        ("package.json", "[1]", None),
        ("package.json", '{"version": 3}', None),
        ("package.json", "{" * 5000, None),
        ("setup.cfg", "[metadata]\nname = x\nversion = 1.0\n", "1.0"),
        ("setup.cfg", "[metadata]\nversion = attr: x.__version__\n", None),
        ("gradle.properties", "version=2.0.1\n", "2.0.1"),
        ("setup.py", "setup(\n    name='x',\n    version='3.1',\n)\n", "3.1"),
        ("setup.py", "setup(name='x', version='3.1')\n", "3.1"),
        ("src/x/__init__.py", '"""Doc."""\n__version__ = "0.9.1"\n', "0.9.1"),
        ("src/x/_version.py", "__version__: str = '0.9.1'\n", "0.9.1"),
        ("x.gemspec", "Gem::Specification.new do |s|\n  s.version = '1.4.0'\nend\n", "1.4.0"),
        ("lib/x/version.rb", 'module X\n  VERSION = "1.4.0"\nend\n', "1.4.0"),
        ("build.gradle", "version '1.0'\n", "1.0"),
        ("build.gradle.kts", 'version = "1.0"\n', "1.0"),
        ("pom.xml", "<project><parent><version>9</version></parent><version>1.1</version></project>", "1.1"),
        ("VERSION", "\n1.2.3\n", "1.2.3"),
        ("VERSION", "see the changelog\n", None),
        ("VERSION", "", None),
        ("README.md", "nothing\n", None),
    ],
)
def test_a_version_is_found_where_such_files_have_it(path: str, text: str, version: str | None) -> None:
    assert version_in(path, text) == version


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2", "1.2.1", "patch"),
        ("1.2.3", "1.2.3.1", "patch"),
        ("v1.2.3", "v1.3", "minor"),
        ("1.2.3", "1.3.0rc1", "prerelease"),
        ("1.3.0rc1", "1.3.0rc2", "prerelease"),
        ("1.3.0-alpha.1", "1.3.0-beta.1", "prerelease"),
        ("1.3.0rc1", "1.3.0", "minor"),
        ("2.0.0-rc.1", "2.0.0", "major"),
        ("1.3.1rc1", "1.3.1", "patch"),
        ("1.3.0", "1.3.0rc1", "other"),
        ("1.3.0", "1.2.0", "other"),
        ("1.3.0", "1.3.0", "other"),
        ("1.3.0", "1.3.0.post1", "other"),
        ("1.3.0+a", "1.3.0+b", "other"),
        ("1.3.0", "1!0.1.0", "other"),
        ("2024.10", "2025.1", "major"),
        ("1.3.0", "unknown", "other"),
        ("", "1.0", "other"),
    ],
)
def test_a_step_between_versions_has_a_kind(before: str, after: str, kind: str) -> None:
    assert bump(before, after) == kind


@given(a=st.tuples(*[st.integers(0, 99)] * 3), b=st.tuples(*[st.integers(0, 99)] * 3))
def test_no_two_versions_are_a_step_forward_in_both_directions(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    old, new = ".".join(map(str, a)), ".".join(map(str, b))
    kinds = {bump(old, new), bump(new, old)}
    assert "other" in kinds
    assert (len(kinds) == 1) == (a == b)


@given(text=st.text(max_size=300))
def test_reading_never_breaks(text: str) -> None:
    for path in ("pyproject.toml", "package.json", "setup.cfg", "VERSION", "a.py", "pom.xml"):
        version_in(path, text)
    entries_in(text)
    bump(text, "1.0")


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("# Changelog\n\n## [1.2.0] - 2026-01-01\n- see 9.9.9\n\n## 1.1.0\n", ("1.2.0", "1.1.0")),
        ("## v2.0\n### Fixed\n", ("2.0",)),
        ("# Version 3.1.4 (2026)\n", ("3.1.4",)),
        ("## mypackage 3.1.4\n", ("3.1.4",)),
        ("1.2.0 (2026-01-01)\n------------------\n\n* x\n\n1.1\n===\n", ("1.2.0", "1.1")),
        ("Changes\n=======\n\n2.0.1\n\n  fixed\n", ("2.0.1",)),
        ("== 1.0.0\n", ("1.0.0",)),
        ("**1.0.0**\n", ("1.0.0",)),
        ("we depend on 1.2.3\n", ()),
        ("- 1.2.3 was broken\n", ()),
        ("text\n1.2.3 is mentioned in running text\n", ()),
        ("## Unreleased\n", ()),
        ("", ()),
    ],
)
def test_headings_with_versions_are_entries(text: str, versions: tuple[str, ...]) -> None:
    assert entries_in(text) == versions


def test_the_usual_names_count_where_none_is_configured() -> None:
    assert is_version_file("src/x/__init__.py", None)
    assert is_version_file("x.gemspec", None)
    assert not is_version_file("requirements.txt", None)
    assert is_version_file("requirements.txt", "requirements.txt")
    assert is_changelog("CHANGE_LOG.md", None)
    assert is_changelog("HISTORY.rst", None)
    assert not is_changelog("docs/CHANGELOG.md", None)
    assert is_changelog("docs/CHANGELOG.md", "docs/CHANGELOG.md")
