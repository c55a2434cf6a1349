"""A test runner's command answered by the profile's suite."""

from __future__ import annotations

from bot.virtual import pytest_output, unittest_output
from bot.virtual.faults import draw
from bot.virtual.profile import Response
from bot.virtual.pytest_output import Options
from bot.virtual.shell.call import Call, Done
from bot.virtual.shell.words import split_words
from bot.virtual.suite import Result, Suite, run_suite
from bot.virtual.tree import joined
from bot.virtual.world import World

_REFUSED = 4
_REMEMBERED = 4096
_Key = tuple[str, str, str, tuple[tuple[str, object], ...], tuple[str, ...], str]
_RESULTS: dict[_Key, tuple[Result, ...]] = {}


def suite(call: Call, respond: Response, arguments: list[str], *, flaky: bool) -> Done:
    """Exit code and output of the suite on the tree as it is; writes the JUnit file that is asked for.

    `arguments` are those of the runner.
    """
    world = call.world
    model = world.profile.suite
    if model is None:
        return Done(_REFUSED, "", "ERROR: the virtual plugin has no suite\n")
    if model.runner == "pytest":
        chosen = pytest_output.options(tuple(arguments), split_words(call.env.get("PYTEST_ADDOPTS", "")))
    else:
        chosen = unittest_output.options(arguments)
    if model.config is not None and not world.holds(model.config):
        return Done(_REFUSED, "", "ERROR: the configuration of the tests cannot be read\n")
    try:
        results = _results(world, model, call.cwd, chosen)
    except FileNotFoundError as error:
        return Done(_REFUSED, "\nno tests ran in 0.00s\n", f"ERROR: file or directory not found: {error}\n")
    if flaky:
        results = _one_flaky(results, world.faults.seed, world.commands)
    if chosen.first_only:
        bad = next((at for at, result in enumerate(results) if result.status in {"failed", "error"}), len(results))
        results = results[: bad + 1]
    seconds = respond.seconds + model.seconds * len(results)
    world.spend(seconds)
    if model.runner == "unittest":
        return Done(*unittest_output.told(results, seconds))
    if chosen.junit is not None:
        world.write(joined(call.cwd, chosen.junit), pytest_output.junit(results))
    return Done(*pytest_output.told(results, chosen, seconds))


def _results(world: World, model: Suite, cwd: str, chosen: Options) -> tuple[Result, ...]:
    """The results of this suite on this tree; the same trees come again and again over many trials."""
    key = (
        world.profile.hash,
        world.tree.name,
        cwd,
        tuple(sorted(world.state.items())),
        chosen.selection,
        chosen.keyword,
    )
    found = _RESULTS.get(key)
    if found is None:
        prefix = f"{cwd}/" if cwd else ""
        files = {path[len(prefix) :]: node for path, node in world.files.items() if path.startswith(prefix)}
        found = tuple(run_suite(model, files, chosen.selection, chosen.keyword, world.holds))
        if len(_RESULTS) >= _REMEMBERED:
            _RESULTS.clear()
        _RESULTS[key] = found
    return found


def _one_flaky(results: tuple[Result, ...], seed: int, count: int) -> tuple[Result, ...]:
    """One test that passed fails: which one depends on the seed and on how many commands ran before."""
    passed = [at for at, result in enumerate(results) if result.status == "passed"]
    if not passed:
        return results
    at = passed[int(draw(seed, "flaky test", count) * len(passed))]
    flaky = Result(results[at].id, "failed", "TimeoutError: no answer within 1 s")
    return (*results[:at], flaky, *results[at + 1 :])
