"""What the `trace` commands have in common: which file is meant, and whether there are colours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

import click
import msgspec

from bot.base.errors import WorldError
from bot.trace.events import Seal
from bot.trace.render import Paint, uncoloured

FILE = click.Path(exists=True, path_type=Path)
TRACES = ("execution_trace.jsonl", "publish_trace.jsonl")


def traces(file: Path) -> tuple[Path, ...]:
    """The file itself, or the traces of a folder. Raises `WorldError` when it has none."""
    if file.is_file():
        return (file,)
    found = tuple(file / name for name in TRACES if (file / name).is_file())
    if not found:
        raise WorldError(f"There is no trace in {file}.", "Name a file, or a folder with a proposal in it.")
    return found


def run_trace(file: Path) -> Path:
    """The trace of the run itself: the file, or the first of a folder's."""
    return traces(file)[0]


def beside(trace: Path) -> Seal | None:
    """The seal in the proposal beside a trace; None when there is none."""
    try:
        return msgspec.json.decode((trace.parent / "proposal.json").read_bytes(), type=_Sealed).trace
    except (OSError, msgspec.DecodeError):
        return None


def seal_of(trace: Path) -> Seal | None:
    """The seal of this very trace; None when there is none."""
    seal = beside(trace)
    return seal if seal is not None and seal.file == trace.name else None


class _Sealed(msgspec.Struct):
    """As much of a proposal as matters here."""

    trace: Seal | None = None


def paint_for(stream: TextIO) -> Paint:
    """Colours where a person looks at the stream and does not mind them."""
    return click.style if stream.isatty() and not os.environ.get("NO_COLOR") else uncoloured
