"""One trial: the agent loop of a real run, on a virtual plugin; everything recorded, then judged."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bot.agent.effects import record_command
from bot.agent.loop import Crew, run_loop
from bot.base.errors import ConfigurationError
from bot.base.redact import Redactor
from bot.base.values import Task, Usage
from bot.expected.paths import is_test
from bot.ports import Effect
from bot.task.baseline import need_green
from bot.task.condition import Question
from bot.task.ending import Ended, outcome_of
from bot.task.prove import check_change
from bot.task.question import ask
from bot.task.test_results import Suite
from bot.task.verify import Trees, verify
from bot.trace.events import RunFinished, VerificationDone
from bot.trace.memory import MemoryTrace
from bot.virtual.clock import VirtualClock
from bot.virtual.sandbox import VirtualSandbox
from bot.windtunnel.judgement import Seen, Trial, judge
from bot.windtunnel.memory import Files, Unguarded
from bot.windtunnel.own_runs import run_on
from bot.windtunnel.pilots import Pilot
from bot.windtunnel.scenario import Scenario

_UNANSWERED = frozenset({"model_requested", "model_retried"})
_NO_SECRETS = Redactor(())


def fly(scenario: Scenario, seed: int, pilot: Pilot, redactor: Redactor = _NO_SECRETS) -> Trial:
    """Run one trial and judge it. The same arguments give the same trace, byte for byte, unless the model is alive.

    Nothing is refused: a trial shows what an agent does by itself, and the guard of a real run is a second line. A run
    that breaks no rule is the same with and without it. Raises `ConfigurationError` when no trial can be flown.
    """
    flight = _Flight(scenario, seed, pilot, redactor)
    try:
        flight.run()
        end = Ended("changed", flight.proof.reason if flight.proof else "")
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 (as in the pipeline: however it ends, it ends in a value)
        end = outcome_of(error)
    return judge(flight.seen(end), end)


class _Flight:
    """One trial under way."""

    def __init__(self, scenario: Scenario, seed: int, pilot: Pilot, redactor: Redactor) -> None:
        self.scenario, self.seed, self.pilot = scenario, seed, pilot
        self.task: Task = msgspec.structs.replace(scenario.task, seed=seed)
        self.clock = VirtualClock(seed)
        self.sandbox = VirtualSandbox(scenario.profile, seed=seed, clock=self.clock)
        self.base = self.sandbox.files
        self.start = self.sandbox.snapshot()
        run = f"{self.task.campaign}/{scenario.name}/{seed}"
        self.trace = MemoryTrace(run=run, redactor=redactor, clock=self.clock, known=scenario.opening(redactor))
        self.usage, self.answer = Usage(), ""
        self.proof: VerificationDone | None = None
        self.head: Mapping[str, bytes] | None = None
        self.asked = False
        """Whether the model was asked at all."""

    def run(self) -> None:
        """The hops of `bot.task.pipeline`, on a virtual plugin."""
        task, sandbox, trace = self.task, self.sandbox, self.trace
        started = msgspec.structs.replace(
            self.scenario.started,
            base_sha=self.start[:40],
            model=msgspec.to_builtins(self.pilot.identity),
            sandbox=msgspec.to_builtins(sandbox.facts),
            seed=self.seed,
        )
        trace.append(started)
        playbook = task.playbook
        if playbook.applies_if or playbook.done_if:
            ask(Question(Files(self.base), self.start, sandbox, trace, task), playbook)
        before = self._baseline()
        self._agent()
        effects = self._collect()
        check_change(playbook, len(effects))
        self.proof = self._prove(before, effects)
        trace.append(self.proof)
        if not self.proof.proven:
            raise Ended("blocked", f"Not proven: {self.proof.reason}.")

    def _baseline(self) -> Suite | None:
        rule, test = self.task.playbook.verification, self.task.plugin.test
        if test is None or rule.tests == "none" or self.task.playbook.result == "answer":
            return None
        suite = self._suite(self.start)
        need_green(rule, suite)
        self.sandbox.restore(self.start)
        return suite

    def _suite(self, tree: str) -> Suite:
        plugin = self.task.plugin
        if plugin.test is None:
            raise AssertionError
        seconds = self.task.limits.command_seconds
        return run_on(tree, self.sandbox, plugin, plugin.test, self.trace, timeout=seconds)

    def _agent(self) -> None:
        def spent(usage: Usage) -> None:
            self.usage = usage

        self.asked = True
        crew = Crew(
            task=self.task,
            model=self.pilot.model(self.scenario, self.seed, self.clock),
            sandbox=self.sandbox,
            trace=self.trace,
            guard=Unguarded(),
            clock=self.clock,
            spent=spent,
        )
        self.answer = run_loop(crew).answer or ""

    def _collect(self) -> tuple[Effect, ...]:
        self.head = self.sandbox.files
        return self.sandbox.changes(self.start, self.sandbox.snapshot())

    def _prove(self, before: Suite | None, effects: tuple[Effect, ...]) -> VerificationDone:
        rule, plugin, sandbox = self.task.playbook.verification, self.task.plugin, self.sandbox
        if rule.tests == "none":
            proof = VerificationDone(proven=True, reason="the playbook asks for no tests")
        else:
            head = sandbox.snapshot()
            globs = plugin.test.paths if plugin.test else ()
            tests = tuple(effect.path for effect in effects if is_test(effect.path, globs))
            trees = Trees(start=self.start, head=head, proof=self._with_tests(tests), test_files=tests)
            proof = verify(rule, before, trees, self._suite)
            sandbox.restore(head)
        for command in rule.commands:
            result = sandbox.run(command, timeout=self.task.limits.command_seconds, cwd=plugin.directory)
            record_command(self.trace, command, result, phase="verify")
            if result.exit_code != 0:
                reason = f"`{command}` ended with exit code {result.exit_code} on the result"
                return msgspec.structs.replace(proof, proven=False, reason=reason)
        return proof

    def _with_tests(self, tests: tuple[str, ...]) -> str | None:
        """The start plus only the test files of the change; None when no test file changed."""
        if not tests or self.head is None:
            return None
        self.sandbox.restore(self.start)
        for path in tests:
            if path in self.head:
                self.sandbox.write(path, self.head[path])
            else:
                self.sandbox.delete(path)
        return self.sandbox.snapshot()

    def seen(self, end: Ended) -> Seen:
        """Seal the trace; what there is to judge."""
        silent = self.asked and self.trace.last in _UNANSWERED
        self.trace.append(
            RunFinished(
                outcome=end.outcome,
                reason=end.reason,
                usage=self.usage,
                duration_ms=round(self.clock.monotonic() * 1000, 1),
                events=0,
                head="",
                answer=self.answer or None,
            )
        )
        self.trace.seal()
        return Seen(
            scenario=self.scenario,
            seed=self.seed,
            sandbox=self.sandbox,
            trace=self.trace,
            base=self.base,
            head=self.head if self.head is not None else self.sandbox.files,
            proof=self.proof,
            usage=self.usage,
            silent=silent,
        )
