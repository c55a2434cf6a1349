"""A person at the terminal, asked before each command and write, and once before publishing."""

from __future__ import annotations

import sys

import click

from bot.base.errors import RefusedError
from bot.ports import Answer

_CHOICES = "[y]es, [n]o, [a]ll from here, [s]top"


class TerminalApprover:
    """Asks on the terminal. Raises `RefusedError` when there is none."""

    def __init__(self) -> None:
        """Looks for the terminal before anything starts."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            msg = "--hitl asks a person, and there is no terminal to ask on."
            raise RefusedError(msg, "Run it in a terminal, or leave --hitl out.")
        self._all = False

    def ask(self, title: str, preview: str) -> Answer:
        """Show what would happen and wait for an answer. An end of input stops the run."""
        if self._all:
            return Answer(allow=True)
        click.echo(f"\n{click.style(title, bold=True)}", err=True)
        for line in preview.splitlines():
            click.echo("  " + _coloured(line), err=True)
        while True:
            try:
                word = click.prompt(_CHOICES, default="y", show_default=True, err=True).strip().lower()
            except click.Abort:
                return Answer(allow=False, stop=True, reason="stopped by the person at the terminal")
            match word[:1]:
                case "y":
                    return Answer(allow=True)
                case "a":
                    self._all = True
                    return Answer(allow=True)
                case "n":
                    reason = click.prompt("Why not? (goes to the model)", default="", show_default=False, err=True)
                    return Answer(allow=False, reason=reason)
                case "s":
                    return Answer(allow=False, stop=True, reason="stopped by the person at the terminal")
                case _:
                    click.echo("Please answer with y, n, a or s.", err=True)


def _coloured(line: str) -> str:
    # What is shown may come from a hostile repository: no control character reaches the terminal as one.
    plain = "".join(char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}" for char in line)
    if plain.startswith(("+", "-")):
        return click.style(plain, fg="green" if plain[0] == "+" else "red")
    return plain
