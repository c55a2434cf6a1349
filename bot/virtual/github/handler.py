"""One HTTP connection to the virtual GitHub: reads requests whole, applies faults, writes answers."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, unquote

import msgspec

from bot.virtual.github.faults import Fault
from bot.virtual.github.git_http import SERVICES, GitRequest
from bot.virtual.github.pages import Page, page

if TYPE_CHECKING:
    from bot.virtual.github.server import VirtualGitHub

_API = "/api/v3"
_GRAPHQL = "/api/graphql"
_GIT = re.compile(r"/(?P<name>[^/]+/[^/]+?)(?:\.git)?/(?P<tail>info/refs|git-upload-pack|git-receive-pack)")
_LOCAL = {"127.0.0.1", "localhost"}
_JSON_LIMIT = 1 << 22
_SPOOL = 1 << 20


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer. No header is kept, so no token is."""

    method: str
    path: str
    """With its query."""
    status: int
    """0 when the connection closed without an answer."""
    login: str = ""
    sent: Any = None
    """The JSON body of the request, only with `record`."""
    answered: Any = None
    """The JSON body of the answer, only with `record`."""


class Handler(BaseHTTPRequestHandler):
    """Serves one connection, request by request."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "github.com", ""
    # Without it an answer waits for the acknowledgement of the one before, 40 ms each.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 120

    @property
    def github(self) -> VirtualGitHub:
        """Whose connection it is."""
        return cast("VirtualGitHub", self.server.github)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the standard library's name)
        """Nothing goes to stderr; `requests` is the log."""

    def _serve(self) -> None:
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as body:
            try:
                size = self._read_body(body)
            except ValueError:
                self.close_connection = True
                self._send(400, {}, b"")
                return
            body.seek(0)
            self._answer(body, size)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 (the standard library's names)

    def _answer(self, body: IO[bytes], size: int) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in _LOCAL:
            # A web page in a browser must not reach us under a name of its own (DNS rebinding).
            self._send(421, {}, b"")
            return
        path = self.path.partition("?")[0]
        shown = path.removeprefix(_API) if path.startswith(_API) else path
        fault = self.github.faults.hit(self.command, shown)
        if fault is not None and not fault.after:
            self._fail(fault)
            return
        if path.startswith(f"{_API}/") or path == _GRAPHQL:
            self._api(path, body, size, fault)
        elif match := _GIT.fullmatch(unquote(path)):
            self._git(match, body, size, fault)
        else:
            self._page(path)

    def _api(self, path: str, body: IO[bytes], size: int, fault: Fault | None) -> None:
        if size > _JSON_LIMIT:
            self._send(413, {}, b"")
            return
        raw, token = body.read(), self._token()
        if path == _GRAPHQL:
            answer = self.github.rest.graphql(token, raw)
        else:
            names = {name.lower(): value for name, value in self.headers.items()}
            answer = self.github.rest.answer(self.command, self.path.removeprefix(_API), names, token, raw)
        if fault is not None:
            self._fail(fault)
            return
        self._log(answer.status, raw, answer.body)
        data = b"" if answer.status == 204 else json.dumps(answer.body).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "private, max-age=60"}
        self._send(answer.status, headers | answer.headers, data)

    def _git(self, match: re.Match[str], body: IO[bytes], size: int, fault: Fault | None) -> None:
        tail, query = match["tail"], self.path.partition("?")[2]
        service = parse_qs(query).get("service", [""])[0] if tail == "info/refs" else tail
        if service not in SERVICES or (self.command == "GET") != (tail == "info/refs"):
            self._send(403, {"Content-Type": "text/plain"}, b"Please upgrade your git client.\n")
            return
        # The git process gets the file itself, so it has to be on disk and at its start.
        body.flush()
        os.lseek(body.fileno(), 0, os.SEEK_SET)
        request = GitRequest(
            method=self.command,
            full_name=match["name"],
            tail=tail,
            service=service,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            size=size,
        )
        answer = self.github.git.answer(request, self._token())
        if fault is not None:
            for _ in answer.pieces:
                pass
            self._fail(fault)
            return
        self._log(answer.status)
        self._stream(answer.status, answer.headers, answer.pieces)

    def _page(self, path: str) -> None:
        found: Page = page(self.github.hub, unquote(path)) if self.command in {"GET", "HEAD"} else Page(status=404)
        self._log(found.status)
        headers = {
            "Content-Type": found.kind,
            "Content-Security-Policy": found.policy,
            "Referrer-Policy": "no-referrer",
        }
        self._send(found.status, headers | {"X-Content-Type-Options": "nosniff"}, found.text.encode())

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "status":
            status, headers, data = fault.answer(self.github.hub.store.clock.now())
            self._log(status, answered=_json(data))
            self._send(status, headers, data)
            return
        if fault.kind == "hang":
            self.github.closing.wait(fault.seconds)
        self._log(0)
        self.close_connection = True

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    def _stream(self, status: int, headers: dict[str, str], pieces: Iterator[bytes]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        chunked = self.request_version == "HTTP/1.1"
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            self.wfile.flush()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _read_body(self, into: IO[bytes]) -> int:
        """Copy the request's body, chunked or not, and return its size. Raises `ValueError` when it is malformed."""
        total = 0
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline(64).split(b";")[0], 16):
                total += self._copy(into, size)
                self.rfile.readline(4)
            while self.rfile.readline(1 << 16).strip():
                pass
            return total
        return self._copy(into, int(self.headers.get("Content-Length") or 0))

    def _copy(self, into: IO[bytes], size: int) -> int:
        left = size
        while left:
            piece = self.rfile.read(min(left, _SPOOL))
            if not piece:
                msg = "the client went away in the middle of its request"
                raise ValueError(msg)
            into.write(piece)
            left -= len(piece)
        return size

    def _token(self) -> str | None:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() in {"bearer", "token"}:
            return value.strip()
        if kind.lower() == "basic":
            try:
                user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return ""
            return password or user
        return None

    def _log(self, status: int, raw: bytes = b"", answered: object = None) -> None:
        github = self.github
        token = self._token()
        person = github.hub.people.get(token or "")
        exchange = Exchange(
            method=self.command,
            path=self.path,
            status=status,
            login=person.login if person else "",
            sent=_json(raw) if github.record and raw else None,
            answered=answered if github.record else None,
        )
        github.requests.append(exchange)


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None
