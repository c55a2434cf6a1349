from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gemini_requests import KEY, Post

from bot.virtual.gemini.server import VirtualGemini


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The file that the server answers from; tests write it."""
    folder = tmp_path / "virtual_fleet" / "one" / "answers"
    folder.mkdir(parents=True)
    return folder / "fix_bug.yaml"


@pytest.fixture
def gemini(script: Path) -> Iterator[VirtualGemini]:
    def find(plugin: str, playbook: str) -> Path | None:
        return script if (plugin, playbook) == ("one", "fix_bug") else None

    with VirtualGemini(find, key=KEY) as server:
        yield server


@pytest.fixture
def post(gemini: VirtualGemini) -> Post:
    """Send a document as it is, without an SDK in between."""

    def send(
        body: Any,
        *,
        path: str = "/v1/models/gemini-3.8-flash:generateContent",
        headers: dict[str, str] | None = None,
        method: str = "POST",
    ) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection(urlsplit(gemini.url).netloc, timeout=10)
        try:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, raw, {"x-goog-api-key": KEY} if headers is None else headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    return send


@pytest.fixture
def request_body() -> dict[str, Any]:
    """A first request, spelled as the SDK spells it."""
    return {
        "contents": [{"role": "user", "parts": [{"text": "Fix it."}]}],
        "systemInstruction": {"role": "user", "parts": [{"text": "Plugin: one\nPlaybook: fix_bug 1.0.0\n"}]},
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "read_file",
                        "description": "Read a file.",
                        "parameters_json_schema": {
                            "type": "object",
                            "properties": {"path": {"type": "string"}, "start_line": {"type": "integer"}},
                            "required": ["path"],
                            "additionalProperties": False,
                        },
                    },
                    {
                        "name": "list_files",
                        "parameters": {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}},
                    },
                ]
            }
        ],
        "generationConfig": {
            "temperature": 0.0,
            "seed": 7,
            "thinkingConfig": {"include_thoughts": True, "thinking_level": "LOW"},
        },
    }
