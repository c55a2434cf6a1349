"""The execution of one task: its folder, its trace, and what is known of it so far."""

from __future__ import annotations

import fcntl
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import msgspec

from bot import __version__
from bot.base.canonical import digest, spelled_out
from bot.base.errors import FleetBotError, TaskBlocked, TaskFailed, TaskSkipped
from bot.base.staging import left_out
from bot.base.values import Task, Usage
from bot.ports import Sandbox, TraceSink
from bot.sandbox.launcher import Room
from bot.task.change import Change, difference
from bot.task.checkout import Checkout, Origin
from bot.task.narrow import NARROW_FILE, narrowed
from bot.task.proposal import Proposal
from bot.task.recorded import run_started
from bot.task.store import TRACE, place_for_attempt, settle
from bot.task.workshop import Workshop, places
from bot.trace.events import FileWrite, Note, ToolRequested, VerificationDone
from bot.trace.reader import read

_FILE_TOOLS = frozenset({"write_file", "edit_file"})


class Run:
    """One task being executed. Knows what has been found out; the hops of `bot.task.pipeline` fill it in."""

    def __init__(self, task: Task, folder: Path, shop: Workshop) -> None:
        """`folder` is where the proposal goes; it is made when the first file is written."""
        self.task, self.shop = task, shop
        self.home = folder
        """Where the proposal belongs."""
        self.lock: TextIO | None = None
        self._attempt: Path | None = None
        self.began = shop.clock.monotonic()
        self.task_key = ""
        self.origin: Origin | None = None
        self.checkout: Checkout | None = None
        self.sink: TraceSink | None = None
        self.sandbox: Sandbox | None = None
        self.enforced: dict[str, Any] = {}
        self.usage = Usage()
        self.answer: str | None = None
        self.change: Change | None = None
        self.verification: VerificationDone | None = None
        self.notes: tuple[str, ...] = ()
        """What whoever reads the pull request should know."""
        self.left_by_tests: frozenset[str] = frozenset()
        """Files that the plugin's own tests write: not a change, unless the agent wrote them itself."""

    def claim(self) -> None:
        """Make sure that nobody else works on this plugin in this folder. Raises `TaskSkipped`, `OSError`."""
        self.home.parent.mkdir(parents=True, exist_ok=True)
        lock = self.home.with_name(f".{self.home.name}.lock").open("w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            msg = f"Another run is working on it in {self.home}."
            raise TaskSkipped(msg, "Wait for its end, or choose another --out.") from None
        self.lock = lock

    @property
    def folder(self) -> Path:
        """Where this attempt writes; beside `home` while that holds work of an earlier one."""
        if self._attempt is None:
            self._attempt = place_for_attempt(self.home)
        return self._attempt

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.leave()
        if self.checkout is not None:
            self.checkout.remove()
        if self.lock is not None:
            self.lock.close()

    def say(self, step: str) -> None:
        """Tell whoever waits. Raises `KeyboardInterrupt` when the campaign was interrupted meanwhile."""
        if self.shop.stop.is_set():
            raise KeyboardInterrupt
        self.shop.progress(self.task, step)

    def seconds(self) -> float:
        """How long the next command may run: the limit for one, or what is left of the task's time.

        Raises `TaskFailed` when that is over, `TaskBlocked` when there is work already.
        """
        limits = self.task.limits
        left = limits.minutes * 60 - self.elapsed_ms / 1000
        if left <= 0:
            end = TaskFailed if self.change is None or self.change.empty else TaskBlocked
            msg = f"The task's {limits.minutes:g} minutes are over."
            raise end(msg, "Raise `limits.minutes` of the plugin or the playbook.")
        return min(limits.command_seconds, left)

    def key(self, origin: Origin) -> str:
        """A hash of everything that the result depends on; a finished proposal with the same key is not made again."""
        self.origin = origin
        identity = self.shop.model_id if self.task.playbook.mode == "agent" else None
        if identity is not None:
            # Where model and issue are reached (a proxy, another port) is no part of who answers and what is asked.
            identity = msgspec.structs.replace(identity, endpoint="")
        task = msgspec.structs.replace(self.task, notes=())
        if task.report is not None:
            task = msgspec.structs.replace(task, report=msgspec.structs.replace(task.report, url=None))
        self.task_key = digest([__version__, task, origin.base_head, identity])
        return self.task_key

    def check_out(self, origin: Origin) -> None:
        """Clone, open a sandbox on the workspace, and begin the trace.

        Raises `TaskSkipped` when no further task of the campaign may begin.
        """
        if (why := self.shop.closed()) is not None:
            raise TaskSkipped(f"Not begun: {why}.")
        if (spent := self.shop.purse.reached()) is not None:
            raise TaskSkipped(f"Not begun: {spent.message}", "Raise the campaign's budget and run it again.")
        self.say("clone")
        self.origin = origin
        self.checkout = Checkout.make(self.task, origin, self.shop.scratch())
        settings = self.checkout.git.blob(origin.base_head, NARROW_FILE)
        if settings is not None:
            self.task = narrowed(self.task, settings)
        self.enter()
        self.begin()
        if self.checkout.note:
            self.note(self.checkout.note)

    def enter(self, *, set_up: bool = False, tree: str | None = None) -> Sandbox:
        """Open a sandbox on the workspace, as the plugin's policy says; `tree` first replaces the workspace's files.

        A set-up may use the network and write the environment; everything after it sees the environment read-only.
        """
        checkout = self.place
        self.leave()
        if tree is not None:
            checkout.fill(tree)
        room = Room(
            workspace=checkout.workspace,
            history=checkout.git,
            private=checkout.private(),
            writable=(checkout.environment,) if set_up else (),
            readonly=(checkout.objects, *places(self.shop.reaching))
            if set_up
            else (checkout.objects, checkout.environment),
            env=checkout.variables | (self.shop.reaching if set_up else {}),
            network="full" if set_up else self.task.plugin.network,
        )
        self.sandbox = self.shop.sandboxes.open(room)
        if not set_up:
            self.enforced = msgspec.to_builtins(self.sandbox.facts)
        return self.sandbox

    def leave(self) -> None:
        """Close the sandbox, and everything in it."""
        if self.sandbox is not None:
            self.sandbox.close()
            self.sandbox = None

    def begin(self) -> TraceSink:
        """Write the trace's first line; a second call only hands out the trace."""
        if self.sink is not None:
            return self.sink
        task = self.task
        agent = task.playbook.mode == "agent"
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / TRACE
        file.unlink(missing_ok=True)
        self.sink = self.shop.trace(file, task.run)
        self.sink.append(
            run_started(
                task,
                base=self.checkout.base if self.checkout else "",
                model=self.shop.model_id if agent else None,
                sandbox=self.enforced,
                protected=self.shop.protected,
                base_branch=self.origin.base_branch if self.origin else "",
                base_head=self.origin.base_head if self.origin else "",
                workspace=str(self.checkout.workspace) if self.checkout else "",
            )
        )
        return self.sink

    def collect(self) -> Change:
        """What the run changed, as a change to the base; nothing that the set-up or a test run left behind."""
        checkout = self.place
        if self.sandbox is None:
            raise AssertionError
        unmeant = self.left_by_tests - self._written_by_tools() if self.task.playbook.mode == "agent" else frozenset()
        snapshot = self.sandbox.snapshot()
        self.change = difference(checkout, snapshot, self.task, unmeant)
        for change in checkout.changes(snapshot) if unmeant else ():
            if change.path in unmeant:
                self.note(f"{change.path} changed too and was left out: the tests write it themselves.")
        for path in left_out(checkout.git, checkout.workspace):
            self.note(f"{path} was left out: no forge takes a file so large.")
        return self.change

    def note(self, text: str) -> None:
        """Say something to whoever reads the pull request, and in the trace."""
        note = spelled_out(text)
        self.notes += (note,)
        self.trace.append(Note(message=note))

    def _written_by_tools(self) -> frozenset[str]:
        """The files that the agent wrote with a tool for files, as the trace has it."""
        tools: dict[str, str] = {}
        written: set[str] = set()
        for line in read(self.folder / TRACE):
            if isinstance(line.body, ToolRequested):
                tools[line.body.call] = line.body.tool
            elif isinstance(line.body, FileWrite) and tools.get(line.body.call or "") in _FILE_TOOLS:
                written.add(line.body.path)
        return frozenset(written)

    def settled(self, proposal: Proposal) -> tuple[Proposal, Path]:
        """The sealed proposal, and the folder that it is in now."""
        mine = self.lock is not None
        return proposal, settle(self.folder, self.home, proposal.outcome) if mine else self.home

    def collect_quietly(self) -> None:
        """Keep the work of a run that ended early, if there is any; never raises."""
        if self.change is None and self.sandbox is not None and self.checkout is not None:
            try:
                self.collect()
            except (FleetBotError, OSError):
                self.change = None

    @property
    def place(self) -> Checkout:
        """The checkout, once there is one."""
        if self.checkout is None:
            raise AssertionError
        return self.checkout

    @property
    def inside(self) -> Sandbox:
        """The sandbox that is open, or else a new one on the workspace as it is."""
        return self.sandbox or self.enter()

    @property
    def trace(self) -> TraceSink:
        """The trace."""
        return self.begin()

    @property
    def elapsed_ms(self) -> float:
        """Since the task began."""
        return round((self.shop.clock.monotonic() - self.began) * 1000, 1)
