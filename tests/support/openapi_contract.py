"""Holds recorded requests and answers to GitHub's published OpenAPI description (a subset of it, vendored)."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import jsonschema_rs

from bot.virtual.github.handler import Exchange

SUBSET = Path(__file__).resolve().parent.parent / "golden" / "github-openapi" / "subset.json"
EVERYWHERE = {"400", "401", "403", "404", "413", "422", "429", "500", "502", "503", "504"}
"""Statuses that any route may answer; the description names them only here and there."""
MULTI_SEGMENT = {"ref", "branch"}


class OpenApi:
    """The vendored subset."""

    def __init__(self) -> None:
        self._spec = json.loads(SUBSET.read_text(encoding="utf-8"))
        ordered = sorted(self._spec["paths"], key=lambda path: path.count("{"))
        self._paths = [(re.compile(re.sub(r"\{(\w+)\}", _segment, path)), path) for path in ordered]

    def faults(self, exchange: Exchange) -> list[str]:
        """What of an exchange does not fit, one line each; empty means that all fits."""
        if not exchange.path.startswith("/api/v3/") or (exchange.answered is None and exchange.status in {0, 504}):
            return []  # git, pages, and what proxies answer
        path, _, query = exchange.path.removeprefix("/api/v3").partition("?")
        name, operation = self._operation(exchange.method, unquote(path))
        if operation is None:
            return [f"{exchange.method} {path}: no such operation"]
        found = [
            *self._query(operation, query),
            *self._request(operation, exchange),
            *self._answer(operation, exchange),
        ]
        return [f"{exchange.method} {name} → {exchange.status}: {what}" for what in found]

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any] | None]:
        for pattern, name in self._paths:
            if pattern.fullmatch(path) and method.lower() in self._spec["paths"][name]:
                return name, self._spec["paths"][name][method.lower()]
        return path, None

    def _query(self, operation: dict[str, Any], query: str) -> list[str]:
        known = {p["name"]: p for p in map(self._deref, operation.get("parameters", [])) if p["in"] == "query"}
        found = []
        for key, value in parse_qsl(query, keep_blank_values=True):
            if key not in known:
                found.append(f"unknown query parameter {key}")
            elif value not in known[key]["schema"].get("enum", [value]):
                found.append(f"query parameter {key} is {value}")
        return found

    def _request(self, operation: dict[str, Any], exchange: Exchange) -> list[str]:
        if exchange.sent is None or exchange.status in {400, 422}:
            return []  # a refused request may be wrong on purpose
        if "requestBody" not in operation:
            return ["has no request body"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        return [f"sent {what}" for what in self._errors(schema, exchange.sent, closed=True)]

    def _answer(self, operation: dict[str, Any], exchange: Exchange) -> list[str]:
        status = str(exchange.status)
        response = operation["responses"].get(status)
        if response is None:
            if status not in EVERYWHERE:
                return [f"undocumented; documented: {', '.join(operation['responses'])}"]
            return self._errors({"$ref": "#/components/schemas/basic-error"}, exchange.answered)
        content = self._deref(response).get("content", {}).get("application/json")
        if content is None:
            return []
        return [
            f"answered {what}" for what in self._errors(content["schema"], exchange.answered, closed=status < "300")
        ]

    def _errors(self, schema: dict[str, Any], value: Any, *, closed: bool = False) -> list[str]:
        validator = self._validator(json.dumps(schema, sort_keys=True))
        found = [f"{'/'.join(map(str, e.instance_path))}: {e.message[:160]}" for e in validator.iter_errors(value)]
        if closed and not found:
            found = [f"unknown key {key}" for key in sorted(self._unknown(schema, value))]
        return found

    def _unknown(self, schema: dict[str, Any], value: Any) -> set[str]:
        schema = self._deref(schema)
        if isinstance(value, list) and value and "items" in schema:
            return self._unknown(schema["items"], value[0])
        choices = [self._deref(s) for key in ("oneOf", "anyOf", "allOf") for s in schema.get(key, [])]
        known = set(schema.get("properties", ())).union(*(s.get("properties", ()) for s in choices))
        return set(value) - known if isinstance(value, dict) and known else set()

    @functools.cache  # noqa: B019 (one object a session)
    def _validator(self, schema: str) -> Any:
        whole = json.loads(schema) | {"components": self._spec["components"]}
        return jsonschema_rs.validator_for(whole, validate_formats=True)

    def _deref(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            node = self._spec["components"][kind][name]
        return node


def _segment(match: re.Match[str]) -> str:
    return "(.+)" if match[1] in MULTI_SEGMENT else "([^/]+)"
