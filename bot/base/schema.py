"""Checks a document against a JSON Schema and says of every mistake what to write instead.

Reads the keywords that our schemas use, with their standard meaning (a test holds that against a full validator), and
one of its own: `x-write`, an example of what belongs there. A walk of our own, because a validator's messages name no
cure, and because `validate` has to start at once.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.base.canonical import canonical
from bot.base.documents import Document
from bot.base.errors import Problem
from bot.base.yaml_reader import KeyPath

Schema = Mapping[str, Any]
KEYWORDS = frozenset(
    {
        "$defs", "$id", "$ref", "$schema", "additionalProperties", "anyOf", "const", "default", "description", "enum",
        "exclusiveMinimum", "items", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "pattern",
        "properties", "propertyNames", "required", "title", "type", "uniqueItems", "x-write",
    }
)  # fmt: skip
"""What a schema of ours may say; a test holds that nothing else is used."""
_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}


def check(document: Document, schema: Schema) -> list[Problem]:
    """All mistakes in a document, in the order of its lines."""
    walk = _Walk(document, schema)
    walk.value(document.value, schema, ())
    return sorted(walk.problems)


def near(word: str, known: Iterator[str] | list[str] | tuple[str, ...]) -> str | None:
    """The known word that was probably meant."""
    from difflib import get_close_matches

    names = list(known)
    folded = {name.casefold().replace("-", "_"): name for name in names}
    found = get_close_matches(word.casefold().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def shown(value: object) -> str:
    """A value, short enough for a message."""
    text = canonical(value).decode("utf-8", "replace")
    return text if len(text) <= 60 else text[:57] + "…"


def name_of(path: KeyPath) -> str:
    """A key path as people write it: `plugins[2].test.command`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".") or "the document"


def kind_of(value: object) -> str:
    """The JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for kind, types in (("integer", int), ("number", float), ("string", str), ("array", list)):
        if isinstance(value, types):
            return kind
    return "object"


class _Walk:
    def __init__(self, document: Document, root: Schema) -> None:
        self.document, self.root = document, root
        self.problems: list[Problem] = []

    def value(self, value: object, schema: Schema, path: KeyPath) -> None:
        schema = self._resolve(schema)
        if "anyOf" in schema:
            schema = self._fitting(value, schema)
        if not self._type(value, schema, path):
            return
        self._choices(value, schema, path)
        if isinstance(value, str):
            self._text(value, schema, path)
        elif isinstance(value, list):
            self._array(value, schema, path)
        elif isinstance(value, dict):
            self._object(value, schema, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._number(value, schema, path)

    def _wrong(self, path: KeyPath, what: str, schema: Schema, cure: str = "") -> None:
        example = schema.get("x-write")
        self.problems.append(self.document.problem(path, what, cure or (f"write {example}" if example else "")))

    def _resolve(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            target: Any = self.root
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            schema = {**target, **{key: part for key, part in schema.items() if key != "$ref"}}
        return schema

    def _fitting(self, value: object, schema: Schema) -> Schema:
        """The alternative that was probably meant: the first of the value's type."""
        outer = {key: part for key, part in schema.items() if key != "anyOf"}
        options = [self._resolve(option) for option in schema["anyOf"]]
        for option in options:
            if _is(value, option.get("type")):
                return {**outer, **option}
        types = [kind for option in options for kind in _listed(option["type"])]
        return {**outer, "type": types}

    def _type(self, value: object, schema: Schema, path: KeyPath) -> bool:
        wanted = schema.get("type")
        if _is(value, wanted):
            return True
        names = " or ".join(_NAMES[kind] for kind in _listed(wanted) if kind != "null" or len(_listed(wanted)) == 1)
        cure = ""
        if "string" in _listed(wanted) and not isinstance(value, list | dict) and value is not None:
            cure = f'put it in quotes: "{shown(value)}"'
        elif wanted == "array" and isinstance(value, str):
            cure = f"write a list: [{value}]"
        what = "is empty" if value is None else f"is {shown(value)}"
        self._wrong(path, f"`{name_of(path)}` {what}; it has to be {names}", schema, cure)
        return False

    def _choices(self, value: object, schema: Schema, path: KeyPath) -> None:
        if "const" in schema and not _same(value, schema["const"]):
            self._wrong(path, f"`{name_of(path)}` is {shown(value)}", schema, f"write {shown(schema['const'])}")
        if "enum" in schema and not any(_same(value, option) for option in schema["enum"]):
            options = [str(option) for option in schema["enum"]]
            guess = near(str(value), options)
            cure = f"write {guess}" if guess else "write one of " + ", ".join(options)
            self._wrong(path, f"`{name_of(path)}` is {shown(value)}, which is none of its values", schema, cure)

    def _text(self, value: str, schema: Schema, path: KeyPath) -> None:
        if len(value) < schema.get("minLength", 0):
            self._wrong(path, f"`{name_of(path)}` is empty text", schema)
        elif len(value) > schema.get("maxLength", len(value)):
            self._wrong(path, f"`{name_of(path)}` has more than {schema['maxLength']} characters", schema)
        elif "pattern" in schema and not _search(schema["pattern"], value):
            self._wrong(path, f"`{name_of(path)}` cannot be {shown(value)}", schema)

    def _number(self, value: float, schema: Schema, path: KeyPath) -> None:
        for keyword, good, words in (
            ("exclusiveMinimum", operator.gt, "more than"),
            ("minimum", operator.ge, "at least"),
            ("maximum", operator.le, "at most"),
        ):
            if keyword in schema and not good(value, schema[keyword]):
                cure = f"write a number of {words} {schema[keyword]}"
                self._wrong(path, f"`{name_of(path)}` is {shown(value)}", schema, cure)

    def _array(self, value: list[Any], schema: Schema, path: KeyPath) -> None:
        if len(value) < schema.get("minItems", 0):
            self._wrong(path, f"`{name_of(path)}` is an empty list", schema)
        seen: dict[bytes, int] = {}
        for position, item in enumerate(value):
            if schema.get("uniqueItems") and seen.setdefault(_key(item), position) != position:
                self._wrong((*path, position), f"{shown(item)} stands twice in `{name_of(path)}`", schema, "keep one")
            if "items" in schema:
                self.value(item, schema["items"], (*path, position))

    def _object(self, value: dict[str, Any], schema: Schema, path: KeyPath) -> None:
        known = schema.get("properties", {})
        for key, part in value.items():
            inner = (*path, key)
            if key in known:
                self.value(part, known[key], inner)
                continue
            rest = schema.get("additionalProperties", True)
            if rest is False:
                where = f" in `{name_of(path)}`" if path else ""
                guess = near(key, list(known))
                taken = guess is None or guess in value
                cure = f"known are: {', '.join(known)}" if taken else f"write {guess}"
                self._wrong(inner, f"`{key}` is no known key{where}", {}, cure)
            elif isinstance(rest, Mapping):
                self.value(part, rest, inner)
            if "propertyNames" in schema and not _search(schema["propertyNames"]["pattern"], key):
                self._wrong(inner, f"`{key}` is no good name", schema["propertyNames"])
        for key in schema.get("required", ()):
            if key not in value:
                part = self._resolve(known.get(key, {}))
                example = part.get("x-write", part.get("const", "…"))
                where = f" in `{name_of(path)}`" if path else ""
                self._wrong(path, f"`{key}` is missing{where}", {}, f"add {key}: {example}")


def _is(value: object, wanted: object) -> bool:
    if wanted is None:
        return True
    kind = kind_of(value)
    kinds = _listed(wanted)
    if kind in kinds or (kind == "integer" and "number" in kinds):
        return True
    return isinstance(value, float) and "integer" in kinds and value.is_integer()


def _listed(wanted: object) -> list[str]:
    return [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []


def _search(pattern: str, text: str) -> bool:
    # JSON Schema's `$` is the very end, Python's also stands before a last newline.
    return re.search(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern, text) is not None


def _key(value: object) -> bytes:
    return canonical(int(value) if isinstance(value, float) and value.is_integer() else value)


def _same(one: object, other: object) -> bool:
    return _key(one) == _key(other)
