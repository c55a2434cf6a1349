"""The attempts of a flight on disk: what was flown is never flown again, and never forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bot.base.canonical import digest
from bot.base.errors import WorldError
from bot.trace.memory import NAME, save
from bot.windtunnel.certificate import Subject
from bot.windtunnel.envelope import way
from bot.windtunnel.judgement import Trial

_ATTEMPTS = "attempts.jsonl"
_ENCODER = msgspec.json.Encoder()
_DECODE = msgspec.json.Decoder(dict[str, Any]).decode


def flight_key(subject: Subject, virtual_plugins: Mapping[str, str]) -> str:
    """The same for flights whose attempts can be taken for each other's."""
    # A part of the fleet is flown in the same folder as all of it: attempts carry their scenario's own hash.
    return digest([msgspec.structs.replace(subject, bot_version=""), sorted(virtual_plugins)])[:8]


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    virtual_plugin: str
    trial: Trial


class Logbook:
    """A folder with `attempts.jsonl` and `traces/<scenario>/<seed>/`; one flight at a time."""

    def __init__(self, folder: Path, virtual_plugins: Mapping[str, str]) -> None:
        """Reads what is there; attempts on virtual plugins that have changed since are left alone."""
        self.folder = folder
        self._hashes = dict(virtual_plugins)
        self._known: dict[tuple[str, int], Trial] = {}
        try:
            data = (folder / _ATTEMPTS).read_bytes()
        except FileNotFoundError:
            data = b""
        for line in data.splitlines():
            try:
                entry = msgspec.json.decode(line, type=_Entry)
            except msgspec.DecodeError:
                continue  # a line that a kill cut
            trial = entry.trial
            if self._hashes.get(trial.scenario) == entry.virtual_plugin:
                self._known[trial.scenario, trial.seed] = trial
        self._cut = bool(data) and not data.endswith(b"\n")

    def find(self, scenario: str, seed: int) -> Trial | None:
        """An attempt that was made already."""
        return self._known.get((scenario, seed))

    def add(self, trial: Trial) -> Trial:
        """Put an attempt and its trace on disk; returns it without the trace. Raises `WorldError`."""
        gone = way(map(_DECODE, trial.trace.splitlines()))
        light = msgspec.structs.replace(trial, way=gone, trace=b"", blobs={})
        entry = _ENCODER.encode(_Entry(virtual_plugin=self._hashes[trial.scenario], trial=light)) + b"\n"
        try:
            save(self.trace(trial.scenario, trial.seed), trial.trace, trial.blobs)
            with (self.folder / _ATTEMPTS).open("ab") as file:
                file.write(b"\n" * self._cut + entry)
        except OSError as error:
            msg = f"{self.folder} cannot be written: {error.strerror}."
            raise WorldError(msg, "Make room, or choose another --out; what was flown so far is kept.") from error
        self._cut = False
        self._known[trial.scenario, trial.seed] = light
        return light

    def trace(self, scenario: str, seed: int) -> Path:
        """Where the trace of an attempt lies."""
        return self.folder / "traces" / scenario / str(seed) / NAME
