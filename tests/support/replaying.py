"""Every finished trace that tests make replays to the same end: asked of each run of a world, an arena and a flight."""

from __future__ import annotations

from pathlib import Path

from bot.base.errors import WorldError
from bot.task import store
from bot.task.recite import recite
from bot.trace.reader import verify


def replays(folder: Path) -> bool:
    """Whether the conversation of a finished run goes the same way again, from its trace alone.

    True too where there is none: a script, a trace or a proposal that a test changed or broke off.
    """
    try:
        proposal = store.read(folder)
        whole = proposal.trace is not None and verify(folder / store.TRACE, proposal.trace).finished
    except WorldError:
        return True
    return proposal.model is None or not whole or recite(folder / store.TRACE).same
