"""JUnit XML as the runners of many languages write it, read without trusting it."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_REMEMBERED = 8 << 10
"""Bytes up to which a result is read once: trials give the same ones again and again."""
_RANK = ("passed", "skipped", "failed", "error")


def junit(data: bytes) -> dict[str, str]:
    """Test id (`classname::name`) → passed, failed, error or skipped, in the order of the file.

    Suites may be nested. A name that occurs again gets a number (`name#2`), so that parametrised tests with one name
    stay apart; a test that was run again by the runner until it passed counts as passed. Raises `ValueError` when it is
    no JUnit XML, or declares entities.
    """
    return dict(_short(data) if len(data) <= _REMEMBERED else _read(data))


def _read(data: bytes) -> dict[str, str]:
    # No entities, no expansion, nothing fetched. UTF-16 would hide a declaration from this search.
    if b"\0" in data[:1000] or _DECLARATION.search(data):
        msg = "the XML declares a document type or entities, or is not UTF-8"
        raise ValueError(msg)
    # Only a suite's results need the parser: imported here, it stays out of the start of every command.
    from xml.etree.ElementTree import ParseError, fromstring

    try:
        root = fromstring(data)  # noqa: S314
    except (ParseError, LookupError, ValueError, RecursionError) as error:
        msg = f"no XML: {error}"
        raise ValueError(msg) from error
    if _local(root) not in {"testsuites", "testsuite"}:
        msg = f"no JUnit XML: the root is <{_local(root)[:40]}>"
        raise ValueError(msg)
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for name, status in _cases(root):
        unique = name
        while unique in found:
            # Counted and not searched for from 2 on: a file with a million cases of one name must not take for ever.
            seen[name] += 1
            unique = f"{name}#{seen[name] + 1}"
        found[unique] = status
    return found


_short = functools.lru_cache(maxsize=256)(_read)


def _cases(root: Element) -> Iterator[tuple[str, str]]:
    for case in root.iter():
        if _local(case) == "testcase":
            yield _name(case), _status(case)


def _name(case: Element) -> str:
    owner = case.get("classname") or case.get("class") or case.get("file") or ""
    return f"{owner}::{case.get('name') or ''}" if owner else case.get("name") or "(no name)"


def _status(case: Element) -> str:
    """The worst of what is said of a case. `rerunFailure` and `flakyFailure` are earlier tries and do not count."""
    said = {_local(child) for child in case}
    named = {"skipped": "skipped", "ignored": "skipped", "disabled": "skipped", "failure": "failed", "error": "error"}
    found = {named[tag] for tag in said if tag in named}
    if not found and (case.get("status") in {"skipped", "notrun", "disabled"} or case.get("result") == "skipped"):
        found = {"skipped"}
    return max(found, key=_RANK.index, default="passed")


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
