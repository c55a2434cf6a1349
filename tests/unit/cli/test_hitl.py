"""What a person at the terminal is asked, on a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import sys
import threading
from collections.abc import Iterator

import pytest

from bot.base.errors import RefusedError
from bot.cli.hitl import TerminalApprover

END = "\x04"  # ^D


class Terminal:
    """A person who types ahead."""

    def __init__(self, master: int) -> None:
        self.interrupted = threading.Event()
        self.master = master
        self.approver = TerminalApprover(self.interrupted)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    with (
        os.fdopen(slave, encoding="utf-8") as stdin,
        os.fdopen(slave, "w", encoding="utf-8", closefd=False) as stderr,
    ):
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stderr", stderr)
        yield Terminal(master)
    os.close(master)


def test_without_a_terminal_it_refuses() -> None:
    with pytest.raises(RefusedError, match="no terminal"):
        TerminalApprover(threading.Event())


def test_all_from_here_is_for_one_plugin_and_never_for_publishing(terminal: Terminal) -> None:
    ask = terminal.approver.ask
    terminal.type("a\n")
    assert ask("edit in a", "+x", plugin="a").allow
    assert ask("edit in a", "+y", plugin="a").allow
    terminal.type("n\nnot like this\n")
    answer = ask("edit in b", "+x", plugin="b")
    assert (answer.allow, answer.reason, answer.stop) == (False, "not like this", False)
    terminal.type("n\n")
    assert not terminal.approver.may_publish("Publish 1 proposal?", "a: Words")
    assert terminal.approver.closed() is None


def test_stop_ends_the_campaign(terminal: Terminal) -> None:
    terminal.type("s\n")
    assert terminal.approver.ask("edit in a", "+x", plugin="a").stop
    assert terminal.approver.closed() == "stopped by the person at the terminal"
    assert terminal.approver.ask("edit in b", "+x", plugin="b").stop
    assert not terminal.approver.may_publish("Publish 1 proposal?", "a: Words")


@pytest.mark.parametrize("typed", [END, f"n\n{END}"], ids=["at the question", "at the reason"])
def test_an_end_of_input_stops(terminal: Terminal, typed: str) -> None:
    terminal.type(typed)
    answer = terminal.approver.ask("edit in a", "+x", plugin="a")
    assert (answer.allow, answer.stop) == (False, True)


def test_an_interruption_is_not_kept_waiting_by_a_question(terminal: Terminal) -> None:
    caught: list[BaseException] = []

    def asking() -> None:
        try:
            terminal.approver.ask("edit in a", "+x", plugin="a")
        except KeyboardInterrupt as error:
            caught.append(error)

    thread = threading.Thread(target=asking)
    thread.start()
    terminal.interrupted.set()
    thread.join(5)
    assert len(caught) == 1


def test_what_steers_a_terminal_or_is_not_seen_is_written_out(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.type("x\ny\n")
    assert terminal.approver.ask("edit in a", "$ rm -rf\u200b /\x1b[2J\r$ ls", plugin="a").allow
    shown = capsys.readouterr().err
    assert r"$ rm -rf\u200b /\x1b[2J\r$ ls" in shown
    assert "Please answer with one of y, n, a, s." in shown
