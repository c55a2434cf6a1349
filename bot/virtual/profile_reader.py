"""Reads `profile.yaml`; every mistake is named with its line, not only the first."""

from __future__ import annotations

import base64
import binascii
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bot.base import schema
from bot.base.documents import Document, KeyPath, read_document
from bot.base.errors import ConfigurationError, Problem
from bot.virtual.code import pattern
from bot.virtual.materialise import EXECUTABLE, LINK, history_of
from bot.virtual.plugin import VirtualPlugin
from bot.virtual.profile import Profile, hashed
from bot.virtual.profile_schema import PROFILE_SCHEMA
from bot.virtual.tree import Node, node

_CURE = "See docs/virtual-plugins.md."
_REGEXES = ("matches", "lacks", "test", "body")
_PATTERNS = ("contains", "lacks", "returns")
_LARGEST = 8 << 20
_REPOSITORY = "repo"
"""What `from` says for the files of a materialised twin."""


def read_profile(file: Path, *, twin: VirtualPlugin | None = None) -> Profile:
    """The profile in a file. Raises `ConfigurationError` with all mistakes.

    With a materialised `twin`, `from: repo` are the files of its newest commit, with the links, modes and odd files
    that a plain folder does not keep; otherwise they are those of the folder beside the file.
    """
    document = read_document(file)
    problems = list(document.problems)
    if not problems:
        problems = schema.check(document, PROFILE_SCHEMA) or list(_beyond_the_schema(document))
    files: dict[str, Node] = {}
    if not problems:
        for found in _files(document, file.parent, twin):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                files[found[0]] = found[1]
    if problems:
        msg = f"{file} has {len(problems)} mistake{'s' * (len(problems) > 1)}."
        raise ConfigurationError(msg, _CURE, tuple(problems))
    return _profile(file.parent.name, document.value, files)


def _profile(name: str, value: dict[str, Any], files: dict[str, Node]) -> Profile:
    parts: dict[str, Any] = {key: part for key, part in value.items() if key not in {"from", "files", "unknown"}}
    parts["facts"] = {key: _fact(fact) for key, fact in parts.get("facts", {}).items()}
    if "suite" in parts:
        suite = dict(parts["suite"])
        suite["fails"] = [_with_facts(rule, "unless") for rule in suite.get("fails", ())]
        parts["suite"] = _with_facts(suite, "config")
    parts["commands"] = [_command(command) for command in parts.get("commands", ())]
    parts["faults"] = [_with_run(fault) for fault in parts.get("faults", ())]
    if "tripwires" in parts:
        wires = dict(parts["tripwires"])
        wires["commands"] = [words.split() for words in wires.get("commands", ())]
        parts["tripwires"] = wires
    return hashed(msgspec.convert({**parts, "name": name, "files": files}, Profile))


def _command(command: dict[str, Any]) -> dict[str, Any]:
    pairs = {key: tuple(command.get(key, {}).items()) for key in ("set", "write")}
    return _with_facts(_with_run(command), "when") | pairs


def _with_run(part: dict[str, Any]) -> dict[str, Any]:
    run = part.get("run", [])
    return part | {"run": [words.split() for words in ([run] if isinstance(run, str) else run)]}


def _with_facts(part: dict[str, Any], key: str) -> dict[str, Any]:
    return part | {key: _fact(part[key])} if key in part else part


def _fact(fact: Any) -> Any:
    if not isinstance(fact, dict):
        return fact
    made = {key: part for key, part in fact.items() if key != "not"}
    for key in ("all", "any"):
        if key in made:
            made[key] = [_fact(part) for part in made[key]]
    if "not" in fact:
        parts = fact["not"]
        made["no"] = [_fact(part) for part in (parts if isinstance(parts, list) else [parts])]
    if "state" in made:
        made["state"] = tuple(made["state"].items())
    return made


def _beyond_the_schema(document: Document) -> Iterator[Problem]:
    known = set(document.value.get("facts", {}))
    ids: set[str] = set()
    for index, fault in enumerate(document.value.get("faults", ())):
        if fault["id"] in ids:
            yield document.problem(("faults", index, "id"), f"the id {fault['id']} is taken", "give each its own")
        ids.add(fault["id"])
    for index, command in enumerate(document.value.get("commands", ())):
        if command.get("respond", {}).get("suite") and "suite" not in document.value:
            yield document.problem(
                ("commands", index, "respond"), "answers with a suite, but there is none", "add suite:"
            )
    for path, part in _parts(document.value, ()):
        yield from _facts_named(document, path, part, known)
        yield from _expressions(document, path, part)
    yield from _circles(document)


def _parts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    yield path, value
    if path == ("files",):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from _parts(part, (*path, key))


def _facts_named(document: Document, path: KeyPath, part: object, known: set[str]) -> Iterator[Problem]:
    """A text stands for a fact where the schema allows either."""
    if not isinstance(part, str) or not path or path[:1] in {("files",), ("state",), ("env",)}:
        return
    steps = [step for step in path if isinstance(step, str)]
    names_fact = steps[-1] in {"all", "any", "not", "when", "unless", "config"} or (
        len(path) == 2 and path[0] == "facts"
    )
    if names_fact and part not in known:
        guess = schema.near(part, sorted(known))
        yield document.problem(
            path, f"there is no fact called {part}", f"write {guess}" if guess else "add it to facts:"
        )


def _expressions(document: Document, path: KeyPath, part: object) -> Iterator[Problem]:
    if not isinstance(part, str) or not path:
        return
    if len(path) > 1 and path[-2] == "python" and path[-1] in _PATTERNS:
        try:
            pattern(part)
        except SyntaxError as error:
            yield document.problem(path, f"is no Python: {error.msg}", "write one expression or one statement")
    elif path[-1] in _REGEXES and path[0] in {"facts", "suite", "commands"}:
        try:
            re.compile(part)
        except re.error as error:
            yield document.problem(path, f"is no regular expression: {error}", "see the docs of Python's re")


def _circles(document: Document) -> Iterator[Problem]:
    """Facts that rest on themselves would never be decided."""
    facts = document.value.get("facts", {})
    for start in facts:
        seen, waiting = set(), [start]
        while waiting:
            for name in _used(facts.get(waiting.pop(), {})):
                if name == start:
                    yield document.problem(("facts", start), f"the fact {start} rests on itself", "take it apart")
                    waiting.clear()
                    break
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)


def _used(fact: object) -> Iterator[str]:
    if isinstance(fact, str):
        yield fact
    elif isinstance(fact, list):
        for part in fact:
            yield from _used(part)
    elif isinstance(fact, dict):
        for key in ("all", "any", "not"):
            yield from _used(fact.get(key, []))


def _files(document: Document, folder: Path, twin: VirtualPlugin | None) -> Iterator[tuple[str, Node] | Problem]:
    value = document.value
    if value.get("from") == _REPOSITORY and twin is not None:
        yield from _committed(twin)
    elif "from" in value:
        source = folder / value["from"]
        if not source.is_dir():
            yield document.problem(("from",), f"there is no folder {value['from']} beside it", "see where `repo/` is")
        else:
            yield from _plain(document, source)
    for path, content in value.get("files", {}).items():
        if path.startswith("/") or ".." in path.split("/") or not path:
            yield document.problem(("files", path), f"{path} leaves the workspace", "write a path inside of it")
            continue
        try:
            yield path, _inline(content)
        except binascii.Error:
            yield document.problem(("files", path, "base64"), "is no base64")


def _plain(document: Document, source: Path) -> Iterator[tuple[str, Node] | Problem]:
    for file in sorted(source.rglob("*")):
        path = file.relative_to(source).as_posix()
        if "__pycache__" in path or file.is_dir():
            continue
        if file.is_symlink():
            yield path, node(b"", link=str(file.readlink()))
        elif file.stat().st_size > _LARGEST:
            yield document.problem(("from",), f"{path} is larger than {_LARGEST >> 20} MiB", "make it smaller")
        else:
            yield path, node(file.read_bytes(), executable=bool(file.stat().st_mode & stat.S_IXUSR))


def _committed(twin: VirtualPlugin) -> Iterator[tuple[str, Node]]:
    for _, files in history_of(twin)[-1:]:
        for path, (mode, data) in sorted(files.items()):
            if mode == LINK:
                yield path, node(b"", link=data.decode())
            else:
                yield path, node(data, executable=mode == EXECUTABLE)


def _inline(content: str | dict[str, Any]) -> Node:
    if isinstance(content, str):
        return node(content.encode("utf-8", "surrogateescape"))
    if "link" in content:
        return node(b"", link=content["link"])
    data = (
        base64.b64decode(content["base64"], validate=True) if "base64" in content else content.get("text", "").encode()
    )
    return node(data, executable=content.get("executable", False))
