"""Which recorded run belongs to which scenario, for flights with a model that repeats what was said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.base.errors import UsageError, WorldError
from bot.trace.events import RunStarted
from bot.trace.memory import NAME
from bot.trace.reader import read
from bot.windtunnel.scenario import Scenario


def recordings(place: Path, scenarios: tuple[Scenario, ...]) -> dict[str, tuple[Path, ...]]:
    """Scenario → traces. `place` is a trace, or a folder below which there are some.

    A trace belongs to the scenario on the plugin that it was recorded on; several are in the order of their paths,
    those of an earlier flight by their seeds, so that each flies again under the seed that it had. A single trace of a
    plugin that nobody models is flown on all scenarios. Raises `UsageError` when there is nothing to fly.
    """
    traces: dict[str, tuple[Path, ...]] = {}
    if place.is_file():
        traces[_plugin(place)] = (place,)
    elif place.is_dir():
        for trace in sorted(place.rglob(NAME), key=_in_order):
            plugin = _plugin(trace)
            traces[plugin] = (*traces.get(plugin, ()), trace)
    else:
        msg = f"There is no trace {place}."
        raise UsageError(msg, f"Write --model replay:FILE with an {NAME}, or replay:DIR with a folder that has some.")
    found = {one.name: traces[one.task.plugin.name] for one in scenarios if one.task.plugin.name in traces}
    if not found and place.is_file():
        return dict.fromkeys((one.name for one in scenarios), (place,))
    if not found:
        msg = f"None of the traces below {place} was recorded on {', '.join(one.name for one in scenarios)}."
        told = ", ".join(sorted(filter(None, traces))) or "none"
        raise UsageError(msg, f"There are runs on: {told}. Choose scenarios of them with --virtual.")
    return found


def _in_order(trace: Path) -> tuple[Path, int, str]:
    """By folder, the numbers of seeds as numbers."""
    name = trace.parent.name
    return trace.parent.parent, int(name) if name.isdecimal() else -1, name


def _plugin(trace: Path) -> str:
    """The plugin that a run was on; empty when the trace does not say."""
    return next(_named(trace), "")


def _named(trace: Path) -> Iterator[str]:
    try:
        for line in read(trace):
            if isinstance(line.body, RunStarted):
                yield line.body.plugin
            return
    except WorldError:
        return
