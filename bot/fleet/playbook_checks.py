"""What a schema cannot say of a playbook: whether its parts fit together and its templates can be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bot.base import glob
from bot.base.documents import Document
from bot.base.errors import Problem
from bot.base.values import Variable
from bot.base.yaml_reader import KeyPath
from bot.fleet import templates
from bot.fleet.variables import RESERVED, declared_wrong


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of instructions and where it begins."""

    name: str
    """As `include:` names it; for the text itself the name of the file."""
    file: str
    text: str
    line: int
    """Where it begins in its file."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook as it was read."""

    path: Path
    document: Document
    body: Part
    parts: tuple[Part, ...] = ()


def check_playbook(source: Source) -> list[Problem]:
    """All mistakes that need more than a schema. Looks at as much of a half broken file as makes sense."""
    data = source.document.value
    if not isinstance(data, dict):
        return []
    return [
        *_identity(source, data),
        *_modes(source, data),
        *_variables(source.document, data),
        *_conditions(source.document, data),
        *_globs(source.document, data),
        *_templates(source, data),
    ]


def _identity(source: Source, data: dict[str, Any]) -> Iterator[Problem]:
    stem = source.path.stem
    if isinstance(data.get("id"), str) and data["id"] != stem:
        what = f"`id` is {data['id']}, the file is called {source.path.name}"
        yield source.document.problem(("id",), what, f"write id: {stem}, or rename the file")


def _modes(source: Source, data: dict[str, Any]) -> Iterator[Problem]:
    document, script = source.document, data.get("mode") == "script"
    text = any(part.text.strip() for part in (source.body, *source.parts))
    if script and "script" not in data:
        yield document.problem(("mode",), "a script playbook has no `script`", "add script: the command")
    if script and "tools" in data:
        yield document.problem(("tools",), "a script uses no tools", "delete `tools`")
    if not script and "script" in data:
        yield document.problem(("script",), "only script playbooks run a script", "write mode: script, or delete it")
    if not script and not text:
        yield document.problem((), "the playbook has no instructions", "write them after the front matter")
    looks_only = data.get("result") == "answer"
    if looks_only and "pull_request" in data:
        what = "a playbook that only looks opens no pull request"
        yield document.problem(("pull_request",), what, "delete it, or write result: pull_request")
    if not looks_only and "pull_request" not in data:
        cure = "add pull_request: {title: …}, or write result: answer"
        yield document.problem((), "the playbook does not say what its pull request is called", cure)


def _variables(document: Document, data: dict[str, Any]) -> Iterator[Problem]:
    for name, declared in _mapping(data.get("variables")).items():
        path: KeyPath = ("variables", name)
        if name in RESERVED:
            yield document.problem(path, f"`{name}` is a name that every template has", "choose another name")
        try:
            variable = msgspec.convert(declared, Variable)
        except msgspec.ValidationError:
            continue  # the schema has said why
        for key, what, cure in declared_wrong(variable):
            yield document.problem((*path, key), f"`{name}.{key}` {what}", cure)
        if variable.untrusted and data.get("mode") == "script":
            what = f"`{name}` is untrusted text, and a script playbook hands its variables to a shell"
            yield document.problem((*path, "untrusted"), what, "write mode: agent")


def _conditions(document: Document, data: dict[str, Any]) -> Iterator[Problem]:
    for path, condition in _each_condition(data):
        if not condition:
            yield document.problem(path, "a condition that asks nothing", "write {exists: pyproject.toml}")
        for key in ("contains", "lacks"):
            pattern = _mapping(condition.get(key)).get("pattern")
            if isinstance(pattern, str) and (reason := _regex_trouble(pattern)):
                yield document.problem((*path, key, "pattern"), f"`pattern` is no regular expression: {reason}")


def _globs(document: Document, data: dict[str, Any]) -> Iterator[Problem]:
    for key in ("allowed_paths", "opens"):
        for index, item in enumerate(_list(data.get(key))):
            reason = glob.trouble(_filled(item)) if isinstance(item, str) else None
            if reason is not None:
                yield document.problem((key, index), f"`{item}` {reason}")


def _templates(source: Source, data: dict[str, Any]) -> Iterator[Problem]:
    names = names_of(data)
    for path, kind, text in _each_template(data):
        for mistake in templates.check(text, kind, names):
            line = source.document.line(path) + (mistake.line if "\n" in text.rstrip("\n") else 0)
            yield Problem(file=source.document.file, line=line, what=mistake.what, cure=mistake.cure)
    for part in (source.body, *source.parts):
        for mistake in templates.check(part.text, "prompt", names):
            yield Problem(file=part.file, line=part.line + mistake.line - 1, what=mistake.what, cure=mistake.cure)


def names_of(data: dict[str, Any]) -> templates.Names:
    """What the templates of a playbook may use, from its front matter."""
    declared = _mapping(data.get("variables"))
    untrusted = tuple(name for name, variable in declared.items() if _mapping(variable).get("untrusted") is True)
    return templates.Names(known=(*declared, *RESERVED), untrusted=(*untrusted, "report"))


def _each_condition(data: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    for key in ("applies_if", "done_if"):
        value = data.get(key)
        if isinstance(value, dict):
            yield (key,), value
        for index, item in enumerate(_list(value)):
            if isinstance(item, dict):
                yield (key, index), item


def _each_template(data: dict[str, Any]) -> Iterator[tuple[KeyPath, templates.Kind, str]]:
    found: list[tuple[KeyPath, templates.Kind, Any]] = []
    for path, condition in _each_condition(data):
        found += [((*path, key), "glob", condition.get(key)) for key in ("exists", "missing")]
        found.append(((*path, "command"), "shell", condition.get("command")))
        for key in ("contains", "lacks"):
            inner = _mapping(condition.get(key))
            found.append(((*path, key, "path"), "glob", inner.get("path")))
            found.append(((*path, key, "pattern"), "regex", inner.get("pattern")))
    request = _mapping(data.get("pull_request"))
    found += [(("pull_request", key), "text", request.get(key)) for key in ("title", "body")]
    lists: tuple[tuple[KeyPath, templates.Kind, Any], ...] = (
        (("pull_request", "labels"), "text", request.get("labels")),
        (("verification", "commands"), "shell", _mapping(data.get("verification")).get("commands")),
        (("allowed_paths",), "glob", data.get("allowed_paths")),
    )
    for path, kind, items in lists:
        found += [((*path, index), kind, item) for index, item in enumerate(_list(items))]
    return ((path, kind, text) for path, kind, text in found if isinstance(text, str))


def _filled(template: str) -> str:
    return re.sub(r"\{\{.*?\}\}", "x", template)


def _regex_trouble(template: str) -> str | None:
    try:
        re.compile(_filled(template))
    except re.error as error:
        return str(error)
    return None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
