"""The channel to a worker: starts it, asks, waits no longer than it must, and ends it for good when it misbehaves.

The kernel ends a bubblewrap sandbox together with the thread that opened it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import BinaryIO, Literal

import msgspec

from bot.base.errors import SandboxError
from bot.sandbox.inside import wire

_START_SECONDS = 30.0
_CLOSE_SECONDS = 10.0
_SAID = 2000


class Answer(msgspec.Struct, frozen=True):
    """What came back: `ok`, still to be decoded, or an error."""

    ok: msgspec.Raw = msgspec.Raw(b"")
    error: Literal["", "refused", "directory", "os", "broken", "confine"] = ""
    number: int = 0
    message: str = ""


class Worker:
    """A worker process and the channel to it."""

    def __init__(self, command: list[str], config: wire.Request, *, env: Mapping[str, str]) -> None:
        """Start `command`, which gets the channel's descriptor as one more argument, and wait until it is confined.

        Raises `SandboxError` with what the process said when it does not get that far.
        """
        ours, theirs = socket.socketpair()
        self._channel = ours
        self._errors: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 — lives as long as the worker
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [*command, str(theirs.fileno())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    env=dict(env),
                    cwd=os.sep,
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            self._errors.close()
            msg = f"The sandbox's worker could not be started: {error.strerror}."
            raise SandboxError(msg) from None
        self._broken = ""
        self.ask(config, _START_SECONDS)

    def ask(self, request: wire.Request, seconds: float) -> Answer:
        """Send a request and wait for its answer. Raises `SandboxError` when none comes, now and ever after."""
        if self._broken:
            raise SandboxError(self._broken)
        deadline = time.monotonic() + seconds
        try:
            self._channel.settimeout(seconds)
            body = wire.request(request)
            self._channel.sendall(len(body).to_bytes(wire.HEAD, "big") + body)
            size = int.from_bytes(self._receive(wire.HEAD, deadline), "big")
            if size > wire.LARGEST:
                raise _Unanswered("it sent a frame that is too long")
            answer = msgspec.msgpack.decode(self._receive(size, deadline), type=Answer)
        except (OSError, _Unanswered, msgspec.MsgspecError) as error:
            why = f"no answer within {seconds:g} s" if isinstance(error, TimeoutError) else str(error)
            raise self._break(why) from None
        except BaseException:
            # Ctrl-C between request and answer: the next answer would belong to this request.
            self._break("interrupted")
            raise
        if answer.error in {"broken", "confine"}:
            raise self._break(answer.message)
        return answer

    def close(self) -> None:
        """End the worker and all that runs inside. Safe to call twice."""
        self._broken = self._broken or "The sandbox is closed."
        self._channel.close()
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._end()
        self._errors.close()

    def interrupt(self) -> None:
        """Make the request under way fail at once, from another thread; its own thread tidies up."""
        with contextlib.suppress(OSError):
            # Closing would not wake a thread that waits in recv.
            self._channel.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._process.send_signal(signal.SIGTERM)

    def _receive(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._channel.settimeout(max(0.001, deadline - time.monotonic()))
            part = self._channel.recv(min(size - len(parts), 1 << 20))
            if not part:
                raise _Unanswered("it ended")
            parts += part
        return bytes(parts)

    def _break(self, why: str) -> SandboxError:
        self._channel.close()
        self._end()
        said = self._said()
        self._broken = f"The sandbox broke: {why}." + (f" It said: {said}" if said else "")
        return SandboxError(self._broken)

    def _end(self) -> None:
        # SIGTERM lets a keeper end everything that a hung worker has started; bwrap dies of it, and its namespace too.
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._process.send_signal(number)
            try:
                self._process.wait(_CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    def _said(self) -> str:
        with self._errors as errors:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - _SAID))
            return errors.read().decode("utf-8", "replace").strip()


class _Unanswered(Exception):
    """The worker did not answer as it must."""
