"""Who flies: what gives each trial its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bot.base.clock import Clock
from bot.base.errors import ConfigurationError
from bot.base.messages import Reply, Request
from bot.base.values import Task
from bot.models.replay import ReplayModel
from bot.ports import AttemptListener, Model, ModelId
from bot.virtual.clock import VirtualClock
from bot.windtunnel.scenario import Scenario
from bot.windtunnel.scripted import Detours, ScriptModel, identity


class Pilot(Protocol):
    """Gives each trial a model of its own."""

    @property
    def identity(self) -> ModelId:
        """Who flies; stands in the certificate."""
        ...

    def model(self, scenario: Scenario, seed: int, clock: VirtualClock) -> Model:
        """The model of one trial. `clock` is the trial's, and moves only when somebody says so."""
        ...


class ScriptedPilot:
    """The answers that lie beside the virtual plugins, with detours that depend on the seed."""

    def __init__(self, *, detours: bool = True) -> None:
        """Without `detours` all trials of a scenario are the same one."""
        self._detours = detours

    @property
    def identity(self) -> ModelId:
        """A model of its own, that no real campaign has."""
        return identity()

    def model(self, scenario: Scenario, seed: int, clock: VirtualClock) -> Model:
        """Raises `ConfigurationError` where there are no answers."""
        if scenario.answers is None:
            msg = f"There are no answers to {scenario.task.playbook.id} on {scenario.name}."
            raise ConfigurationError(msg, "Write them, see virtual_fleet/README.md, or fly with a real model.")
        files = tuple(path for path in scenario.profile.files if not path.startswith("/"))
        # Seed 0 is the script as it is written: what fails there is no matter of chance.
        detours = Detours(seed, files) if self._detours and seed and files else None
        return ScriptModel(scenario.answers, clock=clock, detours=detours)


class ReplayPilot:
    """The replies of recorded runs: of several of one scenario, each seed has its own, over and over."""

    def __init__(self, traces: Mapping[str, Sequence[Path]]) -> None:
        """Scenario → its traces, at least one."""
        self._traces = {name: tuple(found) for name, found in traces.items()}

    @property
    def identity(self) -> ModelId:
        """The recorded model, as a replay."""
        for traces in self._traces.values():
            return ReplayModel(traces[0]).identity
        return ModelId(adapter="replay", name="nothing")

    def model(self, scenario: Scenario, seed: int, clock: VirtualClock) -> Model:
        """Raises `ConfigurationError` where nothing was recorded."""
        if scenario.name not in self._traces:
            msg = f"There is no recorded run for {scenario.name}."
            raise ConfigurationError(msg, f"There are: {', '.join(self._traces) or 'none'}.")
        traces = self._traces[scenario.name]
        return ReplayModel(traces[seed % len(traces)])


class LivePilot:
    """A real model."""

    def __init__(self, made: Callable[[Task], Model], identity: ModelId, clock: Clock) -> None:
        """`made` gives the model of a task, asked only when a trial begins; `clock` is the one that it waits by."""
        self._made, self._identity, self._clock = made, identity, clock

    @property
    def identity(self) -> ModelId:
        """Who answers."""
        return self._identity

    def model(self, scenario: Scenario, seed: int, clock: VirtualClock) -> Model:
        """Whoever is given for the task."""
        return _Bridged(self._made(scenario.task), self._clock, clock)


class InProcessPilot:
    """Any model of this process, for tests."""

    def __init__(self, made: Callable[[Scenario, int], Model], name: str = "in-process") -> None:
        """`made` gives the model of a trial from scenario and seed."""
        self._made, self._name = made, name

    @property
    def identity(self) -> ModelId:
        """Counts as scripted: what repeats itself counts once."""
        return ModelId(adapter="scripted", name=self._name)

    def model(self, scenario: Scenario, seed: int, clock: VirtualClock) -> Model:
        """What was given."""
        return self._made(scenario, seed)


class _Bridged:
    """A model that waits by the real clock, for a loop that lives by a virtual one."""

    def __init__(self, model: Model, real: Clock, virtual: VirtualClock) -> None:
        self._model, self._real, self._virtual = model, real, virtual

    @property
    def identity(self) -> ModelId:
        """Who answers."""
        return self._model.identity

    def reply(self, request: Request, *, deadline: float, on_attempt: AttemptListener) -> Reply:
        """The time that the model takes passes on the virtual clock as well."""
        began = self._real.monotonic()
        try:
            left = deadline - self._virtual.monotonic()
            return self._model.reply(request, deadline=began + left, on_attempt=on_attempt)
        finally:
            self._virtual.sleep(self._real.monotonic() - began)
