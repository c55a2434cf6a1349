"""What the runner reads of us: workflow commands, outputs, the job summary. Nothing foreign gets in there by accident.

A line that starts with `::` on stdout or stderr is a command to the runner, whoever wrote it. So what is printed while
a job works counts as text, by `::stop-commands::` with a token that nobody can know.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

_SUMMARY_LIMIT = 1 << 20
_CUT = "\n\n… cut here: a job summary holds 1 MiB. The whole report is in the artifact.\n"
_MOST_ANNOTATIONS = 10
"""More of a kind are not shown for one step."""
_MESSAGE = 2_000


class Runner(msgspec.Struct, frozen=True, kw_only=True):
    """Where the runner wants to be told things; outside of Actions nothing is written to files."""

    output: Path | None = None
    summary: Path | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Runner:
        """From `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY`."""
        names = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        output, summary = (Path(environ[name]) if environ.get(name) else None for name in names)
        return cls(output=output, summary=summary)

    def mask(self, values: Iterator[str] | tuple[str, ...]) -> None:
        """Have the log show `***` for these, and for what they look like in a Basic header."""
        for value in values:
            for line in (value, base64.b64encode(f"x-access-token:{value}".encode()).decode()):
                if line.strip():
                    _command("add-mask", line)

    @contextlib.contextmanager
    def quoting(self) -> Iterator[None]:
        """What is printed meanwhile is text to the runner, never a command."""
        token = secrets.token_hex(16)
        _command("stop-commands", token)
        try:
            yield
        finally:
            sys.stderr.flush()
            _write(f"::{token}::")

    def annotate(self, notes: list[tuple[Literal["error", "warning", "notice"], str, str]]) -> None:
        """Show notes (kind, title, text) on the run's page; as many as are shown there."""
        shown: dict[str, int] = {}
        for kind, title, text in notes:
            shown[kind] = shown.get(kind, 0) + 1
            if shown[kind] <= _MOST_ANNOTATIONS:
                _write(f"::{kind} title={_property(title[:200])}::{_data(text[:_MESSAGE])}")

    def set_outputs(self, values: Mapping[str, str]) -> None:
        """Set outputs of the step. A delimiter is random, so no value can end itself and set another."""
        if self.output is None:
            return
        with self.output.open("a", encoding="utf-8") as stream:
            for name, value in values.items():
                mark = f"end-{secrets.token_hex(16)}"
                if mark in value:
                    raise AssertionError
                stream.write(f"{name}<<{mark}\n{value}\n{mark}\n")

    def summarise(self, markdown: str) -> None:
        """Add to the job summary. `markdown` has to be inert already."""
        if self.summary is None:
            return
        data = markdown.encode()
        if len(data) > _SUMMARY_LIMIT:
            data = data[: _SUMMARY_LIMIT - len(_CUT.encode())].decode(errors="ignore").encode() + _CUT.encode()
        with self.summary.open("ab") as stream:
            stream.write(data)


def _command(name: str, value: str) -> None:
    _write(f"::{name}::{_data(value)}")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
