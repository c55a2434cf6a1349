"""Running one command, with everything it started dead at the end."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bot.sandbox.inside.totals import EVERY, Totals

CAP = 1 << 20
"""Bytes that are kept of each stream: its first and its last half."""
TIMED_OUT = 124
_NOT_STARTED = 126
_ENDED = 128 + signal.SIGKILL
_PIPE = 1 << 16


class Stream:
    """What came out of a pipe: all of it counted, its beginning and its end kept."""

    def __init__(self, cap: int = CAP) -> None:
        """`cap` is in bytes."""
        self._half = cap // 2
        self._head, self._tail = bytearray(), bytearray()
        self.size = 0

    def add(self, data: bytes) -> None:
        """The next bytes."""
        self.size += len(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    @property
    def kept(self) -> bytes:
        """Everything, or the first and last half of the cap with a line between them that says how much is missing."""
        tail = bytes(self._tail[-self._half :])
        lost = self.size - len(self._head) - len(tail)
        note = f"\n[... {lost} bytes left out ...]\n".encode() if lost else b""
        return bytes(self._head) + note + tail


class Kennel(NamedTuple):
    """How processes are kept in, and how all of them are ended."""

    enter: Callable[[], None]
    """Called in the new process, before the command."""
    end: Callable[[], None]
    """Kill all processes but our own and wait for them."""


class Command(NamedTuple):
    """What to run."""

    line: str
    folder: str
    env: Mapping[str, str]
    timeout: float
    """Seconds."""
    totals: Totals | None = None
    """What all its processes may use together; None: as much as there is."""


class Gone(Exception):
    """The client closed the channel while a command ran."""


def run(command: Command, kennel: Kennel, channel: int) -> dict[str, object]:
    """Run it to its end or to its time-out. Raises `Gone` when the client is not there any more."""
    began = time.monotonic()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write, out_read, err_read):
        os.set_blocking(end, False)
    before = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    streams = {out_read: Stream(), err_read: Stream()}
    try:
        shell = _start(command, kennel, out_write, err_write)
        os.close(out_write)
        os.close(err_write)
        status, over = _watch(shell, streams, wake_read, channel, began + command.timeout, command.totals)
    finally:
        kennel.end()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, before)
        for end in (wake_read, wake_write):
            os.close(end)
    for end, stream in streams.items():
        _drain(end, stream)
        os.close(end)
    out, err = streams[out_read], streams[err_read]
    if over is not None:
        err.add(f"\nfleet-bot ended this command: {over}.\n".encode())
    late = status is None and over is None
    return {
        "exit_code": TIMED_OUT if late else _ENDED if status is None else _exit_code(status),
        "stdout": out.kept,
        "stderr": err.kept,
        "duration_us": round((time.monotonic() - began) * 1_000_000),
        "timed_out": late,
        "stdout_size": out.size,
        "stderr_size": err.size,
    }


def _start(command: Command, kennel: Kennel, out: int, err: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        kennel.enter()
        os.chdir(command.folder)
        os.execve("/bin/sh", ["sh", "-c", command.line], command.env)
    except BaseException as error:  # noqa: BLE001 — whatever happens, the copy of the worker must not live on
        os.write(2, f"the command could not be started: {error}\n".encode())
    finally:
        os._exit(_NOT_STARTED)


def _watch(
    shell: int, streams: dict[int, Stream], wake: int, channel: int, deadline: float, totals: Totals | None
) -> tuple[int | None, str | None]:
    """Collect output until the shell has ended; its wait status, or None when time is up first or, with a reason, when
    it takes too much.
    """
    poll = select.poll()
    for end in (*streams, wake):
        poll.register(end, select.POLLIN)
    # POLLIN without a request pending means end of file: the client never sends while it waits for an answer.
    poll.register(channel, select.POLLIN)
    status = None
    look = time.monotonic() + EVERY
    while status is None:
        now = time.monotonic()
        if deadline <= now:
            return None, None
        if totals is not None and look <= now:
            if (over := totals.exceeded()) is not None:
                return None, over
            look = now + EVERY
        for end, _ in poll.poll(min((deadline - now) * 1000 + 1, EVERY * 1000)):
            if end == channel:
                raise Gone
            if end == wake:
                _drain(wake, None)
            elif not _take(end, streams[end]):
                poll.unregister(end)
        status = _reap(shell)
    return status, None


def _reap(shell: int) -> int | None:
    """Wait for whatever has ended; the shell's status if it was among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == shell:
            found = status


def _take(end: int, stream: Stream) -> bool:
    """One read; False at the end of the stream."""
    try:
        data = os.read(end, _PIPE)
    except BlockingIOError:
        return True
    stream.add(data)
    return bool(data)


def _drain(end: int, stream: Stream | None) -> None:
    """Everything that is in a pipe already."""
    try:
        while data := os.read(end, _PIPE):
            if stream is not None:
                stream.add(data)
    except BlockingIOError:
        pass


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
