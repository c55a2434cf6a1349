"""Git over HTTP as GitHub speaks it: Basic auth with a token, smart protocol only, by `git http-backend`.

Requests are spooled to disk and answers streamed, so a large pack needs no memory. Hooks and configuration of the
repositories never count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bot.base.errors import ConfigurationError
from bot.base.git import environment
from bot.virtual.github.apps import may
from bot.virtual.github.bare import Bare
from bot.virtual.github.errors import Refused
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.receive import RULES, declined
from bot.virtual.github.records import Person, Repository
from bot.virtual.github.routing import Needs
from bot.virtual.github.workflows import NO_WORKFLOWS, first_workflow

SERVICES = {"git-upload-pack", "git-receive-pack"}
_CHUNK = 1 << 16
_CONFIG = (
    ("http.receivepack", "true"),
    ("http.uploadpack", "true"),
    ("http.getanyfile", "false"),
    ("uploadpack.allowFilter", "true"),
    ("uploadpack.allowAnySHA1InWant", "true"),
    ("receive.denyCurrentBranch", "ignore"),
    ("receive.denyDeleteCurrent", "true"),
    ("receive.hideRefs", "refs/pull"),
)


@dataclass(frozen=True, kw_only=True)
class GitAnswer:
    """Status, headers, and the body in pieces."""

    status: int
    headers: dict[str, str]
    pieces: Iterator[bytes] = field(default_factory=lambda: iter(()))


@dataclass(frozen=True, kw_only=True)
class GitRequest:
    """A request for one of git's services."""

    method: str
    full_name: str
    tail: str
    """`info/refs`, `git-upload-pack` or `git-receive-pack`."""
    service: str
    query: str
    headers: dict[str, str]
    body: IO[bytes]
    size: int


class GitHttp:
    """Serves the bare repositories of a hub."""

    def __init__(self, hub: Hub) -> None:
        """Raises `ConfigurationError` when git's HTTP backend is not installed."""
        self.hub = hub
        path = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
        self._backend = Path(path) / "git-http-backend"
        if not self._backend.is_file():
            found = shutil.which("git-http-backend")
            if found is None:
                msg = "git-http-backend is not installed."
                raise ConfigurationError(msg, "Install the whole of git, its HTTP server included.")
            self._backend = Path(found)

    def answer(self, request: GitRequest, token: str | None) -> GitAnswer:
        """Serve one request. Never raises for what the client did."""
        try:
            person = self.hub.person(token)
            repository = self._enter(request, person)
        except Refused as refused:
            return _refusal(refused, asked=token is not None)
        if request.service == "git-receive-pack" and request.tail != "info/refs":
            if repository.refuse_push:
                return _declined(_sent(request, _CHUNK), RULES, f"{self.hub.url}/{request.full_name}")
            if person is not None and person.rights is not None and not may(person, "workflows", "write"):
                data = _sent(request)
                bare = Bare(self.hub.store.root / f"{request.full_name}.git")
                if (path := first_workflow(bare, data)) is not None:
                    return _declined(data, NO_WORKFLOWS.format(path))
        return self._serve(request, person)

    def _enter(self, request: GitRequest, person: Person | None) -> Repository:
        writes = request.service == "git-receive-pack"
        if person is None and (writes or self.hub.store.get(request.full_name).private):
            raise Refused(401, "Repository not found.")
        name = request.full_name
        if writes and self.hub.store.get(name).archived and person and person.permission in {"write", "admin"}:
            raise Refused(403, "This repository was archived so it is read-only.")
        level: Needs = "write" if writes else "read"
        if person is not None and person.rights is not None and not may(person, "contents", level):
            raise Refused(403, "Resource not accessible by integration")
        try:
            return self.hub.enter(name, person, level)
        except Refused as refused:
            if refused.status == 403 and person:
                raise Refused(403, f"Permission to {name}.git denied to {person.login}.") from None
            raise

    def _serve(self, request: GitRequest, person: Person | None) -> GitAnswer:
        process = subprocess.Popen(
            [self._backend], stdin=request.body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=self._environment(request, person),
        )  # fmt: skip
        stream = process.stdout
        if stream is None:
            raise AssertionError
        status, headers = 200, {}
        for line in iter(stream.readline, b""):
            name, _, value = line.decode("latin-1").strip().partition(": ")
            if not name:
                break
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers[name] = value
        return GitAnswer(status=status, headers=headers, pieces=self._pieces(request, process, stream))

    def _pieces(self, request: GitRequest, process: subprocess.Popen[bytes], stream: IO[bytes]) -> Iterator[bytes]:
        try:
            while piece := stream.read1(_CHUNK):  # type: ignore[attr-defined]
                yield piece
        finally:
            stream.close()
            # Not killed: a client that went away must not leave half a push behind.
            process.wait()
            if request.service == "git-receive-pack" and request.tail != "info/refs":
                self._pushed(request.full_name)

    def _pushed(self, full_name: str) -> None:
        with self.hub.store.locked():
            repository = self.hub.store.get(full_name)
            self.hub.store.put(replace(repository, pushed=self.hub.store.now()))
        self.hub.follow(full_name)

    def _environment(self, request: GitRequest, person: Person | None) -> dict[str, str]:
        env = environment()
        count = int(env["GIT_CONFIG_COUNT"])
        for index, (key, value) in enumerate(_CONFIG, start=count):
            env[f"GIT_CONFIG_KEY_{index}"], env[f"GIT_CONFIG_VALUE_{index}"] = key, value
        env["GIT_CONFIG_COUNT"] = str(count + len(_CONFIG))
        return env | {
            "GIT_PROJECT_ROOT": str(self.hub.store.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{request.full_name}.git/{request.tail}",
            "QUERY_STRING": request.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(request.size),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_USER": person.login if person else "",
            "REMOTE_ADDR": "127.0.0.1",
        }


def _refusal(refused: Refused, *, asked: bool) -> GitAnswer:
    status, words = refused.status, refused.message
    if status == 404:
        words = "Repository not found."
    if status == 401 and asked:
        words = "Invalid username or token. Password authentication is not supported for Git operations."
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
    return GitAnswer(status=status, headers=headers, pieces=iter([f"{words}\n".encode()]))


def _sent(request: GitRequest, most: int = 0) -> bytes:
    """What a push sends, or the first `most` bytes of it. The body is at its start afterwards."""
    data = request.body.read(most or -1)
    if request.headers.get("content-encoding") == "gzip":
        data = zlib.decompressobj(wbits=31).decompress(data, most)
    # Not only `seek`: the git process gets the descriptor.
    request.body.seek(0)
    os.lseek(request.body.fileno(), 0, os.SEEK_SET)
    return data


def _declined(data: bytes, reason: str, page: str = "") -> GitAnswer:
    said = declined(data, reason, page)
    headers = {"Content-Type": "application/x-git-receive-pack-result", "Cache-Control": "no-cache"}
    return GitAnswer(status=200, headers=headers, pieces=iter([said]))
