"""The virtual Gemini on loopback: routes, keys, faults.

It has the paths of the Gemini Developer API (`/v1/models/M:generateContent`, key in `x-goog-api-key`) and those of
Vertex (bearer token or key).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bot.virtual.gemini.answer import Answerer, Called
from bot.virtual.gemini.render import Answer, refused
from bot.virtual.gemini.wire import WireError, invalid

_LARGEST = 20_971_520  # bytes, the service's own limit


class VirtualGemini:
    """A context manager; `url` is what `GOOGLE_GEMINI_BASE_URL` would say."""

    def __init__(self, script: Callable[[str, str], Path | None], *, key: str, port: int = 0) -> None:
        """`script` finds the file for a plugin's name and a playbook's id; `key` is the only one that is accepted."""
        self._answerer = Answerer(script, key)
        self._server = _Server(("127.0.0.1", port), self._answerer)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="virtual-gemini", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> tuple[Called, ...]:
        """What was asked so far, oldest first; never with a key."""
        return tuple(self._answerer.requests)

    def unused(self) -> dict[Path, tuple[int, ...]]:
        """Scripts that were played → the rules in them (from 1) that never answered. For authors of scripts."""
        return self._answerer.unused()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], answerer: Answerer) -> None:
        self.answerer = answerer
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End connections that clients keep alive, and with them their threads."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    headers: Message

    def do_GET(self) -> None:
        self._send(self.server.answerer.look(self.path, self.headers.get))

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > _LARGEST:
            self.close_connection = True
            said = f"Request payload size exceeds the limit: {_LARGEST} bytes."
            self._send(refused(invalid(said) if length.isdigit() else WireError(411, "UNKNOWN", "Length required.")))
            return
        self._send(self.server.answerer.reply(self.path, self.headers.get, self.rfile.read(int(length))))

    def log_message(self, *_: object) -> None:
        """Nothing: `VirtualGemini.requests` is the log."""

    def _send(self, answer: Answer) -> None:
        if answer.slow:
            time.sleep(answer.slow)
        body = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)
        head = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('Unknown',))[0]}"]
        head += [f"Content-Type: {answer.kind}", f"Content-Length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in answer.headers.items()]
        head += ["Connection: close"] if self.close_connection else []
        if answer.cut:
            body = body[: len(body) // 2]
            self.close_connection = True
        # One write: a head on its own would wait for the client's acknowledgement, 40 ms a call.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(("\r\n".join(head) + "\r\n\r\n").encode() + body)
