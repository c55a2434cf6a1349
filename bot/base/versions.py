"""Versions and changelog entries, read out of files of many kinds, and what kind of step a change of version is."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, Literal

from bot.base.glob import any_matches

Bump = Literal["major", "minor", "patch", "prerelease", "other"]

VERSION_FILES = (
    "pyproject.toml",
    "package.json",
    "composer.json",
    "Cargo.toml",
    "setup.cfg",
    "setup.py",
    "pom.xml",
    "gradle.properties",
    "build.gradle{,.kts}",
    "*.gemspec",
    "{VERSION,VERSION.txt,version.txt,.version}",
    "**/{__init__,__about__,_version,version}.py",
    "lib/**/version.rb",
    "mix.exs",
)
"""Where versions stand by custom, relative to the plugin, for plugins that name no version file."""
CHANGELOGS = ("{CHANGELOG,CHANGE_LOG,CHANGES,HISTORY,NEWS,RELEASES}{,.md,.rst,.txt}",)
"""The same for changelogs."""

_ASSIGNED = re.compile(
    r"""^[ \t]*(?:[\w.]+\.)?["']?(?:__version__|version|VERSION)["']?[ \t]*(?::[ \t]*str[ \t]*)?"""
    r"""(?:=|:|[ \t])[ \t]*["']([^"'\n]{1,60})["']""",
    re.MULTILINE,
)
_KEYWORD = re.compile(r"""[(,][ \t]*version[ \t]*=[ \t]*["']([^"'\n]{1,60})["']""")
_PROPERTY = re.compile(r"^[ \t]*version[ \t]*[=:][ \t]*([^\s#]{1,60})", re.MULTILINE | re.IGNORECASE)
_POM = re.compile(r"<version>\s*([^<\s]{1,60})\s*</version>")
_PARENT = re.compile(r"<parent>.*?</parent>", re.DOTALL)


def is_version_file(path: str, configured: str | None) -> bool:
    """Whether a file, by its path relative to the plugin, can hold the plugin's version."""
    return path == configured if configured else any_matches(path, VERSION_FILES)


def is_changelog(path: str, configured: str | None) -> bool:
    """Whether a file, by its path relative to the plugin, is its changelog."""
    return path == configured if configured else any_matches(path, CHANGELOGS)


def version_in(path: str, text: str) -> str | None:
    """The version that a file states, or None."""
    name = path.rsplit("/", 1)[-1]
    try:
        if name.endswith(".toml"):
            return _toml(tomllib.loads(text))
        if name.endswith(".json"):
            return _text(json.loads(text), "version")
    except (ValueError, RecursionError):
        return None
    if name == "pom.xml":
        return _first(_POM, _PARENT.sub("", text))
    if name.endswith((".cfg", ".ini", ".properties")):
        found = _first(_PROPERTY, text)
        return None if found and found.startswith(("attr:", "file:")) else found
    if name.lower() in {"version", "version.txt", ".version"}:
        line = text.strip().splitlines()[0].strip() if text.strip() else ""
        return line if _parse(line) else None
    return _first(_ASSIGNED, text) or _first(_KEYWORD, text)


def entries_in(text: str) -> tuple[str, ...]:
    """The versions that a changelog has headings for, in order: markdown, reStructuredText, or set off by a line."""
    found: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = _HEADING.match(line[:200])
        if match is None:
            continue
        below = lines[number + 1] if number + 1 < len(lines) else ""
        above = lines[number - 1].strip() if number else ""
        plain = not match["mark"]
        if not plain or _UNDERLINE.fullmatch(below[:200]) or (not above and not line[0].isspace()):
            found.append(match["version"].rstrip(".:"))
    return tuple(dict.fromkeys(found))


_HEADING = re.compile(
    r"(?P<mark>#{1,6}[ \t]+|={1,6}[ \t]+)?(?:\*\*)?\[?(?:[A-Za-z][\w-]*[ \t]+){0,2}"
    r"[vV]?(?P<version>\d+(?:\.\d+)+[\w.+-]*)\]?(?:\*\*)?(?=$|[\s:,(\[-])"
)
_UNDERLINE = re.compile(r"[ \t]*([=~^*+#-])\1{2,}[ \t]*")


def bump(before: str, after: str) -> Bump:
    """What kind of step it is, by the rules that semver and PEP 440 share; backwards or unreadable is `other`."""
    old, new = _parse(before), _parse(after)
    if old is None or new is None or old[0] != new[0]:
        return "other"
    width = max(len(old[1]), len(new[1]), 3)
    a, b = (release + (0,) * (width - len(release)) for release in (old[1], new[1]))
    if b < a:
        return "other"
    if a == b:
        return _same_release(a, old[2], new[2])
    if new[2]:
        return "prerelease"
    at = next(i for i in range(width) if a[i] != b[i])
    steps: tuple[Bump, ...] = ("major", "minor", "patch")
    return steps[min(at, 2)]


def _same_release(release: tuple[int, ...], old: str, new: str) -> Bump:
    if new and old:
        return "prerelease" if old != new else "other"
    if new or not old:
        return "other"
    # 2.0.0rc1 → 2.0.0 brings what 2.0.0 was announced for.
    if any(release[2:]):
        return "patch"
    return "minor" if release[1] else "major"


_VERSION = re.compile(
    r"[vV=]?(?:(?P<epoch>\d{1,9})!)?(?P<release>\d{1,18}(?:\.\d{1,18}){0,7})"
    r"(?P<pre>[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview|dev|snapshot|next|canary)[\w.-]*)?"
    r"(?P<post>(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*|\.(?:final|release|ga))?)(?:\+[\w.-]+)?",
    re.IGNORECASE,
)


def _parse(version: str) -> tuple[int, tuple[int, ...], str] | None:
    match = _VERSION.fullmatch(version.strip()[:100])
    if match is None:
        return None
    release = tuple(int(part) for part in match["release"].split("."))
    return int(match["epoch"] or 0), release, match["pre"] or ""


def _toml(data: dict[str, Any]) -> str | None:
    for keys in (
        ("project",),
        ("package",),
        ("workspace", "package"),
        ("tool", "poetry"),
        ("tool", "flit", "metadata"),
    ):
        found = _text(data, *keys, "version")
        if found is not None:
            return found
    return None


def _text(data: object, *keys: str) -> str | None:
    for key in keys:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data if isinstance(data, str) else None


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None
