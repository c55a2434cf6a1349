"""Gemini's wire format on loopback: strict about what it is sent, scripted in what it answers, faults included."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "test-key-0123456789abcdef"
_PATH = re.compile(
    r"/v1(?:beta|beta1)?/(?:(?:projects/[\w-]+/locations/[\w-]+/)?publishers/google/)?models/[\w.-]+:generateContent"
)
_FIELDS = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, whole."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hangup:
    """Promise a body, send a part of it, and close."""

    sent: bytes = b'{"candidates": ['
    promised: int = 1000


@dataclass(frozen=True)
class Silence:
    """Take the request and close without a word."""


@dataclass(frozen=True)
class Drip:
    """Send the answer byte by byte, head and all, with a pause between."""

    pause: float
    body: Any = None


@dataclass(frozen=True)
class Asleep:
    """Say nothing for so many seconds, then close."""

    seconds: float


Item = Answer | Hangup | Silence | Drip | Asleep | dict[str, Any]


def answer(
    *parts: dict[str, Any], finish: str | None = "STOP", usage: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A body as Gemini sends it; `finish` None leaves the reason out, no parts the content."""
    candidate: dict[str, Any] = {"index": 0} | more
    if parts:
        candidate["content"] = {"role": "model", "parts": list(parts)}
    if finish is not None:
        candidate["finishReason"] = finish
    counts = {"promptTokenCount": 120, "candidatesTokenCount": 15, "totalTokenCount": 135}
    return {
        "candidates": [candidate],
        "usageMetadata": counts if usage is None else usage,
        "modelVersion": "gemini-3.8-flash-001",
        "responseId": "response-1",
    }


def error(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    """Google's error shape."""
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


class GeminiWire:
    """A server for one test. `requests` has path, headers and body of all requests; `complaints` what was wrong."""

    def __init__(self, script: Iterable[Item] | Callable[[dict[str, Any]], Item], key: str = KEY) -> None:
        """The last item of a list is repeated for ever."""
        self.script: Any = script if callable(script) else list(script)
        self.key = key
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.complaints: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                item = outer.reply(self.path, headers, raw)
                outer.send(self, item)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that gave up on a dripping answer

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def reply(self, path: str, headers: dict[str, str], raw: bytes) -> Item:
        body = json.loads(raw)
        self.requests.append((path, headers, body))
        wrong = self.wrong(path, headers, body)
        if wrong is not None:
            self.complaints.append(wrong)
            return Answer(400, error(400, "INVALID_ARGUMENT", wrong))
        if callable(self.script):
            return self.script(body)  # type: ignore[no-any-return]
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]  # type: ignore[no-any-return]

    def wrong(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> str | None:
        if not _PATH.fullmatch(path):
            return f"path {path}"
        if headers.get("x-goog-api-key") != self.key and "authorization" not in headers:
            return "no key"
        if body.keys() - _FIELDS:
            return f"fields {sorted(body.keys() - _FIELDS)}"
        roles = [content.get("role") for content in body["contents"]]
        if roles != ["user", "model"] * (len(roles) // 2) + ["user"]:
            return f"roles {roles}"
        for before, after in zip(body["contents"], body["contents"][1:], strict=False):
            asked = [part["functionCall"]["name"] for part in before["parts"] if "functionCall" in part]
            given = [part["functionResponse"]["name"] for part in after["parts"] if "functionResponse" in part]
            if asked != given:
                return f"calls {asked} are answered by {given}"
        return None

    def send(self, handler: BaseHTTPRequestHandler, item: Item) -> None:
        out = handler.wfile
        match item:
            case Silence():
                pass
            case Asleep(seconds):
                time.sleep(seconds)
            case Hangup(sent, promised):
                out.write(f"HTTP/1.1 200 OK\r\nContent-Length: {promised}\r\n\r\n".encode() + sent)
            case Drip(pause, body):
                for byte in _http(Answer(body=body)):
                    out.write(bytes([byte]))
                    out.flush()
                    time.sleep(pause)
                return
            case Answer():
                out.write(_http(item))
                return
            case _:
                out.write(_http(Answer(body=item)))
                return
        out.flush()
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)


def _http(item: Answer) -> bytes:
    data = item.body if isinstance(item.body, bytes) else json.dumps(item.body).encode()
    head = [f"HTTP/1.1 {item.status} X", f"Content-Length: {len(data)}"]
    head += [f"{name}: {value}" for name, value in ({"Content-Type": "application/json"} | item.headers).items()]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + data
