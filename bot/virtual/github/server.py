"""The virtual GitHub as a server on loopback: web pages, REST API below `/api/v3`, git over HTTP, on one port."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections import deque
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.base.clock import Clock, SystemClock
from bot.virtual.github import artifacts, runs
from bot.virtual.github.apps import App
from bot.virtual.github.bare import Bare
from bot.virtual.github.errors import Refused
from bot.virtual.github.faults import Faults
from bot.virtual.github.git_http import GitHttp
from bot.virtual.github.handler import Exchange, Handler
from bot.virtual.github.hub import Hub, replace
from bot.virtual.github.records import Artifact, Issue, Permission, Person, Repository
from bot.virtual.github.rest import Rest
from bot.virtual.github.rest_labels import joined, noted, with_labels
from bot.virtual.github.store import Store

_LOG = 10_000


class VirtualGitHub:
    """A context manager; `add_repository` and `add_issue` work before it is entered too."""

    def __init__(
        self,
        root: Path,
        *,
        token: str | None,
        login: str,
        permission: Permission = "write",
        people: Mapping[str, Person | str] | None = None,
        port: int = 0,
        clock: Clock | None = None,
        rate_limit: int = 5000,
        record: bool = False,
    ) -> None:
        """Serve the bare repositories below `root`; what earlier starts left there is found again.

        `token` belongs to `login`; None takes every token for it. `people` are further tokens and whose they are.
        With `record`, `requests` keeps the bodies of API calls. Raises `ConfigurationError` for unreadable records.
        """
        me = Person(login=login, permission=permission)
        known = {key: Person(login=who) if isinstance(who, str) else who for key, who in (people or {}).items()}
        store = Store(root.resolve(), clock or SystemClock())
        self.hub = Hub(store=store, people=known | ({token: me} if token else {}), stranger=me, open_door=token is None)
        self.rest = Rest(self.hub, rate_limit=rate_limit)
        self.git = GitHttp(self.hub)
        self.faults = Faults()
        self.requests: deque[Exchange] = deque(maxlen=_LOG)
        """The latest requests, oldest first."""
        self.record = record
        self.closing = threading.Event()
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where web pages and git repositories are; empty before the start."""
        return self.hub.url

    @property
    def api_url(self) -> str:
        """The root of the REST API."""
        return self.hub.api

    @property
    def violations(self) -> tuple[str, ...]:
        """Requests that GitHub's documentation does not know."""
        return tuple(self.rest.violations)

    def add_person(self, token: str, login: str, *, permission: Permission = "write", app: bool = False) -> None:
        """Give somebody a token. `app`: an App's, which may not ask `GET /user`; its login ends in `[bot]`."""
        self.hub.people[token] = Person(login=login, permission=permission, app=app)

    def add_app(
        self, app_id: str, slug: str, public_key: str, repositories: tuple[str, ...], permissions: dict[str, str]
    ) -> App:
        """Make an App known, installed on these repositories with these permissions (`read` or `write` by name)."""
        app = App(
            id=app_id,
            slug=slug,
            public_key=public_key,
            installation=7000 + len(self.hub.apps.known),
            repositories=repositories,
            permissions=permissions,
        )
        self.hub.apps.known[app_id] = app
        return app

    def add_repository(
        self,
        full_name: str,
        *,
        default_branch: str,
        private: bool = False,
        archived: bool = False,
        drafts: bool = True,
        refuse_push: bool = False,
        collaborators: tuple[str, ...] | None = None,
        topics: tuple[str, ...] = (),
    ) -> Repository:
        """Make a repository, or find it and give it these settings; what stands under it stays.

        The bare repository `root/<owner>/<name>.git` is taken as it is, or made empty.
        """
        store = self.hub.store
        with store.locked():
            Bare.make(store.folder(full_name), default_branch)
            repository = replace(
                store.get(full_name),
                private=private,
                archived=archived,
                drafts=drafts,
                refuse_push=refuse_push,
                collaborators=collaborators,
                topics=topics,
            )
            store.put(repository)
        return repository

    def add_topic(self, full_name: str, topic: str) -> bool:
        """Give a repository a topic besides those it has; False when it is not there."""
        store = self.hub.store
        with store.locked():
            try:
                repository = store.get(full_name)
            except Refused:
                return False
            store.put(replace(repository, topics=tuple(dict.fromkeys((*repository.topics, topic)))))
        return True

    def add_issue(
        self, full_name: str, *, number: int, title: str, body: str, author: str, labels: tuple[str, ...] = ()
    ) -> Issue:
        """Write an issue; one that is there already stays as it is."""
        store = self.hub.store
        with store.locked():
            repository = store.get(full_name)
            if number in repository.issues:
                return repository.issues[number]
            repository = with_labels(self.hub, repository, list(labels))
            now = store.now()
            issue = Issue(
                id=store.next_id(), number=number, title=title, body=body, author=author, created=now, updated=now
            )
            issue = noted(self.hub, issue, replace(issue, labels=joined(repository, issue, list(labels))), author)
            store.put(replace(repository, issues=repository.issues | {number: issue}))
        return issue

    def add_artifact(self, full_name: str, *, run: int, name: str, text: str) -> Artifact:
        """Leave a file among the artifacts of a workflow run, as it is; again under the same name makes another one."""
        return artifacts.add(self.hub, full_name, run, name, text)

    def add_run(self, full_name: str, *, run: int, created: int) -> None:
        """Make a workflow run known that was `created` then, in seconds since the epoch."""
        runs.add(self.hub, full_name, run, created)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self._port), self)
        self.hub.url = f"http://127.0.0.1:{self._server.server_port}"
        # A short poll, so that closing does not take half a second.
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.02,), name="virtual-github", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.closing.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.close_connections()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    # Threads are waited for at the end: a push that runs is finished, not cut.
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], github: VirtualGitHub) -> None:
        self.github = github
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            with self._guard:
                self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            with self._guard:
                self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake the threads that wait for another request on an open connection."""
        with self._guard:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error of ours; anything else is kept where a test looks."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.github.rest.violations.append(f"the server itself failed: {error!r}")
