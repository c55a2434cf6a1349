"""Going on with a trace file that is there already."""

from __future__ import annotations

from pathlib import Path

from bot.base.errors import WorldError
from bot.trace.line import decode

_TAIL = 1 << 16


def place(path: Path, previous: str) -> tuple[int, str]:
    """How many lines a file has and the hash of the last one, or none and `previous` where there is no file yet.

    A last line that a kill cut is removed. A file that is chained to something else than `previous` is moved aside.
    Raises `WorldError` for a run that is over and for what is no trace, `OSError` as the file system does.
    """
    if not path.is_file() or path.is_symlink() or path.stat().st_size == 0:
        return 0, previous
    _cut_torn_line(path)
    with path.open("rb") as stream:
        first = stream.readline()
    if not first:
        return 0, previous
    try:
        if decode(first)["prev"] != previous:
            _move_aside(path)
            return 0, previous
        last = decode(_last_line(path))
    except ValueError as error:
        msg = f"{path} is no trace: {error}."
        raise WorldError(msg, "Move it away and try again.") from error
    if last["event"] == "run_finished":
        msg = f"{path} is the trace of a run that is over."
        raise WorldError(msg, "Give the new run another folder.")
    return last["seq"], last["hash"]


def _cut_torn_line(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb+") as stream:
        end = size
        while end > 0:
            start = max(0, end - _TAIL)
            stream.seek(start)
            newline = stream.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end != size:
            stream.truncate(end)


def _last_line(path: Path) -> bytes:
    with path.open("rb") as stream:
        end = path.stat().st_size
        start, found = end, b""
        while start > 0 and b"\n" not in found[:-1]:
            start = max(0, start - _TAIL)
            stream.seek(start)
            found = stream.read(end - start)
    return found[found[:-1].rfind(b"\n") + 1 :]


def _move_aside(path: Path) -> None:
    number = 1
    while (aside := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    path.replace(aside)
