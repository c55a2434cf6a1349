"""A person at the terminal, asked before each command and write, and before publishing."""

from __future__ import annotations

import select
import sys
import threading

import click

from bot.base.errors import RefusedError
from bot.expected.twins import spelled
from bot.ports import Answer

_GLANCE_SECONDS = 0.2
"""How often it is looked whether the campaign was interrupted while a person thinks."""
_STOPPED = "stopped by the person at the terminal"


class TerminalApprover:
    """Asks on the terminal. Raises `RefusedError` when there is none.

    "All from here" holds for the plugin it was said of and for nothing else; publishing is always asked. After "stop"
    nothing more is asked and `closed` says why no further task may begin.
    """

    def __init__(self, interrupted: threading.Event) -> None:
        """Looks for the terminal before anything starts. Once `interrupted` is set, no answer is waited for."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            msg = "--hitl asks a person, and there is no terminal to ask on."
            raise RefusedError(msg, "Run it in a terminal, or leave --hitl out.")
        self._interrupted = interrupted
        self._trusted = ""
        self._stopped = False

    def ask(self, title: str, preview: str, *, plugin: str) -> Answer:
        """Show what would happen and wait for an answer. An end of input stops the campaign."""
        if self._stopped:
            return Answer(allow=False, stop=True, reason=_STOPPED)
        if plugin == self._trusted:
            return Answer(allow=True)
        _show(title, preview)
        match self._choice(f"[y]es, [n]o, [a]ll from here in {plugin}, [s]top everything", "ynas"):
            case "y":
                return Answer(allow=True)
            case "a":
                self._trusted = plugin
                return Answer(allow=True)
            case "n":
                reason = self._line("Why not? (goes to the model)")
                if reason is not None:
                    return Answer(allow=False, reason=reason)
        self._stopped = True
        return Answer(allow=False, stop=True, reason=_STOPPED)

    def may_publish(self, title: str, preview: str) -> bool:
        """Whether proposals may be published; not asked after "stop"."""
        if self._stopped:
            return False
        _show(title, preview)
        return self._choice("[y]es, [n]o", "yn") == "y"

    def closed(self) -> str | None:
        """Why no further task may begin, or None."""
        return _STOPPED if self._stopped else None

    def _choice(self, question: str, letters: str) -> str:
        """One of the letters, `y` for an empty line; nothing at the end of input."""
        while True:
            word = self._line(f"{question} [y]")
            if word is None:
                return ""
            letter = (word.lower() or "y")[0]
            if letter in letters:
                return letter
            click.echo(f"Please answer with one of {', '.join(letters)}.", err=True)

    def _line(self, question: str) -> str | None:
        """What the person types, or None at the end of input.

        Raises `KeyboardInterrupt` when the campaign was interrupted: tasks ask in threads that no signal reaches.
        """
        click.echo(f"{question}: ", nl=False, err=True)
        while not self._interrupted.is_set():
            if not select.select([sys.stdin], [], [], _GLANCE_SECONDS)[0]:
                continue
            try:
                line = sys.stdin.readline()
            except OSError:  # the terminal is gone
                line = ""
            if not line:
                click.echo(err=True)
                return None
            return line.strip()
        raise KeyboardInterrupt


def _show(title: str, preview: str) -> None:
    # What is shown may come from a hostile repository: what steers a terminal, or is not seen, is written out.
    click.echo(f"\n{click.style(spelled(title), bold=True)}", err=True)
    for line in preview.split("\n"):
        plain = spelled(line.replace("\t", "    "))
        colour = {"+": "green", "-": "red"}.get(plain[:1])
        click.echo("  " + click.style(plain, fg=colour), err=True)
